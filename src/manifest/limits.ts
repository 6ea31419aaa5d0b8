// The limits of a cell → the text of the kernel's files, in the one form the kernel shows them in.
// @see https://docs.kernel.org/admin-guide/cgroup-v2.html

import { z } from "zod";

import { LIMIT_DEFAULTS, LIMIT_FILES, type LimitFile, type Limits } from "../spec/index.js";
import { describe, expected } from "./problems.js";
import { notation, oneOf, size, wholeNumber } from "./values.js";

const PAGE_BYTES = 4096;
const PEBIBYTE = 2 ** 50;
const CPU_PERIOD_US = 100_000;
const CPU_UNLIMITED = `max ${String(CPU_PERIOD_US)}`;
const MAX_CPUS = 8192;
const MAX_NODES = 1024;

const max = z.literal("max");

/** A number of the kernel's, or `max`; other words get the text of the number. */
function orMax<Value extends z.ZodType>(value: Value) {
  return z.union([max, value], {
    error: (issue) => {
      const [, inner] = (issue as z.core.$ZodIssueInvalidUnion).errors;
      return inner?.[0]?.message.replace(/^expected (?!max)/, "expected max or ");
    },
  });
}

const bytes = pages(PAGE_BYTES);
/** Whole pages, the rest cut off as the kernel does. */
function pages(minBytes: number) {
  return size(minBytes, PEBIBYTE, "max or a size").transform((amount) =>
    String(amount - (amount % PAGE_BYTES)),
  );
}

const weight = wholeNumber(1, 10_000).transform(String);

const CPU_MAX =
  "max, a percentage of one CPU such as 150%, or QUOTA PERIOD in µs such as 150000 100000";

const cpuMax = notation(
  /^(?:max|[1-9][0-9]*%|(?:max|[1-9][0-9]*) [1-9][0-9]*)$/,
  CPU_MAX,
  () => "",
).transform((text, context) => {
  const [quota = "", period = CPU_PERIOD_US] = text.endsWith("%")
    ? [String(Number(text.slice(0, -1)) * (CPU_PERIOD_US / 100))]
    : text.split(" ");
  const problem = refuseBandwidth(quota, Number(period));
  // Without a quota the period limits nothing.
  if (problem === undefined) return quota === "max" ? CPU_UNLIMITED : `${quota} ${String(period)}`;
  context.addIssue({ code: "custom", message: `${problem}, got ${describe(text)}` });
  return z.NEVER;
});

function refuseBandwidth(quota: string, periodUs: number): string | undefined {
  if (periodUs < 1_000 || periodUs > 1_000_000) return "expected a period from 1000 to 1000000 µs";
  if (quota === "max") return undefined;
  if (Number(quota) < 1_000) return "expected a quota of at least 1000 µs (1%)";
  if (Number(quota) > periodUs * MAX_CPUS) return `expected at most ${String(MAX_CPUS)} CPUs`;
  return undefined;
}

/** A list such as `0-3,8`; sorted and merged as the kernel shows it. */
function numberList(count: number, what: string) {
  const text = `a list of ${what} such as 0-3,8, each below ${String(count)}`;
  return z
    .union(
      [notation(/^[0-9]{1,5}(?:-[0-9]{1,5})?(?:,[0-9]{1,5}(?:-[0-9]{1,5})?)*$/, text), z.int()],
      {
        error: expected(text),
      },
    )
    .transform((input, context) => {
      const ranges = String(input)
        .split(",")
        .map((part) => part.split("-").map(Number))
        .map(([first = NaN, last = first]) => ({ first, last }));
      if (ranges.every(({ first, last }) => first >= 0 && first <= last && last < count)) {
        return mergeRanges(ranges);
      }
      context.addIssue({ code: "custom", message: expected(text)({ code: "custom", input }) });
      return z.NEVER;
    });
}

interface Range {
  readonly first: number;
  readonly last: number;
}

function mergeRanges(ranges: readonly Range[]): string {
  const merged: Range[] = [];
  for (const range of [...ranges].sort((a, b) => a.first - b.first)) {
    const before = merged.at(-1);
    if (before === undefined || range.first > before.last + 1) merged.push(range);
    else merged.splice(-1, 1, { first: before.first, last: Math.max(before.last, range.last) });
  }
  return merged
    .map(({ first, last }) => (first === last ? String(first) : `${String(first)}-${String(last)}`))
    .join(",");
}

