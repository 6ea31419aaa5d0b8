// Plan and apply of a manifest, and the way back: free.

import { HengeError } from "../../errors.js";
import { missingControllers, planMonolith } from "../../plan/index.js";
import type { MissingController } from "../../plan/index.js";
import type { CellName, Desired, MonolithName, Observed, Step } from "../../spec/index.js";
import { isSnapshotName, monolithOf, parentOf } from "../../spec/index.js";

import { fitBudgets, refuseUnfitBudgets } from "../admission/budgets.js";
import type { Context, Report } from "../context.js";
import type { ApplyOptions, ManifestSource, Plan } from "../control.js";
import {
  desire,
  refuseBrokenPromises,
  refuseMissingControllers,
  refuseTakenPorts,
} from "../admission/desire.js";
import { refuseHalted } from "./halt.js";
import { weakIoLimits } from "../admission/host-fit.js";
import { finishRollback } from "./rollback.js";
import { refuseClonedFrom, snapshotBefore } from "./snapshots.js";
import { cellNotFound } from "./targets.js";

const PLAN_DEADLINE_MS = 60_000;

export async function plan(
  context: Context,
  source: ManifestSource,
  options: ApplyOptions,
): Promise<Plan> {
  const signal = AbortSignal.timeout(PLAN_DEADLINE_MS);
  const desired = await desire(context.ports, source, options, signal);
  const observed = await context.observe(desired.spec.name);
  refuseBrokenPromises(desired.spec, observed, context.ports.pool.keeps);
  const { store, host } = context.ports;
  const budgets = await fitBudgets(desired.spec, await store.list(), host);
  const missing = missingControllers(desired.spec, context.offered);
  const steps = planMonolith(desired, observed, context.planFacts);
  return { steps: steps.map((step) => withRefusal(step, missing)), budgets };
}

/** A plan is shown also where its apply will be refused; then it says so. */
function withRefusal(step: Step, missing: readonly MissingController[]): Step {
  if (step.kind !== "allocate") return step;
  const files = missing.filter(({ cell }) => cell === step.cell).map(({ file }) => file);
  if (files.length === 0) return step;
  return {
    ...step,
    reason: `${step.reason}; up refuses it: not offered here: ${files.join(", ")}`,
  };
}

/** @throws {HengeError} as `desire`, and what this host cannot give it; nothing is changed then */
export async function desireFitting(
  context: Context,
  source: ManifestSource,
  options: ApplyOptions,
  report: Report,
  signal: AbortSignal,
): Promise<Desired> {
  const { ports } = context;
  const desired = await desire(ports, source, options, signal);
  refuseMissingControllers(desired.spec, context.offered);
  const stored = await ports.store.list();
  refuseTakenPorts(desired.spec, stored);
  await refuseUnfitBudgets(desired.spec, stored, ports.host, report);
  return desired;
}

/** What is desired is on record before the first step, so that a daemon killed on the way finishes it when it is back. */
export async function apply(
  context: Context,
  source: ManifestSource,
  options: ApplyOptions,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const desired = await desireFitting(context, source, options, report, signal);
  const monolith = desired.spec.name;
  const request = { id: options.requestId, verb: "up", monolith, target: monolith };
  await context.change(request, async () => {
    await refuseHalted(context, "bring it up");
    await context.ports.pool.ensure(signal);
    await context.images.keep(desired.spec.images, () => bringTo(context, desired, report, signal));
    await context.images.dropOld(signal);
  });
}

async function bringTo(
  context: Context,
  desired: Desired,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const monolith = desired.spec.name;
  await finishRollback(context, monolith, signal);
  const observed = await context.observe(monolith);
  refuseBrokenPromises(desired.spec, observed, context.ports.pool.keeps);
  const steps = planMonolith(desired, observed, context.planFacts);
  if (steps.length > 0) await snapshotBefore(context, "up", desired.spec, report, signal);
  for (const { name } of observed.cells.filter(({ state }) => state === "frozen")) {
    report({ kind: "note", text: `${name} is frozen and left as it is; henge thaw ${name}` });
  }
  for (const text of await weakIoLimits(desired.spec, context.ports.pool))
    report({ kind: "note", text });
  await context.ports.store.write(desired);
  context.cells.dependencies.declare([desired.spec]);
  await context.execute(monolith, steps, report, signal);
}

/** @throws {HengeError} CELL_NOT_FOUND; WRONG_STATE: a nested cell, which only its manifest can remove */
export async function free(
  context: Context,
  cell: CellName,
  destroyData: boolean,
  requestId: string,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const monolith = await freeable(context, cell);
  const request = {
    id: requestId,
    verb: destroyData ? "down, destroying data" : "down",
    monolith,
    target: cell,
  };
  await context.change(request, async () => {
    const observed = await context.observe(monolith);
    refuseFrozen(observed);
    if (destroyData) await refuseClonedFrom(context, monolith);
    const steps = planMonolith(undefined, observed, context.planFacts);
    const known = await context.desired(monolith);
    if (!destroyData) await snapshotBefore(context, "down", known?.spec, report, signal);
    await context.ports.store.remove(monolith);
    await context.execute(monolith, steps, report, signal);
    for (const name of context.blocked.keys())
      if (monolithOf(name) === monolith) context.blocked.delete(name);
    await context.ports.network.sweep(context.cells.names());
    if (destroyData) await destroyVolumes(context, monolith, report, signal);
    await context.images.dropOld(signal).catch((error: unknown) => {
      context.ports.warn("images that are no longer needed stay", error);
    });
  });
}

function refuseFrozen(observed: Observed): void {
  const frozen = observed.cells.find(({ state }) => state === "frozen");
  if (frozen === undefined) return;
  throw new HengeError("WRONG_STATE", `cannot free ${frozen.name}: it is frozen`, {
    hint: `henge thaw ${frozen.name}`,
  });
}

async function freeable(context: Context, cell: CellName): Promise<MonolithName> {
  const monolith = monolithOf(cell);
  const [known, keepers] = await Promise.all([
    context.monoliths(),
    context.ports.volumes.listMonoliths().catch((): readonly MonolithName[] => []),
  ]);
  if (!known.includes(monolith) && !keepers.includes(monolith)) {
    throw cellNotFound(
      cell,
      known.map((name) => ({ name: name as string as CellName })),
    );
  }
  if (parentOf(cell) !== undefined) {
    throw new HengeError("WRONG_STATE", `cannot free ${cell}: it is part of ${monolith}`, {
      hint: `remove it from the manifest and apply that, stop it with henge stop ${cell}, or free all with henge down ${monolith}`,
    });
  }
  return monolith;
}

async function destroyVolumes(
  { ports }: Context,
  monolith: MonolithName,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  for (const { name } of await ports.snapshots.list(monolith))
    if (isSnapshotName(name)) await ports.snapshots.destroy(monolith, name, signal);
  for (const volume of await ports.volumes.list(monolith)) {
    await ports.volumes.destroy(monolith, volume.name, signal);
    report({ kind: "note", text: `destroyed volume ${volume.name}` });
  }
  await ports.volumes.forget(monolith);
}
