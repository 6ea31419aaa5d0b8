// Up: a monolith becomes what its manifest says. The manifest is desired from when its images, volumes and cells are in place;
// until then any failure leads back to what was desired before.

import type { Desired } from "../../spec/index.js";

import { desire } from "../admission/desire.js";
import { weakIoLimits } from "../admission/host-fit.js";
import { note } from "../change/change.js";
import type { Change } from "../change/change.js";
import { refuseUnfit } from "../change/preflight.js";
import { planAsked, reach } from "../change/reach.js";
import { goBack } from "../change/return.js";
import { snapshotBefore } from "../change/snapshots.js";
import type { Verb } from "../change/verb.js";
import { withDeadline } from "../clock.js";
import type { Context } from "../context.js";
import type { ApplyOptions, ManifestSource, Plan, RequestOf } from "../control.js";
import { fromManifest } from "./from-manifest.js";

const PLAN_DEADLINE_MS = 60_000;

interface Kept {
  readonly wanted: Desired;
  /** What was desired before; absent when nothing was. */
  readonly before?: Desired;
  /** What is wanted is desired: there is no way back any more. */
  readonly isInPlace?: true;
}

export const up: Verb<RequestOf<"up">, Kept> = {
  ...fromManifest("bring it up"),
  prepare: async (change, { source, allowMissingControllers }) => {
    const { context, monolith, signal } = change;
    const wanted = await desire(context.ports, source, { allowMissingControllers }, signal);
    await refuseUnfit(context, wanted.spec, change.report);
    await planAsked(context, { kind: "monolith", desired: wanted }, source, signal);
    const before = await context.desired(monolith);
    return { wanted, ...(before === undefined ? {} : { before }) };
  },
  carryOut: bringUp,
};

async function bringUp(change: Change, kept: Kept): Promise<void> {
  const { context, report, signal } = change;
  const { wanted, before } = kept;
  let { isInPlace } = kept;
  for (const text of await weakIoLimits(wanted.spec, context.ports.pool)) note(change, text);
  const hooks = {
    first: () => snapshotBefore(context, "up", wanted.spec, report, signal),
    inPlace: async (): Promise<void> => {
      await context.ports.store.write(wanted);
      isInPlace = true;
      await change.commit("starting", { ...kept, isInPlace });
    },
  };
  await context.images.keep(wanted.spec.images, async () => {
    context.cells.dependencies.declare([wanted.spec]);
    try {
      await reach(change, { kind: "monolith", desired: wanted }, hooks);
    } catch (error) {
      if (isInPlace === true) throw error;
      throw await goBack(change, before, error);
    }
  });
  await context.images.dropOld(signal);
}

/** What `up` would do, and what it would be refused for. */
export function plan(
  context: Context,
  source: ManifestSource,
  options: ApplyOptions,
): Promise<Plan> {
  return withDeadline(context.ports.clock, PLAN_DEADLINE_MS, async (signal) => {
    const desired = await desire(context.ports, source, options, signal);
    const budgets = await refuseUnfit(context, desired.spec, () => undefined);
    const goal = { kind: "monolith", desired } as const;
    const { steps } = await planAsked(context, goal, source, signal);
    return { steps, budgets };
  });
}
