// A daemon that is killed inside a verb that changes what runs: done or undone, and nothing left of it that the record
// does not explain. killed-data.test.ts has the verbs that make or destroy data.

import { killInside } from "./killed/seeds.js";
import { RUNNING } from "./killed/verbs.js";

killInside(RUNNING);
