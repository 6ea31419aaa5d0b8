// What a client asks of its daemon, to the end of it: a daemon that goes away meanwhile is waited for and asked again. Restarts,
// upgrades of the package and kills end a daemon; the cells, the logs and the operations go on.

import { setTimeout as sleep } from "node:timers/promises";

import { HengeError } from "../errors.js";
import type { Client } from "./client.js";
import type { Context } from "./context.js";

const RETRY_MS = 200;

/**
 * @param ask begins, and from the second time on goes on where it was
 * @param canGoOn asked when the daemon is lost
 * @throws {HengeError} UNREACHABLE: no daemon is there, or it does not come back; whatever `ask` throws
 */
export async function attached<Result>(
  context: Context,
  ask: (daemon: Client) => Promise<Result>,
  canGoOn: () => boolean,
): Promise<Result> {
  let asked = 0;
  for (;;) {
    try {
      return await context.withDaemon((daemon) => {
        asked += 1;
        return ask(daemon);
      });
    } catch (error) {
      if (!isLost(error) || asked === 0 || !canGoOn()) throw error;
      await untilBack(context);
    }
  }
}

/** On standard error, where it does not stand between the lines of a result; JSON is for a program, which sees none of it. */
export function say({ form, io }: Context, text: string): void {
  if (form === "text") io.stderr.write(text);
}

async function untilBack(context: Context): Promise<void> {
  say(context, "the daemon is away; waiting for it\n");
  const end = performance.now() + context.patienceMs;
  for (;;) {
    await sleep(RETRY_MS);
    try {
      await context.withDaemon((daemon) => daemon.call("Version", {}));
      say(context, "the daemon is back\n");
      return;
    } catch (error) {
      if (!isLost(error) || performance.now() > end) throw error;
    }
  }
}

function isLost(error: unknown): boolean {
  return error instanceof HengeError && error.code === "UNREACHABLE";
}
