// A tired reader does what a hint says: no hint may name a verb that destroys data, whatever it is about (faults K1.6).

import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";

import { expect, it } from "vitest";

import { packageDirectory } from "../../src/package.js";

it("no hint of any error names a verb that destroys data", async () => {
  const src = join(packageDirectory, "src");
  const files = (await readdir(src, { recursive: true })).filter((name) => name.endsWith(".ts"));
  const hints: string[] = [];
  for (const file of files) {
    const text = await readFile(join(src, file), "utf8");
    for (const [, hint = ""] of text.matchAll(/\bhint:\s*([`"'][^\n]*)/g)) hints.push(hint);
  }
  expect(hints.length).toBeGreaterThan(50);
  expect(hints.filter((hint) => /destroy-data|destroy-snapshot|--yes/.test(hint))).toEqual([]);
});
