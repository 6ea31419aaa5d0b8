// The way back: a change that could not put its manifest in place ends where it began.

import { HengeError } from "../../errors.js";
import type { Desired } from "../../spec/index.js";

import { withDeadline } from "../clock.js";
import { note } from "./change.js";
import type { Change } from "./change.js";
import { reach } from "./reach.js";

const RETURN_DEADLINE_MS = 30 * 60_000;

/**
 * Brings back what ran before, with a deadline of its own: what was interrupted goes back all the same.
 * @param before undefined: nothing did; its volumes stay
 * @returns the error, which says where the monolith is now
 */
export async function goBack(
  change: Change,
  before: Desired | undefined,
  error: unknown,
): Promise<unknown> {
  const { context, monolith, verb } = change;
  const act = `cannot ${verb} ${monolith}`;
  note(
    change,
    before === undefined ? "taking down what was begun" : "going back to what ran before",
  );
  try {
    await withDeadline(context.ports.clock, RETURN_DEADLINE_MS, (signal) =>
      reach(
        { ...change, signal },
        before === undefined ? { kind: "nothing" } : { kind: "monolith", desired: before },
      ),
    );
    if (before !== undefined) context.cells.dependencies.declare([before.spec]);
    else await context.ports.network.sweep(context.cells.names());
  } catch (failure) {
    return new HengeError(
      failure instanceof HengeError ? failure.code : "INTERNAL",
      `${act}: ${textOf(error)}; and it could not go back: ${textOf(failure)}`,
      { cause: error, hint: "what ran before is desired again: henge ps shows what is missing" },
    );
  }
  if (!(error instanceof HengeError)) return error;
  const now = before === undefined ? "nothing of it runs" : "it is back on what ran before";
  return new HengeError(error.code, `${act}: ${error.message}; ${now}`, {
    cause: error,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  });
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
