import { describe, expect, it } from "vitest";

import { CommandError } from "../../../src/errors.js";
import { isMissingDataset, parseDatasets, parsePools } from "../../../src/storage/zfs-parse.js";

describe("zfs list -Hp", () => {
  it("gives each dataset, and no quota where it reads 0", () => {
    const tuned = "131072\tlz4\tlatency\tall\toff\t0\t0";
    const text =
      `tank/henge/volumes/shop/db\t16418238147083467781\toff\t98304\t8589836288\there\ttank/henge/volumes/shop/db\tunavailable\traw\tfile:///k\t8589934592\t${tuned}\n` +
      `tank/henge/images/web\t7\ton\t460000000\t50000000000\t-\t-\t-\tnone\tnone\t0\t${tuned}\n`;
    const properties = {
      recordsize: "131072",
      compression: "lz4",
      logbias: "latency",
      primarycache: "all",
      atime: "off",
      quota: "0",
      reservation: "0",
    };
    expect(parseDatasets(text)).toEqual([
      {
        name: "tank/henge/volumes/shop/db",
        guid: "16418238147083467781", // more than a number can hold exactly
        readOnly: false,
        quotaBytes: 8589934592,
        properties,
        encryptionRoot: "tank/henge/volumes/shop/db",
        isLocked: true,
        keyFormat: "raw",
        keyLocation: "file:///k",
        usedBytes: 98304,
        availableBytes: 8589836288,
        owner: "here",
      },
      {
        name: "tank/henge/images/web",
        guid: "7",
        readOnly: true,
        properties,
        encryptionRoot: "-",
        isLocked: false,
        keyFormat: "none",
        keyLocation: "none",
        usedBytes: 460000000,
        availableBytes: 50000000000,
      },
    ]);
  });

  it.each(["tank\t1\n", `tank\t1\toff\t8G${"\t1".repeat(13)}\n`])(
    "is refused when it is not as asked for: %j",
    (text) => {
      expect(() => parseDatasets(text)).toThrow(/cannot read what ZFS said/);
    },
  );

  it("is told from an error when the dataset does not exist", () => {
    const argv = ["zfs", "list"];
    expect(
      isMissingDataset(new CommandError(argv, 1, "cannot open 'tank/x': dataset does not exist\n")),
    ).toBe(true);
    expect(
      isMissingDataset(
        new CommandError(argv, 1, "cannot open 'tank/x': pool I/O is currently suspended\n"),
      ),
    ).toBe(false);
    expect(isMissingDataset(new Error("dataset does not exist"))).toBe(false);
  });
});

it("reads each pool's health", () => {
  expect(parsePools("tank\tONLINE\nold\tDEGRADED\n")).toEqual([
    { name: "tank", health: "ONLINE" },
    { name: "old", health: "DEGRADED" },
  ]);
  expect(parsePools("")).toEqual([]);
});
