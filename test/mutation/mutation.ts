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
  "packaging",
  "CHANGELOG.md",
  "package.json",
  "package-lock.json",
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
  /** The files, or folders, of the tests one of which must fail. */
  readonly test: string;
  /** It tests what `npm run build` makes. */
  readonly built?: true;
}

export interface Outcome {
  /** Broken: they did not run to their end, which shows nothing. */
  readonly outcome: "passed" | "failed" | "broken";
  readonly said: string;
}

const run = promisify(execFile);

/**
 * Runs tests in a copy of the checkout that was edited.
 */
export async function runInCopy(
  mutation: Pick<Mutation, "test" | "built">,
  edit: (copy: string) => Promise<void>,
): Promise<Outcome> {
  const copy = await mkdtemp(join(tmpdir(), "henge-mutation-"));
  try {
    for (const name of COPIED)
      await cp(join(CHECKOUT, name), join(copy, name), { recursive: true });
    await symlink(join(CHECKOUT, "node_modules"), join(copy, "node_modules"));
    await edit(copy);
    if (mutation.built === true) await run("npm", ["run", "--silent", "build"], { cwd: copy });
    const vitest = join(copy, "node_modules/vitest/vitest.mjs");
    return await run(process.execPath, [vitest, "run", "--bail=1", ...mutation.test.split(" ")], {
      cwd: copy,
      timeout: DEADLINE_MS,
    }).then(
      ({ stdout }) => ({ outcome: "passed" as const, said: stdout }),
      (error: unknown) => ({
        outcome: isTestFailure(error) ? ("failed" as const) : ("broken" as const),
        said: String(error),
      }),
    );
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

export async function mutate(copy: string, { name, file, from, to }: Mutation): Promise<void> {
  const path = join(copy, file);
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
