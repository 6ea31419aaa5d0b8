// The manifest of a real Mastodon, planned by the built daemon over a root that holds what the manifest names.

import { execFileSync } from "node:child_process";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, expect, it } from "vitest";

import { parseManifest } from "../../src/manifest/index.js";
import { TestDaemon } from "../fixture/daemon.js";

const MASTODON = fileURLToPath(new URL("../../cells/mastodon/mastodon.yaml", import.meta.url));

let daemon: TestDaemon;
let text: string;

beforeAll(async () => {
  daemon = await TestDaemon.start("--pool-size", "1");
  const settings = join(daemon.root, "mastodon.conf");
  const read = await readFile(MASTODON, "utf8");
  const names = [...read.matchAll(/^ +- ([A-Z_]+)$/gm)].map(([, name]) => `${name ?? ""}=x\n`);
  await writeFile(settings, `DB_PASS=x\n${names.join("")}`, { mode: 0o640 });
  text = read
    .replaceAll("source: /etc/mastodon.conf", `source: ${settings}`)
    .replace("nofile: 65536", "nofile: 4096"); // where henged may not raise limits
});

afterAll(async () => {
  await daemon.remove();
});

/** An archive with every user, program, directory and mount point that the manifest names. */
async function makeImage(): Promise<string> {
  const tree = join(daemon.root, "code");
  const at = (path: string): string => join(tree, path);
  const { cells } = parseManifest({ file: MASTODON, directory: dirname(MASTODON), text });
  const units = cells.flatMap((cell) => cell.units);
  const boundaries = cells.map(({ boundary }) => boundary);
  const points = boundaries.flatMap(({ mounts, tmpfs }) => [...mounts, ...tmpfs]);
  for (const path of [...points.map((point) => point.path), ...units.map(({ cwd }) => cwd)])
    await mkdir(at(path), { recursive: true });
  const probes = units.flatMap(({ readiness, liveness, health }) => [
    readiness,
    ...(liveness === undefined ? [] : [liveness.probe]),
    ...(health === undefined ? [] : [health.probe]),
  ]);
  const argvs = [...units, ...probes.flatMap((probe) => (probe.kind === "exec" ? [probe] : []))];
  const programs = argvs.map(({ argv: [program = ""] }) =>
    program.includes("/") ? program : `/usr/bin/${program}`,
  );
  const files = boundaries.flatMap((boundary) => boundary.files.map(({ path }) => path));
  for (const path of [...files, ...programs]) {
    await mkdir(dirname(at(path)), { recursive: true });
    await writeFile(at(path), "");
    await chmod(at(path), 0o755);
  }
  const users = [
    ...units.map(({ user }) => user),
    ...boundaries.flatMap(({ mounts }) => mounts.flatMap(({ owner }) => owner ?? [])),
  ];
  const lines = [...new Set(users)].map(
    (user, index) => `${user}:x:${String(index)}:0::/:/bin/sh\n`,
  );
  await mkdir(at("etc"), { recursive: true });
  await writeFile(at("etc/passwd"), lines.join(""));
  execFileSync("tar", ["-cf", `${tree}.tar`, "-C", tree, "."]);
  return `${tree}.tar`;
}

it("is planned in its order, and nothing is changed for it", async () => {
  const root = `images: { code: { archive: ${await makeImage()} } }\nroot: { image: code }`;
  const mastodon = join(daemon.root, "mastodon.yaml");
  await writeFile(mastodon, text.replace("root: host", root));
  const { steps } = JSON.parse(
    await daemon.must("plan", "--allow-missing-controllers", mastodon, "-o", "json"),
  ) as { steps: readonly { readonly kind: string; readonly unit: string | null }[] };
  const started = steps.filter(({ kind }) => kind === "start").map(({ unit }) => unit);
  expect(started.indexOf("migrate")).toBeGreaterThanOrEqual(0);
  expect(started.indexOf("puma")).toBeGreaterThan(started.indexOf("migrate"));
  expect(await daemon.ps()).toEqual([]);
});

it("is refused on a root without a Mastodon, with the place of all that is missing", async () => {
  const mastodon = join(daemon.root, "elsewhere.yaml");
  await writeFile(mastodon, text.replaceAll("user: postgres", "user: nobody-here"));
  const plan = await daemon.henge("plan", "--allow-missing-controllers", mastodon);
  expect(plan.exit).toBe(65);
  expect(plan.stderr).toContain("units.postgres.user: cannot run as user nobody-here");
  expect(plan.stderr).toMatch(/elsewhere\.yaml:\d+:\d+ cells\.postgres\./);
});
