// `henge` as a process among others: what it prints, when its reader is slow or gone.

import { spawnSync } from "node:child_process";

import { expect, it } from "vitest";

import { manifestJsonSchema } from "../../src/manifest/index.js";

const PIPE_BYTES = 65_536;

/** `henge schema` into a pipe (Node.js would make it a socket, which holds more) that `reader` reads. */
function schemaInto(reader: string): { readonly status: number | null; readonly stdout: string } {
  const script = `"$@" | { ${reader}; }`;
  const words = [process.execPath, "dist/src/cli/main.js", "schema"];
  const { status, stdout, stderr } = spawnSync(
    "bash",
    ["-o", "pipefail", "-c", script, "bash", ...words],
    { encoding: "utf8" },
  );
  expect(stderr).toBe("");
  return { status, stdout };
}

it("has printed all of it when it ends, also into a pipe that is read slowly", () => {
  const schema = `${JSON.stringify(manifestJsonSchema(), null, 2)}\n`;
  expect(schema.length).toBeGreaterThan(PIPE_BYTES);
  expect(schemaInto("sleep 3; cat")).toEqual({ status: 0, stdout: schema });
});

it("ends without a word when its reader has gone", () => {
  expect(schemaInto("exec true")).toEqual({ status: 0, stdout: "" });
});
