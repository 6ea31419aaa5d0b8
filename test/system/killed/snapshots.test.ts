// A daemon that is killed inside a verb that changes its snapshots, or goes back to one: done or undone, and nothing left of it that
// the record does not explain.

import { killInside } from "./seeds.js";
import { KILLED } from "./verbs.js";

killInside(KILLED.snapshots);
