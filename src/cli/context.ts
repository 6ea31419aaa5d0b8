// What every verb is given: where it writes, in which form, and the daemon when it asks for one.

import { resolve } from "node:path";

import { rootPaths } from "../root.js";
import { usage } from "./arguments.js";
import { PATIENCE_MS, connect } from "./client.js";
import type { Client } from "./client.js";
import type { Io } from "./io.js";
import { json } from "./text.js";

export type Form = "text" | "json";

export interface Context {
  readonly io: Io;
  readonly form: Form;
  /** Writes the verb's result: `value` as JSON, or what `text` makes of it. */
  print(value: unknown, text: () => string): void;
  /** Instead of 0, when the verb ends without an error. */
  exitWith(code: number): void;
  /** How long a daemon that is being started is waited for. */
  readonly patienceMs: number;
  /** Connects, uses, and lets go of the daemon of the chosen root. */
  withDaemon<Result>(use: (client: Client) => Promise<Result>): Promise<Result>;
}

export function makeContext(
  io: Io,
  form: Form,
  rootOption: string | undefined,
  exitWith: (code: number) => void,
): Context {
  const chosen = rootOption ?? io.env["HENGE_ROOT"] ?? "";
  const root = chosen === "" ? undefined : resolve(io.cwd, chosen);
  return {
    io,
    form,
    exitWith,
    patienceMs: patience(io),
    print(value, text) {
      io.stdout.write(form === "json" ? json(value, 2) : text());
    },
    async withDaemon(use) {
      const client = await connect(
        rootPaths(root).socket,
        startHint(root),
        patience(io),
        callerOf(io),
      );
      try {
        return await use(client);
      } finally {
        client.close();
      }
    },
  };
}

/** Who asks, for the record of the operation: the socket itself is open to root alone. */
function callerOf({ env }: Io): string {
  const sudo = env["SUDO_USER"] ?? "";
  const user = env["USER"] ?? env["LOGNAME"] ?? "root";
  return sudo === "" ? user : `${sudo} (sudo)`;
}

/** @throws {HengeError} USAGE: it is no number of seconds */
function patience({ env }: Io): number {
  const text = env["HENGE_PATIENCE"] ?? "";
  if (text === "") return PATIENCE_MS;
  const seconds = Number(text);
  if (seconds > 0 && seconds <= 3_600) return seconds * 1_000;
  throw usage(
    `cannot wait ${text} for a daemon: HENGE_PATIENCE is a number of seconds, up to 3600`,
  );
}

function startHint(root: string | undefined): string {
  const command = root === undefined ? "henged" : `henged --root ${root}`;
  return `start it as root: ${command} (in a checkout: npm run up)`;
}
