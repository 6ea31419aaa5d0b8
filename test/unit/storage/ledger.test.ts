import { mkdir, rmdir } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import type { MonolithName, SnapshotName, VolumeName } from "../../../src/spec/index.js";
import { openVolumeLedger } from "../../../src/storage/ledger.js";
import { readRecord, writeRecord } from "../../../src/store/record.js";
import { temporaryDirectory } from "../../fixture/directory.js";

const db = "db" as VolumeName;
const files = "files" as VolumeName;
const first = "m0" as MonolithName;
const monday = "monday" as SnapshotName;
const names = Array.from({ length: 20 }, (_, index) => `m${String(index)}` as MonolithName);

async function ledgerPath(): Promise<string> {
  return join(await temporaryDirectory(), "volumes.json");
}

describe("the volume ledger", () => {
  it("has on disk what each of many monoliths, changing at once, was told is on record", async () => {
    const path = await ledgerPath();
    const ledger = await openVolumeLedger(path);
    const onDisk = async (name: MonolithName) =>
      ((await readRecord(path)) as { volumes: Record<string, unknown> }).volumes[`${name}/db`];
    await Promise.all(
      names.map(async (name) => {
        await ledger.begin(name, db);
        expect(await onDisk(name)).toEqual({});
        await ledger.confirm(name, db, `guid of ${name}`);
        expect(await onDisk(name)).toEqual({ guid: `guid of ${name}` });
      }),
    );
    await Promise.all(names.slice(1).map((name) => ledger.remove(name, db)));
    expect(await readRecord(path)).toEqual({
      version: 2,
      volumes: { "m0/db": { guid: "guid of m0" } },
      rollbacks: {},
    });
  });

  it("can be written again after it could not be", async () => {
    const path = await ledgerPath();
    const ledger = await openVolumeLedger(path);
    await mkdir(path);
    await expect(ledger.begin(first, db)).rejects.toThrow("EISDIR");
    await rmdir(path);
    await ledger.confirm(first, db, "guid");
    const next = await openVolumeLedger(path);
    expect(() => next.requireNew(first, db)).toThrow("made before");
  });

  it("lets nothing be mounted from the first act of a rollback to its end, also by the next daemon", async () => {
    const path = await ledgerPath();
    const ledger = await openVolumeLedger(path);
    for (const volume of [db, files]) {
      await ledger.begin(first, volume);
      await ledger.confirm(first, volume, "before");
    }
    await ledger.beginRollback(first, [db], monday);
    const next = await openVolumeLedger(path);
    expect(next.rollbackOf(first)).toBe(monday);
    await expect(next.confirm(first, db, "before")).rejects.toThrow("has not ended");
    await next.confirm(first, files, "before");
    await next.endRollback(first, new Map([[db, "after"]]));
    expect(next.rollbackOf(first)).toBeUndefined();
    await (await openVolumeLedger(path)).confirm(first, db, "after");
  });

  it("forgets a monolith whole: volumes that are lost, and a rollback that never ended", async () => {
    const path = await ledgerPath();
    const ledger = await openVolumeLedger(path);
    await ledger.begin(first, db);
    await ledger.confirm(first, db, "guid");
    await ledger.beginRollback(first, [db], monday);
    await ledger.forget(first);
    const next = await openVolumeLedger(path);
    expect(next.rollbackOf(first)).toBeUndefined();
    next.requireNew(first, db);
  });

  it("reads the record of an older Henge, which kept all three in one string", async () => {
    const path = await ledgerPath();
    await writeRecord(path, { "m0/db": "guid", "m0/files": "rollback:monday", "m1/db": "" });
    const ledger = await openVolumeLedger(path);
    await ledger.confirm(first, db, "guid");
    expect(ledger.rollbackOf(first)).toBe(monday);
    await expect(ledger.confirm(first, files, "guid")).rejects.toThrow("rollback to monday");
    await ledger.confirm("m1" as MonolithName, db, "made now");
    expect(await readRecord(path)).toEqual({
      version: 2,
      volumes: { "m0/db": { guid: "guid" }, "m1/db": { guid: "made now" } },
      rollbacks: { m0: { snapshot: "monday", volumes: ["files"] } },
    });
  });

  it("refuses the record of a newer Henge, and leaves it as it is", async () => {
    const path = await ledgerPath();
    await writeRecord(path, { version: 3, volumes: {} });
    await expect(openVolumeLedger(path)).rejects.toMatchObject({
      code: "WRONG_STATE",
      message: `cannot read the record of volumes ${path}: it is of version 3, and this Henge knows 2 at most`,
    });
    expect(await readRecord(path)).toEqual({ version: 3, volumes: {} });
  });
});
