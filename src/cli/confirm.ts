// Asks before data is destroyed: whoever means it types a name, or gives it beforehand.

import { usage } from "./arguments.js";
import type { Io } from "./io.js";

export interface Question {
  /** What cannot be done without the name, e.g. `destroy the data of redmine`. */
  readonly act: string;
  /** A sentence that says what would be lost. */
  readonly loss: string;
  /** What is typed; any of them. */
  readonly names: readonly string[];
  /** The option that gives the name beforehand, and what it gave. */
  readonly option: string;
  readonly given: string | undefined;
}

/** @throws {HengeError} USAGE: no name was said, or another */
export async function confirm(question: Question, io: Io): Promise<void> {
  const { act, names, option, given } = question;
  const [name = ""] = names;
  const said = given ?? (io.stdin.isTTY === true ? await ask(question, name, io) : undefined);
  if (said !== undefined && names.includes(said)) return;
  const message = `cannot ${act}: its name was not confirmed; nothing was changed`;
  throw usage(message, `type the name when asked, or give ${option} ${name}`);
}

async function ask({ loss }: Question, name: string, io: Io): Promise<string> {
  io.stderr.write(`${loss} Type ${name} to go on: `);
  let typed = "";
  for await (const chunk of io.stdin) {
    typed += chunk.toString();
    if (typed.includes("\n")) break;
  }
  return typed.split("\n")[0] ?? "";
}
