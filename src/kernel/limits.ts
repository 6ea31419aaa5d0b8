// Kernel text <-> the text of `Limits`. Pure: it knows what a limit file says when nothing is limited,
// and which lines turn one text into another; it writes none.

import { LIMIT_DEFAULTS, LIMIT_FILES } from "../spec/index.js";
import type { LimitFile, Limits } from "../spec/index.js";

const IO_KEYS = ["rbps", "wbps", "riops", "wiops"] as const;

/** The limit files of `limits`, in the order of `LIMIT_FILES`. */
export function filesOf(limits: Limits): readonly LimitFile[] {
  return LIMIT_FILES.filter((file) => limits[file] !== undefined);
}

/** One form for what a manifest asks and what the kernel reads back; text it cannot read stays as it is. */
export function normaliseLimit(file: LimitFile, text: string): string {
  const trimmed = text.trim();
  switch (file) {
    case "cpu.max":
      return normaliseCpuMax(trimmed);
    case "cpuset.cpus":
    case "cpuset.mems":
      return normaliseList(trimmed);
    case "io.weight":
      // Devices' own weights follow on further lines; a manifest cannot set them.
      return (trimmed.split("\n")[0] ?? "").replace(/^default /, "");
    case "io.max":
      return ioLinesOf(trimmed).join("\n");
    case "cpu.weight":
    case "memory.min":
    case "memory.low":
    case "memory.high":
    case "memory.max":
    case "memory.swap.max":
    case "memory.oom.group":
    case "pids.max":
      return trimmed;
  }
}

/**
 * The texts to write, one write(2) each, that lead from one limit to another.
 * The kernel takes one device per write to io.max, and keeps the devices it is not told about.
 */
export function planWrites(file: LimitFile, current: string, wanted: string): readonly string[] {
  if (file === "io.weight") return [`default ${normaliseLimit(file, wanted)}`];
  if (file !== "io.max") return [normaliseLimit(file, wanted)];
  const lines = ioLinesOf(wanted);
  const kept = new Set(lines.map(deviceOf));
  const lifted = ioLinesOf(current)
    .map(deviceOf)
    .filter((device) => !kept.has(device));
  return [...lifted.map((device) => ioLine(device, new Map())), ...lines];
}

function normaliseCpuMax(text: string): string {
  const [quota = "", period = "100000"] = text.split(/\s+/);
  // Without a quota the period limits nothing.
  return quota === "max" ? LIMIT_DEFAULTS["cpu.max"] : `${quota} ${period}`;
}

/** `0,1,2,5` → `0-2,5`, as the kernel writes it. */
function normaliseList(text: string): string {
  if (!/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(text)) return text;
  const ranges = text
    .split(",")
    .map((part) => part.split("-").map(Number))
    .map(([first = 0, last = first]) => ({ first, last }))
    .sort((a, b) => a.first - b.first);
  const merged: { first: number; last: number }[] = [];
  for (const range of ranges) {
    const previous = merged.at(-1);
    if (previous === undefined || range.first > previous.last + 1) merged.push({ ...range });
    else previous.last = Math.max(previous.last, range.last);
  }
  return merged
    .map(({ first, last }) => (first === last ? String(first) : `${String(first)}-${String(last)}`))
    .join(",");
}

/** One line per limited device, every key named, in a fixed order. */
function ioLinesOf(text: string): readonly string[] {
  const lines = text.split("\n").map((line) => line.trim());
  return lines
    .filter((line) => line !== "")
    .map((line) => {
      const pairs = line
        .split(/\s+/)
        .slice(1)
        .map((pair) => pair.split("="));
      return ioLine(deviceOf(line), new Map(pairs.map(([key = "", value = ""]) => [key, value])));
    })
    .filter((line) => line !== ioLine(deviceOf(line), new Map()))
    .sort();
}

function ioLine(device: string, values: ReadonlyMap<string, string>): string {
  return [device, ...IO_KEYS.map((key) => `${key}=${values.get(key) ?? "max"}`)].join(" ");
}

function deviceOf(line: string): string {
  return line.split(/\s+/)[0] ?? "";
}
