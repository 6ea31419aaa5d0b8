// The one way from a goal to its end: observe, plan, preflight, execute. Whoever changes a monolith comes through here, and
// `henge plan` looks at the same plan.

import { HengeError } from "../../errors.js";
import { forcedRuns, planMonolith, planRestart, planStart, planStop } from "../../plan/index.js";
import type { UpgradePhase } from "../../plan/index.js";
import type { Desired, MonolithName, Observed, Step, UnitRef } from "../../spec/index.js";

import type { Context } from "../context.js";
import type { ManifestSource } from "../control.js";
import { observe, observeCells } from "../observe.js";
import { note } from "./change.js";
import type { Change, Planned } from "./change.js";
import { executeSteps } from "./execute.js";
import { refuseUnfounded, refuseUnkept } from "./preflight.js";
import { settle } from "./settle.js";

export type Goal =
  /** What a manifest says. `leaveFailed`: nobody has asked for another try of what failed. */
  | {
      readonly kind: "monolith";
      readonly desired: Desired;
      readonly leaveFailed?: true;
      /** What runs whether or not anything of it has changed. */
      readonly phase?: UpgradePhase;
    }
  /** Everything stopped and freed. */
  | { readonly kind: "nothing" }
  | {
      readonly kind: "units";
      readonly verb: "start" | "stop" | "restart";
      readonly desired: Desired;
      readonly units: readonly UnitRef[];
    };

export interface Reach {
  /** Before the first step of a plan that has any. */
  readonly first?: (planned: Planned) => Promise<void>;
  /** When volumes, images and cells are in place, before the first unit is started. */
  readonly inPlace?: () => Promise<void>;
}

/** @throws {HengeError} what the plan is refused for; nothing is changed then */
export async function planGoal(
  context: Context,
  monolith: MonolithName,
  goal: Goal,
): Promise<Planned> {
  const observed = await observeFor(context, monolith, goal);
  if (goal.kind === "monolith" && goal.leaveFailed !== true)
    refuseUnkept(context, goal.desired.spec, observed);
  return { observed, steps: stepsTo(context, goal, observed) };
}

/**
 * The same for what somebody asks for, and what they would hear of only when a unit has been stopped: the root file systems
 * are looked into. A way back, or what the daemon brings up by itself, is tried as it is.
 * @param source absent where no manifest was given
 */
export async function planAsked(
  context: Context,
  goal: Exclude<Goal, { readonly kind: "nothing" }>,
  source: ManifestSource | undefined,
  signal: AbortSignal,
): Promise<Planned> {
  const { spec } = goal.desired;
  const planned = await planGoal(context, spec.name, goal);
  await refuseUnfounded(context, spec, planned.steps, source, signal);
  return planned;
}

/** Returns when the goal is reached: what it wants up is ready, or done. */
export async function reach(change: Change, goal: Goal, hooks: Reach = {}): Promise<void> {
  const { context, monolith } = change;
  const planned = await planGoal(context, monolith, goal);
  const { steps, observed } = planned;
  if (steps.length > 0) await hooks.first?.(planned);
  tellHeld(change, goal, observed);
  await executePlan(change, steps, hooks.inPlace);
  // A start returns as soon as the program runs, and what the daemon brings up by itself has nobody who waits.
  const waits = goal.kind === "monolith" ? goal.leaveFailed !== true : goal.kind === "units";
  if (waits && !(goal.kind === "units" && goal.verb === "start"))
    await settle(context, steps, change.signal);
}

function stepsTo(context: Context, goal: Goal, observed: Observed): readonly Step[] {
  switch (goal.kind) {
    case "nothing":
      return planMonolith(undefined, observed, context.planFacts);
    case "monolith": {
      const { desired, leaveFailed = false, phase } = goal;
      const planned = planMonolith(desired, observed, { ...context.planFacts, leaveFailed });
      return phase === undefined ? planned : [...planned, ...forcedRuns(phase, planned)];
    }
    case "units":
      return unitSteps(context, goal, observed);
  }
}

function unitSteps(
  context: Context,
  { verb, desired, units }: Extract<Goal, { kind: "units" }>,
  observed: Observed,
): readonly Step[] {
  if (verb === "stop") {
    const steps = planStop(desired, observed, units);
    return steps.filter((step) => !("cell" in step && context.cells.isUnsupervised(step.cell)));
  }
  if (!areAllocated(observed, units)) return planMonolith(desired, observed, context.planFacts);
  return (verb === "start" ? planStart : planRestart)(desired, observed, units);
}

/** Pool and network are asked only when a cell may have to be allocated. */
async function observeFor(
  { ports, cells }: Context,
  monolith: MonolithName,
  goal: Goal,
): Promise<Observed> {
  if (goal.kind === "monolith") return observe(ports, cells, monolith, goal.desired.spec);
  const seen = await observeCells(ports, cells, monolith);
  const observed: Observed = { cells: seen, volumes: [], images: [] };
  if (goal.kind === "nothing" || goal.verb === "stop" || areAllocated(observed, goal.units))
    return observed;
  return observe(ports, cells, monolith, goal.desired.spec);
}

function areAllocated(observed: Observed, units: readonly UnitRef[]): boolean {
  const allocated = new Set(
    observed.cells.filter(({ state }) => state !== "unsupervised").map(({ name }) => name),
  );
  return units.every(({ cell }) => allocated.has(cell));
}

function tellHeld(change: Change, goal: Goal, { cells }: Observed): void {
  if (goal.kind !== "monolith") return;
  for (const { name } of cells.filter(({ state }) => state === "frozen"))
    note(change, `${name} is frozen and left as it is; henge thaw ${name}`);
}

async function executePlan(
  change: Change,
  steps: readonly Step[],
  inPlace: (() => Promise<void>) | undefined,
): Promise<void> {
  const { context, monolith, signal, report } = change;
  const done: Step[] = [];
  let underWay: Step | undefined;
  try {
    await executeSteps(
      context,
      { monolith, steps, ...(inPlace === undefined ? {} : { inPlace }) },
      (progress) => {
        if (progress.kind === "begin") underWay = progress.step;
        if (progress.kind === "end") done.push(progress.step);
        if (progress.kind === "end" && progress.step.kind === "allocate")
          context.blocked.delete(progress.step.cell);
        report(progress);
      },
      signal,
    );
  } catch (error) {
    if (underWay?.kind === "allocate" && !signal.aborted) context.block(underWay.cell, error);
    throw interrupted(signal, steps, done) ?? error;
  }
}

/** What somebody has ended, and how far it was. */
function interrupted(
  signal: AbortSignal,
  steps: readonly Step[],
  done: readonly Step[],
): HengeError | undefined {
  const reason: unknown = signal.reason;
  if (!signal.aborted || !(reason instanceof HengeError)) return undefined;
  const [next] = steps.slice(done.length);
  const left = next === undefined ? "" : `; not done: ${describe(next)} and what follows`;
  const far = `${String(done.length)} of ${String(steps.length)} steps were done${left}`;
  return new HengeError(reason.code, `${reason.message}: ${far}`, {
    cause: reason,
    ...(reason.hint === undefined ? {} : { hint: reason.hint }),
  });
}

function describe(step: Step): string {
  const cell = "cell" in step ? ` ${step.cell}` : "";
  return `${step.kind}${cell}${"unit" in step ? `:${step.unit}` : ""}`;
}
