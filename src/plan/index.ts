export { describeStep } from "./describe.js";
export { missingControllers } from "./limits.js";
export { missingNodes, placeCells } from "./place.js";
export type { MissingController } from "./limits.js";
export { planMonolith } from "./monolith.js";
export type { PlanFacts } from "./monolith.js";
export type { BlockedStart } from "./unit-change.js";
export { unitKey } from "./unit-ref.js";
export { blockedStarts, planRestart, planStart, planStop } from "./verbs.js";
