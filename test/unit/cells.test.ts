// Every manifest in the repository must be one that Henge takes.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

import { describe, expect, it } from "vitest";

import { ManifestError } from "../../src/errors.js";
import { parseManifest } from "../../src/manifest/index.js";
import {
  describeRefused,
  describeStep,
  planBudgets,
  planMonolith,
  planRestart,
} from "../../src/plan/index.js";
import type { MonolithSpec } from "../../src/spec/index.js";
import { cellStatus, observed, ref } from "../fixture/index.js";

const ROOT = resolve(import.meta.dirname, "../..");

function findManifests(directory: string): readonly string[] {
  return readdirSync(join(ROOT, directory), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.ya?ml$/.test(name))
    .map((name) => join(directory, name));
}

/** Parses a manifest of the repository; the error says every problem in words. */
function parseFile(file: string): MonolithSpec {
  const path = join(ROOT, file);
  try {
    return parseManifest({ file, directory: dirname(path), text: readFileSync(path, "utf8") });
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    const lines = error.problems.map(
      (at) => `${String(at.line)}:${String(at.column)} ${at.path} ${at.text}`,
    );
    throw new Error([error.message, ...lines].join("\n"), { cause: error });
  }
}

const manifests = [...findManifests("cells"), ...findManifests("examples")];

it("finds the manifests that are there", () => {
  expect(manifests).toContain("cells/mastodon/mastodon.yaml");
  expect(manifests).toContain("examples/minimal/henge.yaml");
});

it.each(manifests)("takes %s", (file) => {
  expect(parseFile(file).cells.length).toBeGreaterThan(0);
});

describe("cells/mastodon/mastodon.yaml", () => {
  const spec = parseFile("cells/mastodon/mastodon.yaml");
  const units = spec.cells.flatMap((cell) =>
    cell.units.map((unit) => ({ cell: cell.name, ...unit })),
  );
  const find = (name: string) => units.find((unit) => unit.name === name);

  it("gives every server a cell of its own", () => {
    expect(spec.cells.map(({ name }) => name)).toEqual([
      "mastodon",
      "mastodon/postgres",
      "mastodon/redis",
      "mastodon/migrate",
      "mastodon/web",
      "mastodon/streaming",
      "mastodon/sidekiq",
    ]);
  });

  it("keeps the seed's paths", () => {
    const web = spec.cells.find(({ name }) => name === "mastodon/web");
    expect(web?.boundary.mounts[0]?.path).toBe("/var/lib/mastodon");
    expect(web?.boundary.files).toEqual([
      { source: "/etc/mastodon.conf", path: "/var/lib/mastodon/.env.production" },
    ]);
    const postgres = spec.cells.find(({ name }) => name === "mastodon/postgres");
    expect(postgres?.boundary.mounts[0]?.path).toBe("/var/lib/postgres");
  });

  it("gives Sidekiq the 25 s it needs to push unfinished jobs back", () => {
    expect(find("sidekiq")?.stop).toEqual([
      { kind: "signal", signal: "SIGTSTP" },
      { kind: "wait", ms: 5_000 },
      { kind: "signal", signal: "SIGTERM" },
      { kind: "wait", ms: 30_000 },
    ]);
  });

  it("stops PostgreSQL by its fast shutdown", () => {
    expect(find("postgres")?.stop[0]).toEqual({ kind: "signal", signal: "SIGINT" });
  });

  it("counts Puma's end by TERM as clean and holds its socket", () => {
    expect(find("puma")?.cleanExits).toEqual([0, "SIGTERM", 143]);
    expect(find("puma")?.listen).toEqual([{ name: "web", address: "0.0.0.0", port: 3000 }]);
    expect(find("puma")?.env).toMatchObject({ BIND: "0.0.0.0", PORT: "3000" });
  });

  it("restarts streaming whatever its exit status", () => {
    expect(find("streaming-4000")?.restart.policy).toBe("always");
    expect(find("streaming-4000")?.env).toMatchObject({ PORT: "4000" });
    expect(find("streaming-4000")?.nofile).toBe(65_536);
  });

  it("asks every server for what its own health page does not tell", () => {
    expect(find("postgres")?.health?.probe).toMatchObject({ kind: "exec" });
    expect(find("redis")?.health?.probe).toMatchObject({ kind: "exec" });
    expect(find("puma")?.health?.probe).toMatchObject({ status: [200, 404] });
    expect(find("streaming-4000")?.health?.probe).toMatchObject({ status: [401] });
  });

  it.each(["puma", "streaming-4000", "sidekiq"])(
    "starts %s after migration, PostgreSQL and Redis",
    (name) => {
      expect(find(name)?.after).toEqual([
        { cell: "mastodon/postgres", unit: "postgres" },
        { cell: "mastodon/redis", unit: "redis" },
        { cell: "mastodon/migrate", unit: "migrate" },
      ]);
    },
  );

  it("counts what it takes of PostgreSQL and Redis, and has one owner of the scheduler", () => {
    const host = {
      memoryBytes: 32 * 1024 ** 3,
      nofileMax: 1_048_576,
      nofileFrom: "",
      nofileDefault: 1024,
    };
    const rows = planBudgets(spec, [], host);
    expect(rows.map(({ name, doubled, limit }) => [name, doubled, limit])).toEqual([
      ["postgres-connections", expect.any(Number), 100],
      ["redis-clients", expect.any(Number), 1000],
      ["scheduler", 1, 1],
      ["descriptors of mastodon/redis:redis", 1064, 4096],
      ["nofile of mastodon/redis:redis", 4096, 1_048_576],
      ["nofile of mastodon/streaming:streaming-4000", 65_536, 1_048_576],
      ["memory.low", 1024 ** 3, 32 * 1024 ** 3],
      ["memory.max", 16 * 1024 ** 3, 32 * 1024 ** 3],
    ]);
    expect(describeRefused(rows)).toEqual([]);
  });

  it("plans to migrate before any server that needs the schema starts", () => {
    const nothing = { cells: [], volumes: [], images: [] };
    const offered = ["cpu", "cpuset", "memory", "io", "pids"] as const;
    const steps = planMonolith({ spec, stopped: [] }, nothing, { offered, keeps: [] }).map(
      describeStep,
    );
    const migrated = steps.indexOf("await mastodon/migrate:migrate");
    const servers = ["web:puma", "streaming:streaming-4000", "sidekiq:sidekiq"];
    const starts = servers.map((unit) => steps.indexOf(`start mastodon/${unit}`));
    expect(migrated).toBeGreaterThan(steps.indexOf("await mastodon/postgres:role"));
    expect(Math.min(...starts)).toBeGreaterThan(migrated);
  });

  it("restarts Puma by a second one, and never has two owners of a queue of Sidekiq's", () => {
    const cells = spec.cells.map((one) => cellStatus(one));
    const restart = (cell: string, unit: string): readonly string[] =>
      planRestart({ spec, stopped: [] }, observed(cells), [ref(`${cell}:${unit}`)]).map(
        describeStep,
      );
    expect(restart("mastodon/web", "puma")).toEqual(["hand-over mastodon/web:puma"]);
    expect(restart("mastodon/sidekiq", "sidekiq")).toEqual([
      "stop mastodon/sidekiq:sidekiq",
      "start mastodon/sidekiq:sidekiq",
      "await mastodon/sidekiq:sidekiq",
    ]);
  });
});
