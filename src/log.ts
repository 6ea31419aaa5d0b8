// The daemon's own log: one JSON object per line on standard error, errors with the chain of their causes.

import { pino } from "pino";
import type { DestinationStream, Logger } from "pino";

export type { Logger } from "pino";

/** Written at once: a line said before a crash is not lost. */
export function createLogger(
  destination: DestinationStream = pino.destination({ dest: 2, sync: true }),
): Logger {
  return pino({ timestamp: pino.stdTimeFunctions.isoTime }, destination);
}
