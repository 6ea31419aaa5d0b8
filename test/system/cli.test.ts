// `henge` as a process among others: what it prints, when its reader is slow or gone.

import { spawnSync } from "node:child_process";

import { expect, it } from "vitest";

import { manifestJsonSchema } from "../../src/manifest/index.js";

const PIPE_BYTES = 65_536;

/** Runs `henge` as "$@" of a script: what Node.js would give it for a pipe is a socket, which holds more. */
function run(
  script: string,
  ...words: readonly string[]
): { readonly status: number | null; readonly stdout: string } {
  const henge = [process.execPath, "dist/src/cli/main.js", ...words];
  const { status, stdout, stderr } = spawnSync(
    "bash",
    ["-o", "pipefail", "-c", script, "bash", ...henge],
    { encoding: "utf8" },
  );
  expect(stderr).toBe("");
  return { status, stdout };
}

it("has printed all of it when it ends, also into a pipe that is read slowly", () => {
  const schema = `${JSON.stringify(manifestJsonSchema(), null, 2)}\n`;
  expect(schema.length).toBeGreaterThan(PIPE_BYTES);
  expect(run('"$@" | { sleep 3; cat; }', "schema")).toEqual({ status: 0, stdout: schema });
});

it("ends without a word when its reader has gone", () => {
  expect(run('"$@" | true', "schema")).toEqual({ status: 0, stdout: "" });
});

it("says how it ended by its exit code when nobody hears its error", () => {
  const heard = run('"$@" 2>&1', "validate", "/nonexistent");
  expect(heard.stdout).toContain("cannot read /nonexistent");
  expect(heard.status).toBeGreaterThan(1);
  const unheard = run('{ sleep 1; "$@" 2>&1 >/dev/null; } | true', "validate", "/nonexistent");
  expect(unheard.status).toBe(heard.status);
});

it("says that its output could not be written, with an exit of its own", () => {
  expect(run('"$@" 2>&1 >/dev/full', "schema")).toEqual({
    status: 74,
    stdout:
      "henge: cannot write to standard output: there is no space left (ENOSPC); what the verb does is not undone\n",
  });
});
