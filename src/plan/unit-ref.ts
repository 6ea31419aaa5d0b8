// How a unit is named across a monolith.

import type { UnitRef } from "../spec/index.js";

/** `CELL:UNIT`, as an operator writes it. */
export function unitKey({ cell, unit }: UnitRef): string {
  return `${cell}:${unit}`;
}
