// Hosts of the rig for tests: each file gets a fresh clone of the machine that set-up saved, and drops it at its end.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmdirSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, inject } from "vitest";

import { errnoOf } from "../../src/errors.js";
import { henge } from "../fixture/cli.js";

const HOST_SCRIPT = join(import.meta.dirname, "host");
// Emulation is 5 to 25 times slower than the machine it runs on.
const COMMAND_DEADLINE_MS = 600_000;
const BOOT_SECONDS = 240;
const JOURNAL_LINES = 80;
/** The script numbers hosts from 1 to 9. */
const PAIRS = 4;

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly deadlineMs?: number;
  readonly env?: Readonly<Record<string, string>>;
}

declare module "vitest" {
  export interface ProvidedContext {
    readonly rig: { readonly image: string; readonly run: string };
  }
}

export class RigHost {
  readonly number: number;
  private readonly env: Readonly<Record<string, string>>;
  private forwarded = false;
  private readonly ports = new Map<number, number>();

  constructor(number: number, rig: { readonly image: string; readonly run: string }) {
    this.number = number;
    this.env = {
      RIG_IMAGE: rig.image,
      RIG_RUN: rig.run,
      RIG_BOOT_SECONDS: String(BOOT_SECONDS),
    };
  }

  private get directory(): string {
    return join(this.env["RIG_RUN"] ?? "", String(this.number));
  }

  async restore(): Promise<void> {
    await this.script("restore");
  }

  /** Boots it again on the disks it has, after `cut` or `waitOff`. */
  async again(): Promise<void> {
    this.hangUp();
    await this.script("again");
  }

  /** Cuts its power: nothing the guest has not flushed survives. */
  async cut(): Promise<void> {
    this.hangUp();
    await this.script("cut");
  }

  /** Waits until the guest has ended its machine by itself (`systemctl poweroff` or `reboot`). */
  async waitOff(seconds: number): Promise<void> {
    await this.script("wait-off", String(seconds));
  }

  /** Plugs or unplugs the wire between the hosts of a pair (1 and 2, 3 and 4). */
  async link(plugged: boolean): Promise<void> {
    await this.script("link", String(plugged));
  }

  /** Runs a command line by the guest's shell as root. */
  async run(command: string, options: RunOptions = {}): Promise<Ended> {
    return execute(HOST_SCRIPT, ["run", String(this.number), command], this.env, options);
  }

  /** Returns what it wrote to its standard output. */
  async must(command: string, options: RunOptions = {}): Promise<string> {
    return orThrow(command, await this.run(command, options));
  }

  /** Whether its machine lives and its sshd answers. */
  async answers(): Promise<boolean> {
    return (await this.run("true", { deadlineMs: 60_000 })).code === 0;
  }

  /** Copies a directory of this machine in. */
  async put(directory: string, to: string): Promise<void> {
    await this.script("put", directory, to);
  }

  /**
   * The CLI of this checkout inside this process, over the guest's socket: at native speed. Paths in a manifest are the
   * guest's all the same.
   */
  async henge(...words: readonly string[]): Promise<Ended> {
    const { exit, stdout, stderr } = await henge(await this.forwardSocket(), words);
    return { code: exit, stdout, stderr };
  }

  async mustHenge(...words: readonly string[]): Promise<string> {
    return orThrow(`henge ${words.join(" ")}`, await this.henge(...words));
  }

  /** A TCP port of this machine's loopback that leads to one of the guest's. */
  async forwardPort(port: number): Promise<number> {
    const known = this.ports.get(port);
    if (known !== undefined) return known;
    const here = await freePort();
    await this.script("forward", `127.0.0.1:${String(here)}`, `127.0.0.1:${String(port)}`);
    this.ports.set(port, here);
    return here;
  }

  /** The last lines of its journal and console, for the report of a failed test. */
  async lastWords(): Promise<string> {
    const journal = `journalctl --boot --no-pager --lines=${String(JOURNAL_LINES)}`;
    const { stdout, stderr } = await this.run(journal, { deadlineMs: 60_000 });
    const serial = await readFile(join(this.directory, "serial"), "utf8").catch(() => "");
    return `${stdout}${stderr}\n--- console\n${serial.slice(-2_000)}`;
  }

  /** What leads to a guest ends with it. */
  private hangUp(): void {
    this.forwarded = false;
    this.ports.clear();
  }

  private async forwardSocket(): Promise<string> {
    const root = join(this.directory, "root");
    if (this.forwarded) return root;
    await mkdir(join(root, "run"), { recursive: true, mode: 0o700 });
    await this.script("forward", join(root, "run/henged.sock"), "/run/henge/henged.sock");
    this.forwarded = true;
    return root;
  }

  private async script(verb: string, ...words: readonly string[]): Promise<void> {
    const argv = [verb, String(this.number), ...words];
    orThrow(`host ${argv.join(" ")}`, await execute(HOST_SCRIPT, argv, this.env, {}));
  }
}

/**
 * Restores a host and prepares it before the tests of a file, drops it after them, and tells its last words when one has
 * failed. A machine that is gone before any test has begun is restored and prepared once more, and the report says so.
 */
export function useHost({
  number = 1,
  prepare = () => Promise.resolve(),
}: { readonly number?: number; readonly prepare?: () => Promise<void> } = {}): RigHost {
  const rig = inject("rig");
  const host = new RigHost((pairIn(rig.run) - 1) * 2 + number, rig);
  const begin = async (): Promise<void> => {
    await host.restore();
    await prepare();
  };
  beforeAll(() =>
    begin().catch(async (error: unknown) => {
      process.stderr.write(`${String(error)}\n${await host.lastWords()}\n`);
      if (await host.answers()) throw error;
      await host.cut();
      await begin();
    }),
  );
  afterEach(async ({ task }) => {
    if (task.result?.state === "fail") process.stderr.write(`${await host.lastWords()}\n`);
  });
  afterAll(() => host.cut());
  return host;
}

/** This file's, from its first host on. */
let pair: number | undefined;

/** Files that run beside each other have a pair of hosts each, 1 and 2, 3 and 4: whoever makes its directory has it. */
function pairIn(run: string): number {
  if (pair !== undefined) return pair;
  for (pair = 1; !isMade(join(run, `pair-${String(pair)}`)); pair++)
    if (pair === PAIRS) throw new Error(`all ${String(PAIRS)} pairs of hosts are taken`);
  const taken = join(run, `pair-${String(pair)}`);
  // The first of its kind in a file runs last: when its hosts are gone.
  afterAll(() => {
    rmdirSync(taken);
    pair = undefined;
  });
  return pair;
}

function isMade(directory: string): boolean {
  try {
    mkdirSync(directory);
    return true;
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

function orThrow(what: string, { code, stdout, stderr }: Ended): string {
  if (code === 0) return stdout;
  throw new Error(
    `${what} ended with ${String(code)}:\n${stdout.slice(-4_000)}\n${stderr.slice(-4_000)}`,
  );
}

async function execute(
  file: string,
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  { deadlineMs = COMMAND_DEADLINE_MS, env: more = {} }: RunOptions,
): Promise<Ended> {
  const child = spawn(file, argv, {
    env: { ...process.env, ...env, ...more },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: deadlineMs,
    killSignal: "SIGKILL",
  });
  const [out, err]: [string[], string[]] = [[], []];
  child.stdout.setEncoding("utf8").on("data", (text: string) => out.push(text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => err.push(text));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  return { code, stdout: out.join(""), stderr: err.join("") };
}
