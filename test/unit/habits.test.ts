// The habits that ESLint keeps are themselves tested: a rule that no longer bites is noticed here.

import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";

import { ESLint, type Linter } from "eslint";
import ts from "typescript";
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
    [
      "the doctor more than an edge's port",
      "src/doctor/findings/clock.ts",
      'export * from "../../kernel/host.js";',
    ],
    ["the CLI the reconciler", "src/cli/client.ts", 'export * from "../reconcile/control.js";'],
    [
      "what is under a change the change",
      "src/reconcile/cells/cells.ts",
      'export * from "../change/reach.js";',
    ],
    ["a change the verbs", "src/reconcile/change/reach.ts", 'export * from "../verbs/up.js";'],
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

type Graph = ReadonlyMap<string, readonly string[]>;

/** What is in a circle, or between two. */
function circlesIn(graph: Graph): readonly string[] {
  const heads = new Set([...graph.values()].flat());
  const kept = [...graph]
    .filter(([tail]) => heads.has(tail))
    .map(([tail, to]) => [tail, to.filter((head) => graph.has(head))] as const)
    .filter(([, to]) => to.length > 0);
  return kept.length === graph.size ? [...graph.keys()] : circlesIn(new Map(kept));
}

/** Of every file of src/ what it imports there, types too. */
function importsOfSrc(): Graph {
  const paths = readdirSync("src", { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !path.startsWith("api/gen/"))
    .map((path) => join("src", path));
  const importsOf = (path: string): string[] =>
    ts
      .preProcessFile(readFileSync(path, "utf8"))
      .importedFiles.filter(({ fileName }) => fileName.startsWith("."))
      .map(({ fileName }) => join(dirname(path), fileName.replace(/\.js$/, ".ts")));
  return new Map(paths.map((path) => [path, importsOf(path)]));
}

/** As a graph of folders; the files of a folder that has others in it stand alone. */
function betweenFolders(graph: Graph): Graph {
  const folders = new Set([...graph.keys()].map((path) => dirname(path)));
  const parents = new Set([...folders].map((folder) => dirname(folder)));
  const place = (path: string): string => (parents.has(dirname(path)) ? path : dirname(path));
  const places = new Map<string, string[]>();
  for (const [path, to] of graph) {
    const from = place(path);
    const others = to.map(place).filter((other) => other !== from);
    places.set(from, [...(places.get(from) ?? []), ...others]);
  }
  return places;
}

describe("imports", { timeout: LOADING_TYPES_MS }, () => {
  it("in a circle are refused by the linter, where values are imported", async () => {
    const text = 'export { run } from "./command.js";';
    expect(await refusals("src/errno.ts", text)).toContain("import-x/no-cycle");
    expect(await refusals("src/memory.ts", text)).not.toContain("import-x/no-cycle");
  });

  it("are in no circle, of types neither", () => {
    expect(importsOfSrc().size).toBeGreaterThan(200);
    expect(circlesIn(importsOfSrc())).toEqual([]);
  });

  it("are in no circle of folders", () => {
    expect(circlesIn(betweenFolders(importsOfSrc()))).toEqual([]);
  });

  it("in a circle would be seen there", () => {
    const graph: Graph = new Map([
      ["src/main.ts", ["src/a/one.ts"]],
      ["src/a/one.ts", ["src/b/one.ts"]],
      ["src/b/one.ts", ["src/log.ts"]],
      ["src/b/two.ts", ["src/a/two.ts"]],
      ["src/a/two.ts", []],
      ["src/log.ts", []],
    ]);
    expect(circlesIn(graph)).toEqual([]);
    expect(circlesIn(betweenFolders(graph))).toEqual(["src/a", "src/b"]);
    expect(circlesIn(new Map([...graph, ["src/log.ts", ["src/a/one.ts"]]]))).toEqual([
      "src/a/one.ts",
      "src/b/one.ts",
      "src/log.ts",
    ]);
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
