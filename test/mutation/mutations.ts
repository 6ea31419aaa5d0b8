// The defences, each with the edit that removes it and the test that must then fail.

import { ADJUST } from "./adjust.js";
import { ADOPTION } from "./adoption.js";
import { CELL_BOUNDARY } from "./boundary.js";
import { BUDGETS } from "./budgets.js";
import { DAEMON } from "./daemon.js";
import { HANDOVER } from "./handover.js";
import { KERNEL } from "./kernel.js";
import { LOGS } from "./logs.js";
import { MANIFEST } from "./manifest.js";
import type { Mutation } from "./mutation.js";
import { NETWORK } from "./network.js";
import { OPERATIONS } from "./operations.js";
import { PACKAGE } from "./package.js";
import { PREFLIGHT } from "./preflight.js";
import { SNAPSHOTS } from "./snapshots.js";
import { STORAGE } from "./storage.js";
import { STORE } from "./store.js";
import { TOOLS } from "./tools.js";
import { WARDEN } from "./warden.js";

export const MUTATIONS: readonly Mutation[] = [
  ...ADJUST,
  ...ADOPTION,
  ...BUDGETS,
  ...DAEMON,
  ...KERNEL,
  ...LOGS,
  ...MANIFEST,
  ...NETWORK,
  ...OPERATIONS,
  ...STORAGE,
  ...STORE,
  ...TOOLS,
  ...WARDEN,
  ...CELL_BOUNDARY,
  ...HANDOVER,
  ...SNAPSHOTS,
  ...PACKAGE,
  ...PREFLIGHT,
];
