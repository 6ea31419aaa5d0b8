import { expect, it } from "vitest";

import type { Ports } from "../../../src/reconcile/ports.js";
import type { CellName } from "../../../src/spec/index.js";
import type { HouseDaemon } from "../../fixture/house-daemon.js";
import { House } from "../../fixture/house.js";

const MANIFEST = `
henge: 1
name: shop
root: host
units:
  migrate: { one-shot: true, argv: [/fails] }
  seed: { one-shot: true, argv: [/fails] }
  web: { argv: [/bin/web] }
`;
const shop = "shop" as CellName;

/** Each unit has said so many lines, and is asked for the last. */
const saying = (count: number): Ports["readLogs"] =>
  async function* (sources, { tail = count }) {
    await Promise.resolve();
    for (const { cell, unit } of sources)
      for (let number = Math.max(1, count - tail + 1); number <= count; number += 1)
        yield {
          cell,
          unit,
          cursor: "0",
          atMs: 0,
          stream: "stdout",
          text: `${unit} ${String(number)}`,
        };
  };

const lines = (unit: string, first: number, last: number): string[] =>
  Array.from({ length: last - first + 1 }, (_, index) => `${unit} ${String(first + index)}`);

const refusal = (house: House, daemon: HouseDaemon): Promise<string> =>
  house.up(daemon, MANIFEST).then(() => expect.fail("it came up"), String);

it("shows the last ten lines of each unit that has failed, in the error of up and in get", async () => {
  const house = await House.build();
  const daemon = await house.daemon({ readLogs: saying(12) });
  const error = await refusal(house, daemon);
  for (const unit of ["migrate", "seed"])
    expect(error).toContain(
      [`shop:${unit}: exit 1, restart never; its last lines:`, ...lines(unit, 3, 12)].join(
        "\n  | ",
      ),
    );
  const { units } = await daemon.get(shop);
  expect(units.map(({ name, lastLines }) => [name, lastLines])).toEqual([
    ["migrate", lines("migrate", 3, 12)],
    ["seed", lines("seed", 3, 12)],
    ["web", undefined],
  ]);
  expect((await daemon.list())[0]?.units.some((unit) => "lastLines" in unit)).toBe(false);
});

it("says that a unit said nothing, and that a log cannot be read, and waits for none", async () => {
  const house = await House.build();
  const silent = await house.daemon({ readLogs: saying(0) });
  const up = await refusal(house, silent);
  expect(up).toContain("its last lines:\n  | (it said nothing)");
  expect((await silent.get(shop)).units[0]?.lastLines).toEqual([]);
  silent.end();

  const broken = await house.daemon({
    readLogs: () => {
      throw new Error("a disk that is gone");
    },
  });
  const again = await refusal(house, broken);
  expect(again).toContain("its last lines:\n  | (its log cannot be read)");
  broken.end();

  let asked = 0;
  const hanging = await house.daemon({
    readLogs: async function* (_sources, _range, signal) {
      asked += 1;
      await new Promise((resolve) => {
        signal.addEventListener("abort", resolve);
      });
      yield* [];
    },
  });
  const found = hanging.get(shop);
  await expect.poll(() => asked).toBe(2);
  house.clock.advance(2_000);
  expect((await found).units.map((unit) => unit.lastLines)).toEqual([
    ...[undefined, undefined, undefined],
  ]);
});
