// The defences, each with the edit that removes it and the test that must then fail.

import { ADJUST } from "./adjust.js";
import { BUDGETS } from "./budgets.js";
import { DAEMON } from "./daemon.js";
import { HANDOVER } from "./handover.js";
import type { Mutation } from "./mutation.js";
import { PACKAGE } from "./package.js";
import { SNAPSHOTS } from "./snapshots.js";
import { WARDEN } from "./warden.js";

export const MUTATIONS: readonly Mutation[] = [
  ...ADJUST,
  ...BUDGETS,
  ...DAEMON,
  ...WARDEN,
  ...HANDOVER,
  ...SNAPSHOTS,
  ...PACKAGE,
];