const operations = wholeNumber(1, Number.MAX_SAFE_INTEGER).transform(String);
const bandwidth = size(1, PEBIBYTE, "max or a size").transform(String);

const ioRule = z
  .strictObject({
    device: notation(/^[0-9]{1,4}:[0-9]{1,7}$/, "a block device's MAJOR:MINOR such as 8:0"),
    rbps: orMax(bandwidth).optional().describe("Bytes read per second."),
    wbps: orMax(bandwidth).optional().describe("Bytes written per second."),
    riops: orMax(operations).optional().describe("Read operations per second."),
    wiops: orMax(operations).optional().describe("Write operations per second."),
  })
  .refine(({ rbps, wbps, riops, wiops }) => [rbps, wbps, riops, wiops].some(isLimited), {
    error: "expected at least one of rbps, wbps, riops, wiops below max",
  });

function isLimited(text: string | undefined): boolean {
  return text !== undefined && text !== "max";
}

const ioMax = z
  .array(ioRule)
  .min(1, { error: "expected a list of at least one device" })
  .refine((rules) => new Set(rules.map(({ device }) => device)).size === rules.length, {
    error: "a device stands here twice",
  })
  .transform((rules) =>
    rules
      .map(({ device, rbps = "max", wbps = "max", riops = "max", wiops = "max" }) =>
        [device, `rbps=${rbps}`, `wbps=${wbps}`, `riops=${riops}`, `wiops=${wiops}`].join(" "),
      )
      .sort()
      .join("\n"),
  );

const FILES = {
  "cpu.weight": weight,
  "cpu.max": cpuMax,
  "cpuset.cpus": numberList(MAX_CPUS, "CPUs"),
  "cpuset.mems": numberList(MAX_NODES, "memory nodes"),
  "memory.min": orMax(bytes),
  "memory.low": orMax(bytes),
  "memory.high": orMax(bytes),
  "memory.max": orMax(bytes),
  "memory.swap.max": orMax(pages(0)),
  "memory.oom.group": z.boolean().transform((whole) => (whole ? "1" : "0")),
  "io.weight": weight,
  "io.max": ioMax,
  "pids.max": orMax(wholeNumber(1, 2 ** 22).transform(String)),
} satisfies Record<LimitFile, z.ZodType<string>>;

const numa = notation(
  /^node(?:0|[1-9][0-9]{0,3})$/,
  "a NUMA node of the daemon's host such as node0",
)
  .transform((text) => Number(text.slice("node".length)))
  .describe("NUMA node of the host: sets cpuset.cpus and cpuset.mems to what is on it.");

/** What a cell's limits come to: the kernel's files, and the node that stands for two of them. */
interface CellLimits {
  readonly limits: Limits;
  readonly numa?: number;
}

/** Every limit in the kernel's form, without those that are the kernel's default anyway. */
export const limits = z
  .strictObject({ ...FILES, numa })
  .partial()
  .transform(({ numa: node, ...given }, context): CellLimits => {
    const clash = (["cpuset.cpus", "cpuset.mems"] as const).find((file) => file in given);
    if (node !== undefined && clash !== undefined) {
      const message = `sets ${clash} itself: say one of the two`;
      context.addIssue({ code: "custom", path: ["numa"], message });
      return z.NEVER;
    }
    // A cell is one thing that works or does not: half of it killed would be neither.
    const whole = isLimited(given["memory.max"]) ? "1" : undefined;
    const texts = { ...given, "memory.oom.group": given["memory.oom.group"] ?? whole };
    const set = LIMIT_FILES.flatMap((file) => {
      const text = texts[file];
      return text === undefined || text === LIMIT_DEFAULTS[file] ? [] : [[file, text] as const];
    });
    return { limits: Object.fromEntries(set), ...(node === undefined ? {} : { numa: node }) };
  })
  .describe("cgroup v2 files by their own names; nested cells live inside their parent's limits.");

export const controllers = z
  .array(oneOf(["cpu", "cpuset", "memory", "io", "pids"]))
  .describe("Controllers this cell and those nested in it go without where the host offers none.");
