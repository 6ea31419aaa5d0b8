// An operation: one change somebody asked for, from its beginning to its outcome. It outlives the daemon and its client.

/**
 * The same words in proto, JSON and tables. Running: under way, or taken up again by this daemon; failed: `error` says why and
 * what it left; cancelled: somebody ended it, and `error` says what it left; unreadable: its record cannot be read, and nothing
 * is done about it.
 */
export type OperationState = "running" | "done" | "failed" | "cancelled" | "unreadable";

export interface OperationError {
  /** An ErrorCode. */
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

export interface Operation {
  readonly id: string;
  /** e.g. `up`. */
  readonly verb: string;
  /** A monolith, a cell or `CELL:UNIT`; `all` for every monolith. */
  readonly target: string;
  /** Who asked, as their client says; `henged` for the daemon itself. */
  readonly caller: string;
  readonly state: OperationState;
  /** How far it is, in a word or two. */
  readonly phase: string;
  readonly startedAtMs: number;
  readonly endedAtMs?: number;
  readonly error?: OperationError;
}
