// Every verb that changes something, by its name: the one table the pipeline is given.

import type { AnyVerb } from "../change/pipeline.js";
import type { RequestOf, VerbName } from "../control.js";
import type { Verb } from "../change/verb.js";

import { clone } from "./clone.js";
import { down } from "./down.js";
import { freeze, thaw } from "./freeze.js";
import { halt, resumeWith } from "./halt.js";
import { rollback } from "./rollback.js";
import { destroySnapshot, snapshot } from "./snapshot.js";
import { bringUp } from "./start-up.js";
import { restart, start, stop } from "./units.js";
import { up } from "./up.js";
import { upgrade } from "./upgrade.js";

export type Verbs = Readonly<Record<VerbName, AnyVerb>>;

/** @param converge brings up what is desired, in the background */
export function makeVerbs(converge: () => void): Verbs {
  const verbs = {
    ...{ up, upgrade, clone, rollback, start, stop, restart, freeze, thaw, down, halt, snapshot },
    ...{ resume: resumeWith(converge), "destroy-snapshot": destroySnapshot, converge: bringUp },
  } satisfies { readonly [Name in VerbName]: Pick<Verb<RequestOf<Name>, unknown>, "aim"> };
  // Each is only ever given its own request, and what it has kept itself.
  return verbs as unknown as Verbs;
}
