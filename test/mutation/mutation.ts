// Removes one defence in a copy of the checkout and runs the test that should notice.

import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const CHECKOUT = fileURLToPath(new URL("../..", import.meta.url));
const COPIED = [
  "dist",
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
/** Links stay links, and what make(1) compares stays as it is. */
const KEEPING = { recursive: true, preserveTimestamps: true, verbatimSymlinks: true };
const DEADLINE_MS = 300_000;

export interface Edit {
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly from: string;
  readonly to: string;
}

export interface Mutation extends Edit {
  /** What no longer holds, as the end of «notices that …». */
  readonly name: string;
  /** The defence in front of a second line: with it in place nothing would be seen. Removed as well. */
  readonly also?: Edit;
  /** The file of the test that must fail. */
  readonly test: string;
  /** Its name, that of its `describe` before it: `a cell > keeps its files`. That others fail shows nothing. */
  readonly fails: string;
  /** It tests what `npm run build` makes. */
  readonly built?: true;
}

export interface Outcome {
  /** Names of the tests that failed; undefined when they did not run to their end, which shows nothing. */
  readonly failed: readonly string[] | undefined;
  readonly said: string;
}

/** What vitest's `json` reporter writes, as far as it is read here. */
interface Report {
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[];
      readonly title: string;
      readonly status: string;
    }[];
  }[];
}

const run = promisify(execFile);

/**
 * Runs tests in a copy of the checkout that was edited.
 */
export async function runInCopy(
  mutation: Pick<Mutation, "test" | "built"> & { readonly file?: string },
  change: (copy: string) => Promise<void>,
): Promise<Outcome> {
  const copy = await mkdtemp(join(tmpdir(), "henge-mutation-"));
  try {
    for (const name of COPIED) await cp(join(CHECKOUT, name), join(copy, name), KEEPING);
    await symlink(join(CHECKOUT, "node_modules"), join(copy, "node_modules"));
    await change(copy);
    if (mutation.built === true) await build(copy, mutation.file ?? "");
    return await runTests(copy, mutation.test);
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

/** What the checkout has built is there already: make(1) sees what is newer, and for C nothing else is asked. */
async function build(copy: string, edited: string): Promise<void> {
  const script = edited.endsWith(".c") ? "build:c" : "build";
  await run("npm", ["run", "--silent", script], { cwd: copy });
}

async function runTests(copy: string, test: string): Promise<Outcome> {
  const report = join(copy, "report.json");
  const vitest = join(copy, "node_modules/vitest/vitest.mjs");
  const argv = [vitest, "run", "--reporter=json", `--outputFile=${report}`, test];
  const said = await run(process.execPath, argv, { cwd: copy, timeout: DEADLINE_MS }).then(
    ({ stdout }) => stdout,
    String,
  );
  const text = await readFile(report, "utf8").catch(() => undefined);
  if (text === undefined) return { failed: undefined, said };
  const { testResults } = JSON.parse(text) as Report;
  const failed = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ status }) => status === "failed")
    .map(({ ancestorTitles, title }) => [...ancestorTitles, title].join(" > "));
  return { failed, said: [said, ...testResults.map(({ message }) => message)].join("\n") };
}

export async function mutate(copy: string, mutation: Mutation): Promise<void> {
  await edit(copy, mutation);
  if (mutation.also !== undefined) await edit(copy, mutation.also);
}

async function edit(copy: string, { file, from, to }: Edit): Promise<void> {
  const path = join(copy, file);
  const text = await readFile(path, "utf8");
  const count = text.split(from).length - 1;
  if (count !== 1)
    throw new Error(`${JSON.stringify(from)} stands ${String(count)} times in ${path}`);
  await writeFile(
    path,
    text.replace(from, () => to),
  );
}
