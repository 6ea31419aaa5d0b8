// A daemon that is killed inside a verb that makes or destroys data: done or undone, and nothing left of it that the
// record does not explain. killed.test.ts has the verbs that change what runs.

import { killInside } from "./killed/seeds.js";
import { DATA } from "./killed/verbs.js";

killInside(DATA);
