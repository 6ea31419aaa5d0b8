// The programs in C as they were built: what an attacker who has found a fault in one of them would be hindered by, and how
// small a cell's own part of the host's memory is.

import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { packageDirectory } from "../../src/package.js";
import { until, useWorld } from "./warden/fixture.js";

const DIST = join(packageDirectory, "dist");
const CELL_MAX_KIB = 0.16 * 1024;

function readelf(...argv: readonly string[]): string {
  return execFileSync("readelf", ["--wide", ...argv], { encoding: "utf8" });
}

/** Kind and rights of each segment: `LOAD R E`, `GNU_STACK RW`. */
function segments(program: string): readonly (readonly [string, string])[] {
  const line = /^ {2}([A-Z_]+) +0x\w+ 0x\w+ 0x\w+ 0x\w+ 0x\w+ ([R W E]{3}) /gm;
  return [...readelf("--segments", program).matchAll(line)].map(([, kind = "", rights = ""]) => [
    kind,
    rights.replaceAll(" ", ""),
  ]);
}

function objects(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".o"))
    .map((name) => join(directory, name));
}

const refersTo = (symbol: string) => (object: string) =>
  readelf("--symbols", object).includes(` UND ${symbol}\n`);

describe.each([
  ["henge-warden", ["warden"]],
  ["henge-helper", ["helper", "warden/lib"]],
])("%s", (name, sources) => {
  const program = join(DIST, name);

  it("is loaded anywhere, and by the kernel alone", () => {
    expect(readelf("--file-header", program)).toMatch(/Type: +DYN /);
    const kinds = segments(program).map(([kind]) => kind);
    expect(kinds).toContain("LOAD");
    expect(kinds).not.toContain("INTERP");
    expect(readelf("--dynamic", program)).not.toMatch(/\(NEEDED\)|\(TEXTREL\)/);
    expect(readelf("--dynamic", program)).toMatch(/\(FLAGS_1\).*\bPIE\b/);
  });

  it("can write to no code and execute no data, its stack among them", () => {
    const found = segments(program);
    expect(found.filter(([, rights]) => rights.includes("W") && rights.includes("E"))).toEqual([]);
    expect(found).toContainEqual(["GNU_STACK", "RW"]);
    // Constants are not executable either: code has a segment of its own.
    expect(found.filter(([kind, rights]) => kind === "LOAD" && rights === "RE")).toHaveLength(1);
    expect(found.filter(([kind, rights]) => kind === "LOAD" && rights === "R")).toHaveLength(2);
  });

  it("has what the loader wrote made read-only before it begins", () => {
    expect(segments(program)).toContainEqual(["GNU_RELRO", "R"]);
    expect(readelf("--dynamic", program)).toMatch(/\(FLAGS\).*\bBIND_NOW\b/);
  });

  it("notices when a buffer on the stack was overrun", () => {
    const own = sources.flatMap((directory) => objects(join(DIST, "obj", directory)));
    expect(own.length).toBeGreaterThan(5);
    // libc has the symbol anyway. A file without any array on the stack needs it not.
    const protectedOnes = own.filter(refersTo("__stack_chk_fail"));
    expect(protectedOnes.length / own.length).toBeGreaterThan(0.8);
  });
});

describe("an idle cell", () => {
  const world = useWorld();

  /** A process's own memory: pages it shares are divided among those who share them. */
  function pssKiB(pid: number): number {
    const text = readFileSync(`/proc/${String(pid)}/smaps_rollup`, "utf8");
    return Number(/^Pss: +(\d+) kB$/m.exec(text)?.[1]);
  }

  it("takes less than 0.16 MiB beyond its units", async () => {
    const { wardenPid, initPid } = await world().allocate();
    const descriptors = () => readdirSync(`/proc/${String(wardenPid)}/fd`).length;
    const before = descriptors();
    await until("it is watched for pressure", () => descriptors() > before);
    expect(pssKiB(wardenPid) + pssKiB(initPid)).toBeLessThan(CELL_MAX_KIB);
  });
});
