// What a cgroup uses now, read when somebody asks and never on a timer.
// See https://docs.kernel.org/admin-guide/cgroup-v2.html

import type { CellStats } from "../spec/index.js";
import { readCgroupFileIfAny } from "./cgroup-file.js";

const FILES = [
  ...["memory.current", "memory.max", "memory.events", "cpu.stat", "pids.current", "io.stat"],
  ...["cpu.pressure", "memory.pressure", "io.pressure"],
] as const;

/** @returns undefined when there is no such cgroup */
export async function readStats(directory: string): Promise<CellStats | undefined> {
  const texts = await Promise.all(
    FILES.map(async (file) => [file, await readCgroupFileIfAny(directory, file)] as const),
  );
  // The one file that every cgroup has, whatever its controllers.
  const there = new Map(
    texts.flatMap(([file, text]) => (text === undefined ? [] : [[file, text]])),
  );
  return there.has("cpu.stat") ? parseStats(there) : undefined;
}

/** @param texts file → what it holds; a file that is missing says nothing */
function parseStats(texts: ReadonlyMap<string, string>): CellStats {
  const text = (file: string): string => texts.get(file) ?? "";
  return known({
    memoryBytes: wholeOf(text("memory.current")),
    memoryMaxBytes: wholeOf(text("memory.max")),
    cpuUsageUs: valueOf(text("cpu.stat"), "usage_usec"),
    pids: wholeOf(text("pids.current")),
    oomKills: valueOf(text("memory.events"), "oom_kill"),
    ioReadBytes: texts.has("io.stat") ? sumOf(text("io.stat"), "rbytes") : undefined,
    ioWrittenBytes: texts.has("io.stat") ? sumOf(text("io.stat"), "wbytes") : undefined,
    pressureAvg10: pressureOf(text),
  });
}

function pressureOf(text: (file: string) => string): CellStats["pressureAvg10"] {
  const avg10 = (resource: string): number | undefined => {
    const [, percent] = /^some avg10=(\d+\.\d+) /m.exec(text(`${resource}.pressure`)) ?? [];
    return percent === undefined ? undefined : Number(percent);
  };
  const all = known({ cpu: avg10("cpu"), memory: avg10("memory"), io: avg10("io") });
  return Object.keys(all).length === 0 ? undefined : all;
}

/** `max` is no bound, and no number. */
function wholeOf(text: string): number | undefined {
  return /^\d+\n?$/.test(text) ? Number(text) : undefined;
}

/** Of a file of lines `KEY VALUE`. */
function valueOf(text: string, key: string): number | undefined {
  const [, value] = new RegExp(String.raw`^${key} (\d+)$`, "m").exec(text) ?? [];
  return value === undefined ? undefined : Number(value);
}

/** Of a file of lines `DEVICE KEY=VALUE …`. */
function sumOf(text: string, key: string): number {
  const found = text.matchAll(new RegExp(String.raw` ${key}=(\d+)`, "g"));
  return [...found].reduce((sum, [, value]) => sum + Number(value), 0);
}

type Known<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function known<T extends object>(values: T): Known<T> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as Known<T>;
}
