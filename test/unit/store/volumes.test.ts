import { mkdir, rmdir } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import type { MonolithName, VolumeName } from "../../../src/spec/index.js";
import { readRecord } from "../../../src/store/record.js";
import { openVolumeLedger } from "../../../src/store/volumes.js";
import { temporaryDirectory } from "../../fixture/directory.js";

const db = "db" as VolumeName;
const first = "m0" as MonolithName;
const names = Array.from({ length: 20 }, (_, index) => `m${String(index)}` as MonolithName);

async function ledgerPath(): Promise<string> {
  return join(await temporaryDirectory(), "volumes.json");
}

describe("the volume ledger", () => {
  it("has on disk what each of many monoliths, changing at once, was told is on record", async () => {
    const path = await ledgerPath();
    const ledger = await openVolumeLedger(path);
    const onDisk = async (name: MonolithName) =>
      ((await readRecord(path)) as Readonly<Record<string, string>>)[`${name}/db`];
    await Promise.all(
      names.map(async (name) => {
        await ledger.begin(name, db);
        expect(await onDisk(name)).toBe("");
        await ledger.confirm(name, db, `guid of ${name}`);
        expect(await onDisk(name)).toBe(`guid of ${name}`);
      }),
    );
    await Promise.all(names.slice(1).map((name) => ledger.remove(name, db)));
    expect(await readRecord(path)).toEqual({ "m0/db": "guid of m0" });
  });

  it("can be written again after it could not be", async () => {
    const path = await ledgerPath();
    const ledger = await openVolumeLedger(path);
    await mkdir(`${path}.new`);
    await expect(ledger.begin(first, db)).rejects.toThrow("EISDIR");
    await rmdir(`${path}.new`);
    await ledger.confirm(first, db, "guid");
    expect(await readRecord(path)).toEqual({ "m0/db": "guid" });
  });
});
