// One executor for each kind of step. A step has all it needs; nothing is chosen here.

import type { MonolithName, Step } from "../../spec/index.js";

import type { Context } from "../context.js";
import type { Progress } from "../control.js";
import type { Ports } from "../ports.js";

interface Execution {
  readonly monolith: MonolithName;
  readonly steps: readonly Step[];
  /** Called once, when volumes, images and cells are in place: before the first step that starts a unit, or last. */
  readonly inPlace?: () => Promise<void>;
}

type Doers = Pick<Context, "ports" | "cells" | "allocator">;

/** What is done to units when their cells are in place. A stop comes before, with the cell it makes room for. */
const STARTS: ReadonlySet<Step["kind"]> = new Set([
  "start",
  "await",
  "hand-over",
  "adjust",
  "pause",
]);

/** Carries the steps out in order; the first that fails ends the run, and the signal ends it between two steps. */
export async function executeSteps(
  context: Doers,
  { monolith, steps, inPlace }: Execution,
  report: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<void> {
  const { ports } = context;
  report({ kind: "plan", steps });
  const placed = steps.findIndex(({ kind }) => STARTS.has(kind));
  for (const [index, step] of steps.entries()) {
    signal.throwIfAborted();
    if (index === placed) await inPlace?.();
    report({ kind: "begin", index, step });
    const begunMs = ports.clock.monotonicMs();
    await executeStep(context, monolith, step, signal);
    report({ kind: "end", index, step, ms: ports.clock.monotonicMs() - begunMs });
    tellStep(ports, step);
  }
  if (placed === -1) await inPlace?.();
}

async function executeStep(
  { ports, cells, allocator }: Doers,
  monolith: MonolithName,
  step: Step,
  signal: AbortSignal,
): Promise<void> {
  const { volumes, images, cgroups } = ports;
  switch (step.kind) {
    case "create-volume":
      return volumes.create(monolith, step.volume, signal);
    case "set-volume":
      return volumes.set(monolith, step.volume, signal);
    case "import-image":
      return images.import(step.image.name, step.image.archive, step.image.digest ?? "", signal);
    case "allocate":
      return allocator.allocate(monolith, step.spec, signal);
    case "set-limit":
      return cgroups.writeLimit(step.cell, step.file, step.text);
    case "publish":
      return allocator.publish(step.cell, step.ports);
    case "start":
      return cells.unit(step.cell, step.spec).start(step.spec);
    case "await":
      return cells.existingUnit(step.cell, step.unit).untilUp(signal);
    case "stop":
      return cells.existingUnit(step.cell, step.unit).stop(signal);
    case "hand-over":
      return cells.existingUnit(step.cell, step.unit).handOver(step.spec, signal);
    case "adjust":
      return cells.existingUnit(step.cell, step.unit).adjust(step.spec, signal);
    case "pause":
      return pause(ports, step.upToMs, signal);
    case "free":
      return allocator.free(step.cell, signal);
  }
}

/** Returns early when the signal aborts: the run ends between two steps. */
function pause({ clock, random }: Ports, upToMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const cancel = clock.after(random() * upToMs, done);
    signal.addEventListener("abort", done);
  });
}

function tellStep({ events }: Ports, step: Step): void {
  if (step.kind === "await" || step.kind === "pause") return; // the unit's own events tell it
  const cell = "cell" in step ? step.cell : undefined;
  const unit = "unit" in step ? { unit: step.unit } : {};
  events.emit({ kind: "step", step: step.kind, ...unit, text: step.reason }, cell);
}
