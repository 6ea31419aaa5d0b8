// An upgrade: a snapshot, what must run before, new code cell by cell, a look at whether it holds, and what runs after.
// Until then any failure, also that of the daemon, brings the old code back.

import { HengeError } from "../../errors.js";
import { planUpgrade, unitKey } from "../../plan/index.js";
import type { UpgradePhase } from "../../plan/index.js";
import type { Desired, MonolithName, MonolithSpec, SnapshotName } from "../../spec/index.js";

import { desire } from "../admission/desire.js";
import { note } from "../change/change.js";
import type { Change } from "../change/change.js";
import { refuseUnfit } from "../change/preflight.js";
import { planAsked, planGoal, reach } from "../change/reach.js";
import { goBack } from "../change/return.js";
import { automaticName, dropOld, takeHeld } from "../change/snapshots.js";
import type { Verb } from "../change/verb.js";
import { pause } from "../clock.js";
import type { Context } from "../context.js";
import type { RequestOf } from "../control.js";
import { fromManifest } from "./from-manifest.js";

const LOOK_MS = 500;
/** Snapshots before an upgrade that stay, where the manifest does not say. */
const KEEP_DEFAULT = 3;

interface Kept {
  readonly current: Desired;
  readonly spec: MonolithSpec;
  readonly snapshot: SnapshotName;
  /** The new code is desired: there is no way back by itself any more. */
  readonly isPastReturn?: true;
}

export const upgrade: Verb<RequestOf<"upgrade">, Kept> = {
  ...fromManifest("upgrade it"),
  prepare: async (change, { source, allowMissingControllers }) => {
    const { context, monolith, signal, report } = change;
    const { spec } = await desire(context.ports, source, { allowMissingControllers }, signal);
    await refuseUnfit(context, spec, report);
    const current = await requireRunning(context, monolith);
    // Refused now, not after its snapshot.
    const goal = { kind: "monolith", desired: { ...current, spec } } as const;
    await planAsked(context, goal, source, signal);
    return { current, spec, snapshot: automaticName("upgrade", context.ports.clock.now()) };
  },
  carryOut: async (change, kept) => {
    const { context, monolith, signal } = change;
    const desired = { ...kept.current, spec: kept.spec };
    const goal = { kind: "monolith", desired } as const;
    const { steps } = await planGoal(context, monolith, goal);
    const { before = [], after = [] } = kept.spec.upgrade ?? {};
    if (steps.length === 0 && before.length + after.length === 0) {
      change.report({ kind: "plan", steps });
      await context.ports.store.write(desired);
      return;
    }
    await takeHeld(context, monolith, kept.snapshot, signal);
    note(change, `took snapshot ${kept.snapshot}`);
    await context.images.keep(kept.spec.images, () => run(change, kept));
    const keep = kept.spec.snapshots?.keep ?? KEEP_DEFAULT;
    await dropOld(context, monolith, "upgrade", keep, signal);
    await context.images.dropOld(signal);
  },
  resume: async (change, kept) => {
    const { context, monolith } = change;
    if (kept.isPastReturn === true) {
      await finish(change, kept, planUpgrade(kept.current.spec, kept.spec).final);
      return;
    }
    const text = `an upgrade of ${monolith} was interrupted: going back`;
    context.ports.events.emit({ kind: "daemon", text }, monolith);
    const error = new HengeError("WRONG_STATE", "the daemon ended on the way");
    throw await goBack(change, kept.current, error);
  },
};

/** @throws {HengeError} WRONG_STATE: there is nothing to go back to */
async function requireRunning(context: Context, monolith: MonolithName): Promise<Desired> {
  const current = await context.desired(monolith);
  if (current === undefined)
    throw new HengeError("WRONG_STATE", `cannot upgrade ${monolith}: it is not up`, {
      hint: "henge up FILE brings it up; an upgrade goes from what runs to something newer",
    });
  const ill = await unready(context, current);
  if (ill === undefined) return current;
  throw new HengeError("WRONG_STATE", `cannot upgrade ${monolith}: ${ill}`, {
    hint: "mend that first: an upgrade begins and ends with everything ready",
  });
}

