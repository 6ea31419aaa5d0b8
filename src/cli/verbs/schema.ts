import type { Command } from "commander";

import { json } from "../text.js";
import { addVerb } from "../verb.js";
import type { Act } from "../verb.js";

export function addSchema(program: Command, act: Act): void {
  addVerb(
    program,
    "schema",
    "print the JSON Schema of manifests; asks no daemon",
    "henge schema > henge.schema.json",
  ).action(
    act(async (context) => {
      // eslint-disable-next-line no-restricted-syntax -- it takes as long to load as all the rest of henge
      const { manifestJsonSchema } = await import("../../manifest/index.js");
      const schema = manifestJsonSchema();
      context.print(schema, () => json(schema, 2));
    }),
  );
}
