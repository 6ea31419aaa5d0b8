import type { Command } from "commander";

import { withManifest } from "../manifest-file.js";
import { printable } from "../text.js";
import { addVerb } from "../verb.js";
import type { Act } from "../verb.js";

export function addValidate(program: Command, act: Act): void {
  addVerb(
    program,
    "validate <file>",
    "tell what is wrong with a manifest; asks no daemon",
    "henge validate shop.yaml",
  ).action(
    act(async (context, _options, file: string) => {
      // eslint-disable-next-line no-restricted-syntax -- it takes as long to load as all the rest of henge
      const { parseManifest } = await import("../../manifest/index.js");
      const { name, cells } = await withManifest(file, context.io.cwd, parseManifest);
      const names = cells.map((cell) => cell.name);
      const text = `${file} is valid: ${names.join(", ")}`;
      context.print({ name, cells: names }, () => `${printable(text)}\n`);
    }),
  );
}