async function run(change: Change, kept: Kept): Promise<void> {
  const { current, spec } = kept;
  const { reversible, final } = planUpgrade(current.spec, spec);
  try {
    for (const phase of reversible) await take(change, phase, current.stopped);
    note(change, "everything is ready on the new code; seeing whether it stays so");
    await watch(change, { ...current, spec: reversible.at(-1)?.spec ?? spec });
  } catch (error) {
    throw await goBack(change, current, error);
  }
  await finish(change, kept, final);
}

/** From here on there is no way back by itself. */
async function finish(change: Change, kept: Kept, final: UpgradePhase): Promise<void> {
  const { current, spec, snapshot } = kept;
  try {
    await change.commit("finishing", { ...kept, isPastReturn: true });
    await change.context.ports.store.write({ ...current, spec });
    await take(change, final, current.stopped);
  } catch (error) {
    throw pastReturn(spec.name, snapshot, error);
  }
}

async function take(
  change: Change,
  phase: UpgradePhase,
  stopped: readonly string[],
): Promise<void> {
  const { context, signal } = change;
  signal.throwIfAborted();
  const desired = { spec: phase.spec, stopped };
  context.cells.dependencies.declare([phase.spec]);
  await reach(
    change,
    { kind: "monolith", desired, phase },
    {
      first: () => {
        note(change, phase.text);
        return Promise.resolve();
      },
    },
  );
}

/** Everything has to be ready now, and still the same processes in the end. */
async function watch({ context, signal }: Change, desired: Desired): Promise<void> {
  const { clock } = context.ports;
  const endMs = clock.monotonicMs() + (desired.spec.upgrade?.settleMs ?? 0);
  const before = await pids(context, desired.spec.name);
  for (;;) {
    const ill = await unready(context, desired);
    if (ill !== undefined) throw new HengeError("WRONG_STATE", ill);
    if (clock.monotonicMs() >= endMs) break;
    await pause(clock, LOOK_MS, signal);
    signal.throwIfAborted();
  }
  const after = await pids(context, desired.spec.name);
  const other = [...before].find(([key, pid]) => after.get(key) !== pid);
  if (other !== undefined) throw new HengeError("WRONG_STATE", `${other[0]} did not stay up`);
}

/** The first unit that should be up and is not ready, in words. */
async function unready(context: Context, { spec, stopped }: Desired): Promise<string | undefined> {
  const cells = await context.view(spec.name);
  for (const { name: cell, units } of cells) {
    const declared = spec.cells.find(({ name }) => name === cell)?.units ?? [];
    for (const { name: unit, spec: seen, state, reason } of units) {
      const key = unitKey({ cell, unit });
      if (!declared.some(({ name }) => name === unit) || stopped.includes(key)) continue;
      if (state === (seen.oneShot ? "done" : "running")) continue;
      return `${key} is ${state}${reason === undefined ? "" : `: ${reason}`}`;
    }
  }
  return undefined;
}

async function pids(
  context: Context,
  monolith: MonolithName,
): Promise<ReadonlyMap<string, number | undefined>> {
  const cells = await context.view(monolith);
  return new Map(
    cells.flatMap(({ name: cell, units }) =>
      units.map(({ name: unit, pid }) => [unitKey({ cell, unit }), pid] as const),
    ),
  );
}

function pastReturn(monolith: MonolithName, snapshot: SnapshotName, error: unknown): unknown {
  const why = error instanceof Error ? error.message : String(error);
  return new HengeError(
    error instanceof HengeError ? error.code : "INTERNAL",
    `cannot finish the upgrade of ${monolith}: ${why}; it is past the point of no return, and the new code runs`,
    {
      cause: error,
      hint: `mend it and run henge upgrade again; only henge stop ${monolith} && henge rollback ${monolith} ${snapshot} goes back, and loses what came since`,
    },
  );
}
