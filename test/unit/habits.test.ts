// The habits that ESLint keeps are themselves tested: a rule that no longer bites is noticed here.

import { readFileSync, readdirSync } from "node:fs";

import { ESLint, type Linter } from "eslint";
import { describe, expect, it } from "vitest";

import { parseManifest } from "../../src/manifest/index.js";
import { MUTATIONS } from "../mutation/mutations.js";

const eslint = new ESLint();
const LOADING_TYPES_MS = 60_000;

/** The rules that refuse `text` in place of the file at `path`. */
async function refusals(path: string, text: string): Promise<(string | null)[]> {
  const [result] = await eslint.lintText(text, { filePath: path });
  return result!.messages.map((message) => message.ruleId);
}

describe("the arrows", { timeout: LOADING_TYPES_MS }, () => {
  const folders = readdirSync("src", { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );

  it.each(folders)("hold every folder of src/: $name", async ({ name }) => {
    const config = (await eslint.calculateConfigForFile(`src/${name}/index.ts`)) as Linter.Config;
    expect(config.rules).toHaveProperty("@typescript-eslint/no-restricted-imports");
  });

  it.each([
    ["the core Node's modules", "src/plan/index.ts", 'export * from "node:fs";'],
    ["the core an edge", "src/supervise/index.ts", 'export * from "../kernel/port.js";'],
    ["the core gRPC", "src/manifest/index.ts", 'export * from "@grpc/grpc-js";'],
    ["an edge another edge", "src/kernel/cgroup.ts", 'export * from "../network/port.js";'],
    [
      "the loop more than an edge's port",
      "src/reconcile/verbs/up.ts",
      'export * from "../../warden/client.js";',
    ],
    ["the CLI the reconciler", "src/cli/client.ts", 'export * from "../reconcile/control.js";'],
  ])("refuse %s", async (_what, path, text) => {
    expect(await refusals(path, text)).toContain("@typescript-eslint/no-restricted-imports");
  });

  it("let the loop have an edge's port as a type, and only so", async () => {
    const path = "src/reconcile/verbs/up.ts";
    const [port, rule] = ['"../../warden/port.js"', "@typescript-eslint/no-restricted-imports"];
    expect(await refusals(path, `export type { Warden } from ${port};`)).not.toContain(rule);
    expect(await refusals(path, `export { Warden } from ${port};`)).toContain(rule);
  });
});

describe("the core", { timeout: LOADING_TYPES_MS }, () => {
  it.each(["process.pid", "Date.now()", "setTimeout(String, 1)", "Math.random()"])(
    "has no %s",
    async (text) => {
      const rules = await refusals("src/plan/index.ts", `export const value = ${text};`);
      expect(rules.filter((rule) => rule?.startsWith("no-restricted-"))).toHaveLength(1);
    },
  );
});

describe("an RPC handler", { timeout: LOADING_TYPES_MS }, () => {
  const bare = (parameters: string): string => `
    import type { ServerUnaryCall, handleUnaryCall } from "@grpc/grpc-js";
    export const get: handleUnaryCall<unknown, unknown> = async (${parameters}) => {
      await Promise.resolve(${parameters});
    };
    export type Call = ServerUnaryCall<unknown, unknown>;`;

  it("may not be a bare async function, whatever its parameter is called", async () => {
    const rules = await refusals("src/api/rpc/get.ts", bare("request"));
    expect(rules).toEqual(["@typescript-eslint/no-misused-promises"]);
  });

  it("may not be a bare async function of a call", async () => {
    expect(await refusals("src/api/rpc/get.ts", bare("call"))).toContain("no-restricted-syntax");
  });
});

describe("the README", () => {
  it("shows a manifest that is valid", () => {
    const [, text = ""] = /```yaml\n([^]*?)```/.exec(readFileSync("README.md", "utf8")) ?? [];
    expect(parseManifest({ file: "README.md", directory: "/", text }).name).toBe("shop");
  });
});

describe("the mutations", () => {
  it("name what stands exactly once in their file, so that none of them rots unseen", () => {
    const rotten = MUTATIONS.filter(
      ({ file, from }) => readFileSync(file, "utf8").split(from).length !== 2,
    );
    expect(rotten.map(({ name }) => name)).toEqual([]);
  });

  it("name a test that stands in their file", () => {
    // Of a row of tests that are written once, the words before what differs.
    const isThere = (text: string, title: string): boolean =>
      text.includes(JSON.stringify(title).slice(1, -1)) ||
      [...text.matchAll(/"([^"\n]*%[sijof][^"\n]*)"/g)].some(([, row = ""]) =>
        row.split(/%[sijof]/).every((words) => title.includes(words)),
      );
    const lost = MUTATIONS.filter(({ test, fails }) => {
      const text = readFileSync(test, "utf8");
      return !isThere(text, fails.split(" > ").at(-1) ?? "");
    });
    expect(lost.map(({ name, fails }) => `${name}: ${fails}`)).toEqual([]);
  });
});
