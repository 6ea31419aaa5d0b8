// Removes one defence in a copy of the checkout and runs the test that should notice.

import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const CHECKOUT = fileURLToPath(new URL("../..", import.meta.url));
const COPIED = [
  "src",
  "test",
  "proto",
  "cells",
  "examples",
  "bench",
  "docs",
  "package.json",
  "tsconfig.json",
  "tsconfig.build.json",
  "vitest.config.ts",
];
const DEADLINE_MS = 300_000;

export interface Mutation {
  /** What no longer holds, as the end of «notices that …». */
  readonly name: string;
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly from: string;
  readonly to: string;
  /** The file of the test that must fail. */
  readonly test: string;
  /** It tests what `npm run build` makes. */
  readonly built?: true;
}

const run = promisify(execFile);

/** @returns what the test said; `failed` when it noticed */
export async function tryMutation(
  mutation: Mutation,
): Promise<{ readonly failed: boolean; readonly said: string }> {
  const copy = await mkdtemp(join(tmpdir(), "henge-mutation-"));
  try {
    for (const name of COPIED)
      await cp(join(CHECKOUT, name), join(copy, name), { recursive: true });
    await symlink(join(CHECKOUT, "node_modules"), join(copy, "node_modules"));
    await mutate(join(copy, mutation.file), mutation);
    if (mutation.built === true) await run("npm", ["run", "--silent", "build"], { cwd: copy });
    const vitest = join(copy, "node_modules/vitest/vitest.mjs");
    return await run(process.execPath, [vitest, "run", "--bail=1", mutation.test], {
      cwd: copy,
      timeout: DEADLINE_MS,
    }).then(
      ({ stdout }) => ({ failed: false, said: stdout }),
      (error: unknown) => ({ failed: isTestFailure(error), said: String(error) }),
    );
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

async function mutate(path: string, { name, from, to }: Mutation): Promise<void> {
  const text = await readFile(path, "utf8");
  const count = text.split(from).length - 1;
  if (count !== 1)
    throw new Error(`${name}: ${JSON.stringify(from)} stands ${String(count)} times in ${path}`);
  await writeFile(
    path,
    text.replace(from, () => to),
  );
}

/** vitest ends with 1 when a test failed; a run that hung or could not begin has shown nothing. */
function isTestFailure(error: unknown): boolean {
  return (
    error instanceof Error &&
    "code" in error &&
    error.code === 1 &&
    "stdout" in error &&
    /\d+ failed/.test(String(error.stdout))
  );
}
