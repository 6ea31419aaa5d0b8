export { adoptedLife } from "./adopt.js";
export type { AdoptedUnit } from "./adopt.js";
export { newLife } from "./life.js";
export type { Phase, Transition, UnitEffect, UnitEvent, UnitLife } from "./life.js";
export { isUp, lifeToState } from "./state.js";
export type { VisibleState } from "./state.js";
export { advance } from "./unit.js";
