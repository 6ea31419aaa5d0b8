import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { parseTime, requireOrder } from "../../../src/cli/times.js";

const NOW = Date.UTC(2026, 10, 23, 9);
const HOUR_MS = 3_600_000;
const zone = process.env["TZ"];

// Four hours behind UTC in summer, five in winter.
beforeAll(() => {
  process.env["TZ"] = "America/New_York";
});
afterAll(() => {
  if (zone === undefined) delete process.env["TZ"];
  else process.env["TZ"] = zone;
});

describe("a time", () => {
  it.each([
    ["250ms", NOW - 250],
    ["90s", NOW - 90_000],
    ["10m", NOW - 600_000],
    ["2h", NOW - 2 * HOUR_MS],
    ["1d", NOW - 24 * HOUR_MS],
    ["2w", NOW - 14 * 24 * HOUR_MS],
    ["999999999w", 0],
  ])("is so long ago: %j", (text, atMs) => {
    expect(parseTime("--since", text, NOW)).toBe(atMs);
  });

  it.each([
    ["2026-11-23T08:30:00Z", NOW - HOUR_MS / 2],
    ["2026-11-23 08:30Z", NOW - HOUR_MS / 2],
    ["2026-11-23T10:30:00.250+02:00", NOW - HOUR_MS / 2 + 250],
    ["2026-11-23T10:30:00.2509999+0200", NOW - HOUR_MS / 2 + 250],
    ["2026-11-23T03:00:00-05:30", NOW - HOUR_MS / 2],
    ["2024-02-29T00:00:00Z", Date.UTC(2024, 1, 29)],
  ])("has the zone it names: %j", (text, atMs) => {
    expect(parseTime("--since", text, NOW)).toBe(atMs);
  });

  it.each([
    ["2026-11-28", Date.UTC(2026, 10, 28, 5)],
    ["2026-11-28 00:00", Date.UTC(2026, 10, 28, 5)],
    ["2026-11-28T00:00:00", Date.UTC(2026, 10, 28, 5)],
    ["2026-07-01", Date.UTC(2026, 6, 1, 4)],
    ["2026-07-01 12:30:15.5", Date.UTC(2026, 6, 1, 16, 30, 15, 500)],
  ])("is local where it names no zone: %j", (text, atMs) => {
    expect(parseTime("--since", text, NOW)).toBe(atMs);
  });

  it.each([
    ["2026-02-30", "there is no such day"],
    ["2023-02-29", "there is no such day"],
    ["2100-02-29", "there is no such day"],
    ["2026-04-31T00:00:00Z", "there is no such day"],
    ["2026-13-01", "there is no such day"],
    ["2026-00-10", "there is no such day"],
    ["2026-11-00", "there is no such day"],
    ["2026-11-28 24:00", "there is no such time of day"],
    ["2026-11-28 23:60", "there is no such time of day"],
    ["2026-11-28T23:59:60Z", "there is no such time of day"],
    ["2026-11-28T10:00:00+15:00", "there is no such zone"],
    ["2026-11-28T10:00:00+02:60", "there is no such zone"],
    ["1969-12-31", "it is before 1970"],
    ["0050-01-01", "it is before 1970"],
    ["1970-01-01T00:00:00+01:00", "it is before 1970"],
    ...[
      ...["", "10", "m", "-5m", "1.5h", "10 m", "10M", "1e3s", "+10m", "10min", "2hours", "0"],
      ...["yesterday", "now", "23/11/2026", "2026-1-1", "2026-11", "20261128", "26-11-28"],
      ...["2026-11-28T", "2026-11-28 8:00", "2026-11-28 08", "2026-11-28Z", " 2026-11-28"],
      ...["2026-11-28\n", "2026-11-28T08:00:00.Z", "2026-11-28T08:00:00 Z", "2026-11-28t08:00:00z"],
      ...["+002026-11-28", "2026-11-28T08:00+2", "9999999999m", "٢٠٢٦-١١-٢٨"],
    ].map((text) => [text, "it is no time"] as const),
  ] as readonly (readonly [string, string])[])(
    "is refused, and what is allowed is told: %j",
    (text, why) => {
      const parse = (): number => parseTime("--until", text, NOW);
      expect(parse).toThrow(
        `cannot use ${JSON.stringify(text)} for --until: ${why}; give how long ago`,
      );
      expect(parse).toThrow(/2026-11-28 08:00.*local time/);
    },
  );
});

it("has nothing between a time and an earlier one", () => {
  expect(() => {
    requireOrder(2, 1);
  }).toThrow(/--since and --until/);
  expect(() => {
    requireOrder(1, 1);
  }).toThrow(/--since and --until/);
  for (const [since, until] of [
    [1, 2],
    [1, undefined],
    [undefined, 1],
    [undefined, undefined],
  ] as const)
    requireOrder(since, until);
});
