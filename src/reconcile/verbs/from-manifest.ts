// What every verb has in common that is given a manifest: when it may run, and which monolith it is about.

import { parseManifest } from "../../manifest/index.js";

import type { Preconditions, Verb } from "../change/verb.js";
import type { RequestOf } from "../control.js";

type FromManifest = Pick<Verb<RequestOf<"up" | "upgrade">, unknown>, "admits" | "aim">;

/** @param act what it does to the monolith, for a refusal: `cannot ACT: everything is halted` */
export function fromManifest(act: string): FromManifest {
  const admits: Preconditions = {
    whileHalted: { act },
    interrupts: [],
    needsPool: true,
    finishesRollback: true,
  };
  return {
    admits,
    aim: (_context, { source }) => {
      const { name, volumes, images } = parseManifest(source);
      const isWithoutPool = volumes.length + images.length === 0;
      return { monolith: name, target: name, ...(isWithoutPool ? { isWithoutPool } : {}) };
    },
  };
}
