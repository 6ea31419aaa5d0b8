// A daemon that is killed inside a verb that brings a monolith up or all of them down: done or undone, and nothing left of it that
// the record does not explain.

import { killInside } from "./seeds.js";
import { KILLED } from "./verbs.js";

killInside(KILLED.up);
