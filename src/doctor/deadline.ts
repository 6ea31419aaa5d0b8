// Gives up waiting for what cannot be told to stop.

import { HengeError } from "../errors.js";

/** @throws {HengeError} DEADLINE: `what`, e.g. `ask the pool`, has no end after `ms`; it may go on unseen */
export async function within<T>(what: string, ms: number, act: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new HengeError("DEADLINE", `cannot ${what}: no end after ${String(ms)} ms`));
    }, ms);
  });
  try {
    return await Promise.race([act, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
