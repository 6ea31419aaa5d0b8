// What the pipeline needs to know of a verb: who may ask for it when, as data; what it looks at; what it does.

import type { MonolithName } from "../../spec/index.js";

import type { Context } from "../context.js";
import type { VerbName } from "../control.js";
import type { Change } from "./change.js";

/** When a verb may run. Looked at in one place, before anything else of it. */
export interface Preconditions {
  /** Whether it may run while everything is halted; else what it would do, for the refusal: `cannot ACT: …`. */
  readonly whileHalted: true | { readonly act: string };
  /** Changes of the same monolith it ends and waits for; any other one under way is BUSY. */
  readonly interrupts: readonly VerbName[];
  /** Waits for the end of what is under way and cannot be interrupted. */
  readonly waits?: true;
  /** Makes and mounts the pool first. */
  readonly needsPool: boolean;
  /** Ends a rollback that was interrupted first. */
  readonly finishesRollback: boolean;
}

export interface Aim {
  /** Absent: all of them. */
  readonly monolith?: MonolithName;
  /** For people, e.g. `shop/web:puma`. */
  readonly target: string;
  /** It has neither volumes nor images: whatever the verb needs, the pool is not asked. */
  readonly isWithoutPool?: boolean;
}

/** `Kept` is what a verb writes down before it changes anything: JSON can say it, and it is all that `carryOut` needs. */
export interface Verb<Asked, Kept> {
  /** As the audit trail has it; the name of the verb when absent. */
  readonly title?: (asked: Asked) => string;
  readonly admits: Preconditions;
  /** What is asked for. Refuses what can be refused by the request alone. */
  readonly aim: (context: Context, asked: Asked) => Aim | Promise<Aim>;
  /** Looks, decides and refuses; changes nothing. */
  readonly prepare: (change: Change, asked: Asked) => Promise<Kept>;
  /** Does it. */
  readonly carryOut: (change: Change, kept: Kept) => Promise<void>;
  /** In the next daemon, when the one before was killed on the way: on, or back. As `carryOut` when absent. */
  readonly resume?: (change: Change, kept: Kept) => Promise<void>;
}
