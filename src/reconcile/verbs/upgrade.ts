// An upgrade: a snapshot, what must run before, new code cell by cell, a look at whether it holds, and what runs after.
// Until then any failure, also that of the daemon, brings the old code back.

import { HengeError } from "../../errors.js";
import { forcedRuns, planMonolith, planUpgrade, unitKey } from "../../plan/index.js";
import type { UpgradePhase } from "../../plan/index.js";
import type { Desired, MonolithName, MonolithSpec, SnapshotName } from "../../spec/index.js";

import { desireFitting } from "./apply.js";
import type { Context, Report } from "../context.js";
import type { ApplyOptions, ManifestSource } from "../control.js";
import { refuseBrokenPromises } from "../admission/desire.js";
import { refuseHalted } from "./halt.js";
import { finishRollback } from "./rollback.js";
import { automaticName, takeHeld } from "./snapshots.js";

const RETURN_DEADLINE_MS = 30 * 60_000;
const LOOK_MS = 500;

/**
 * Returns when everything is ready on the new code and what runs after has run.
 * @throws {HengeError} WRONG_STATE: it is back on the old code, or it is past the point of no return; the message says which
 */
export async function upgrade(
  context: Context,
  source: ManifestSource,
  options: ApplyOptions,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const { ports } = context;
  const { spec } = await desireFitting(context, source, options, report, signal);
  const { name: monolith } = spec;
  const request = { id: options.requestId, verb: "upgrade", monolith, target: monolith };
  await context.change(request, async () => {
    await refuseHalted(context, "upgrade it");
    await ports.pool.ensure(signal);
    await finishRollback(context, monolith, signal);
    const current = await requireRunning(context, monolith);
    refuseBrokenPromises(spec, await context.observe(monolith), ports.pool.keeps);
    const name = automaticName("upgrade", ports.clock.now());
    await takeHeld(context, monolith, name, signal);
    report({ kind: "note", text: `took snapshot ${name}` });
    await context.images.keep(spec.images, () =>
      run(context, { current, spec, snapshot: name }, report, signal),
    );
    await context.images.dropOld(signal);
  });
}

interface Upgrade {
  readonly current: Desired;
  readonly spec: MonolithSpec;
  readonly snapshot: SnapshotName;
}

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

async function run(
  context: Context,
  { current, spec, snapshot }: Upgrade,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const { reversible, final } = planUpgrade(current.spec, spec);
  const { stopped } = current;
  try {
    for (const phase of reversible) {
      const desired = { spec: phase.spec, stopped, upgradingFrom: current.spec };
      await take(context, phase, desired, report, signal);
    }
    report({
      kind: "note",
      text: "everything is ready on the new code; seeing whether it stays so",
    });
    await settle(context, { spec: reversible.at(-1)?.spec ?? spec, stopped }, signal);
  } catch (error) {
    await goBack(context, current, report).catch((failure: unknown) => {
      throw stranded(spec.name, error, failure);
    });
    throw broughtBack(spec.name, error);
  }
  try {
    await take(context, final, { spec, stopped }, report, signal);
  } catch (error) {
    throw pastReturn(spec.name, snapshot, error);
  }
}

async function take(
  context: Context,
  phase: UpgradePhase,
  desired: Desired,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const { name } = phase.spec;
  signal.throwIfAborted();
  // On record first: a daemon that is killed knows what to go back to, or that it cannot.
  await context.ports.store.write(desired);
  const planned = planMonolith(desired, await context.observe(name), context.planFacts);
  const steps = [...planned, ...forcedRuns(phase, planned)];
  if (steps.length === 0) return;
  report({ kind: "note", text: phase.text });
  await context.execute(name, steps, report, signal);
}

/** Everything has to be ready now, and still the same processes in the end. */
async function settle(context: Context, desired: Desired, signal: AbortSignal): Promise<void> {
  const { clock } = context.ports;
  const endMs = clock.now() + (desired.spec.upgrade?.settleMs ?? 0);
  const before = await pids(context, desired.spec.name);
  for (;;) {
    const ill = await unready(context, desired);
    if (ill !== undefined) throw new HengeError("WRONG_STATE", ill);
    if (clock.now() >= endMs) break;
    await new Promise<void>((resolve) => {
      clock.after(LOOK_MS, resolve);
    });
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

/** With a deadline of its own: what was interrupted goes back all the same. */
async function goBack(context: Context, current: Desired, report: Report): Promise<void> {
  const { name } = current.spec;
  report({ kind: "note", text: "going back to what ran before" });
  await context.ports.store.write(current);
  const steps = planMonolith(current, await context.observe(name), context.planFacts);
  await context.execute(name, steps, report, AbortSignal.timeout(RETURN_DEADLINE_MS));
}

/** Of a daemon that was killed before the point of no return: what is desired is the old code again. */
export async function forsakeUpgrade(context: Context, desired: Desired): Promise<Desired> {
  const { upgradingFrom, stopped } = desired;
  if (upgradingFrom === undefined) return desired;
  const old = { spec: upgradingFrom, stopped };
  await context.ports.store.write(old);
  context.ports.events.emit(
    { kind: "daemon", text: `an upgrade of ${old.spec.name} was interrupted: going back` },
    old.spec.cells[0]?.name,
  );
  return old;
}

function broughtBack(monolith: MonolithName, error: unknown): unknown {
  if (!(error instanceof HengeError)) return error;
  return new HengeError(
    error.code,
    `cannot upgrade ${monolith}: ${error.message}; it is back on what ran before`,
    { cause: error, ...(error.hint === undefined ? {} : { hint: error.hint }) },
  );
}

function stranded(monolith: MonolithName, error: unknown, failure: unknown): HengeError {
  const [why, and] = [error, failure].map((one) =>
    one instanceof Error ? one.message : String(one),
  );
  return new HengeError(
    failure instanceof HengeError ? failure.code : "INTERNAL",
    `cannot upgrade ${monolith}: ${why ?? ""}; and it could not go back: ${and ?? ""}`,
    { cause: error, hint: `what ran before is desired again: henge ps shows what is missing` },
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
