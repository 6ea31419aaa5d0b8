// Kills the daemon inside a verb at a moment that a seed says, and looks at what the next one makes of it.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { afterAll, describe, it } from "vitest";

import type { Outcome } from "../../fixture/cli.js";
import { TestDaemon } from "../../fixture/daemon.js";
import { differences, readTraces } from "./traces.js";
import type { Traces } from "./traces.js";
import { KILLED, MANIFESTS } from "./verbs.js";
import type { KilledVerb, Words } from "./verbs.js";

const LATEST_MS = 500;
/** The next daemon ends what was begun by itself; a request meanwhile is told to come again. */
const SETTLE_MS = 20_000;
const LOOK_MS = 20;
const BUSY = 75;
const POOL = ["--pool-size", "1"];

const VERBS: readonly KilledVerb[] = Object.values(KILLED).flat();
// HENGE_SEEDS=N has more of them, or fewer, but one for each verb: none is left out unless HENGE_SEED names a single one.
const SEEDS = Math.max(Number(process.env["HENGE_SEEDS"] ?? 200), VERBS.length);
const ONE = process.env["HENGE_SEED"];
// A run of CI begins where the last did not.
const FIRST = ONE === undefined ? Math.floor(Date.now() / 1000) : Number(ONE);

/** A test for each seed that falls to one of these verbs; HENGE_SEED=N runs that seed alone. */
export function killInside(verbs: readonly KilledVerb[]): void {
  const seeds = Array.from({ length: ONE === undefined ? SEEDS : 1 }, (_, index) => FIRST + index);
  for (const verb of verbs) {
    const own = seeds.filter((seed) => VERBS[seed % VERBS.length] === verb);
    if (own.length === 0) it.skip(`${verb.name}: this seed is another verb's`);
    else describe(verb.name, () => killEach(verb, own));
  }
}

function killEach(verb: KilledVerb, seeds: readonly number[]): void {
  const stage = new Stage(verb);
  afterAll(() => stage.end());
  it.each(seeds.map((seed) => [momentOf(seed), seed]))(
    "is done or undone when the daemon is killed after %i ms (HENGE_SEED=%i)",
    async (ms) => {
      await stage.killAfter(ms);
    },
  );
}

/** 0 to 500 ms, spread over the seeds of a verb. */
function momentOf(seed: number): number {
  return (Math.imul(seed, 0x9e3779b1) >>> 0) % (LATEST_MS + 1);
}

/** A daemon with the monolith where the verb begins. */
class Stage {
  private readonly verb: KilledVerb;
  private daemon: TestDaemon | undefined;
  private undone: Traces = [];
  private done: Traces = [];

  constructor(verb: KilledVerb) {
    this.verb = verb;
  }

  /** Does it once undisturbed: so its traces are known before and after. */
  async begin(): Promise<void> {
    const daemon = await TestDaemon.start(...POOL);
    this.daemon = daemon;
    for (const [name, text] of Object.entries(MANIFESTS))
      await writeFile(join(daemon.root, name), text);
    for (const words of this.verb.before) await must(daemon, words);
    this.undone = await readTraces(daemon);
    await must(daemon, this.verb.act);
    this.done = await whenDone(daemon, this.verb.until);
    for (const words of this.verb.back) await must(daemon, words);
    await untilSame(daemon, this.undone);
  }

  async end(): Promise<void> {
    await this.daemon?.raze();
    this.daemon = undefined;
  }

  async killAfter(ms: number): Promise<void> {
    if (this.daemon === undefined) await this.begin();
    const daemon = this.daemon!;
    try {
      await this.kill(daemon, ms);
    } catch (error) {
      // What is left is this failure's: the next seed begins afresh.
      await this.end();
      throw error;
    }
  }

  private async kill(daemon: TestDaemon, ms: number): Promise<void> {
    const asked = ask(daemon, this.verb.act);
    await delay(ms);
    await daemon.kill("SIGKILL");
    await daemon.begin(...POOL);
    const told = await asked;
    const isDone = await this.untilDoneOrUndone(daemon, told.exit === 0);
    if (!isDone || this.undone.join() === this.done.join()) await must(daemon, this.verb.act);
    await untilSame(daemon, this.done);
    for (const words of this.verb.back) await must(daemon, words);
    await untilSame(daemon, this.undone);
  }

  /** Whether it is done, as soon as it is one of both; what the client was told is done has to be. */
  private async untilDoneOrUndone(daemon: TestDaemon, isTold: boolean): Promise<boolean> {
    const deadline = Date.now() + SETTLE_MS;
    for (;;) {
      const seen = await readTraces(daemon);
      const [toDone, toUndone] = [differences(this.done, seen), differences(this.undone, seen)];
      if (toDone.length === 0) return true;
      if (toUndone.length === 0 && !isTold) return false;
      if (Date.now() > deadline)
        throw new Error(`not done:\n${toDone.join("\n")}\nand not undone:\n${toUndone.join("\n")}`);
      await delay(LOOK_MS);
    }
  }
}

async function untilSame(daemon: TestDaemon, wanted: Traces): Promise<void> {
  const deadline = Date.now() + SETTLE_MS;
  for (;;) {
    const seen = differences(wanted, await readTraces(daemon));
    if (seen.length === 0) return;
    if (Date.now() > deadline) throw new Error(`it is not as it should be:\n${seen.join("\n")}`);
    await delay(LOOK_MS);
  }
}

/** What there is when a verb has ended that may leave the rest to the daemon. */
async function whenDone(daemon: TestDaemon, line: string | undefined): Promise<Traces> {
  const deadline = Date.now() + SETTLE_MS;
  for (;;) {
    const [seen, again] = [await readTraces(daemon), await readTraces(daemon)];
    const isAtRest = differences(seen, again).length === 0;
    if (isAtRest && (line === undefined || seen.includes(line))) return seen;
    if (Date.now() > deadline) throw new Error(`it never came to ${line ?? "rest"}`);
    await delay(LOOK_MS);
  }
}

function ask(daemon: TestDaemon, words: Words): Promise<Outcome> {
  return daemon.henge(...words.map((word) => (word in MANIFESTS ? join(daemon.root, word) : word)));
}

async function must(daemon: TestDaemon, words: Words): Promise<void> {
  const deadline = Date.now() + SETTLE_MS;
  for (;;) {
    const { exit, stderr } = await ask(daemon, words);
    if (exit === 0) return;
    if (exit !== BUSY || Date.now() > deadline)
      throw new Error(`henge ${words.join(" ")} ended with ${String(exit)}: ${stderr}`);
    await delay(LOOK_MS);
  }
}
