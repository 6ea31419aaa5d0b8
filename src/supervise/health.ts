// A unit that runs, but not as it should: shown as degraded, and never restarted for it.

import type { Transition, UnitLife } from "./life.js";

/** @param doubt what its health probe saw; undefined when it is well */
export function onHealth(life: UnitLife, doubt: string | undefined): Transition {
  const { phase } = life;
  if (phase.kind !== "running") return { state: life, effects: [] };
  const { doubt: _, ...well } = phase;
  return {
    state: { ...life, phase: doubt === undefined ? well : { ...well, doubt } },
    effects: [],
  };
}
