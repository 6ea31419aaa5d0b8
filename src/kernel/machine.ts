// Which machine this is: the same from its installation on, another on every other machine.

import { readFile } from "node:fs/promises";

import { HengeError, errnoOf } from "../errors.js";

const PATH = "/etc/machine-id";

/**
 * 32 hex digits.
 * @throws {HengeError} WRONG_STATE: this machine has none
 * @see machine-id(5)
 */
export async function readMachineId(): Promise<string> {
  const text = await readFile(PATH, "utf8").catch((error: unknown) => errnoOf(error));
  if (/^[0-9a-f]{32}\n?$/.test(text)) return text.trimEnd();
  throw new HengeError("WRONG_STATE", `cannot tell this machine from others: ${PATH} has no id`, {
    hint: "systemd-machine-id-setup makes one",
  });
}
