// Durability as the kernel sees it: the order of the system calls, traced.

import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { expect, it } from "vitest";

import { temporaryDirectory } from "../fixture/directory.js";

const STORE = fileURLToPath(new URL("../../dist/src/store/", import.meta.url));
const run = promisify(execFile);

/** The calls that put something on a disk, in order, with paths for descriptors. */
async function trace(script: string): Promise<readonly string[]> {
  const calls = "trace=write,pwrite64,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat";
  const { stderr } = await run("/usr/bin/strace", [
    "-f",
    "-y",
    "-e",
    calls,
    process.execPath,
    "--input-type=module",
    "--eval",
    script,
  ]);
  return stderr
    .split("\n")
    .filter((line) => /\b(write|pwrite64|fsync|fdatasync|rename\w*)\(/.test(line));
}

function indexOf(calls: readonly string[], pattern: RegExp): number {
  const found = calls.findIndex((line) => pattern.test(line));
  expect(found, `${String(pattern)} in\n${calls.join("\n")}`).toBeGreaterThanOrEqual(0);
  return found;
}

it("syncs a record before it is renamed, and the directory after it", async () => {
  const directory = await temporaryDirectory();
  const calls = await trace(
    `import { writeRecord } from ${JSON.stringify(join(STORE, "record.js"))};
     await writeRecord(${JSON.stringify(join(directory, "shop.json"))}, { a: 1 });`,
  );
  const synced = indexOf(calls, /f(data)?sync\(\d+<[^>]*shop\.json\.new>/);
  const renamed = indexOf(calls, /rename\w*\(.*shop\.json\.new.*shop\.json"/);
  const kept = indexOf(calls, new RegExp(`fsync\\(\\d+<${directory}>`));
  expect(synced).toBeLessThan(renamed);
  expect(renamed).toBeLessThan(kept);
});

it("has what identifies a pool on the disk in the same way", async () => {
  const directory = await temporaryDirectory();
  const record = join(directory, "zfs.guid");
  const calls = await trace(
    `import { writeRecord } from ${JSON.stringify(join(STORE, "../storage/record.js"))};
     await writeRecord(${JSON.stringify(record)}, "guid");`,
  );
  const synced = indexOf(calls, /fsync\(\d+<[^>]*zfs\.guid\.new>/);
  const renamed = indexOf(calls, /rename\w*\(.*zfs\.guid\.new.*zfs\.guid"/);
  expect(synced).toBeLessThan(renamed);
  expect(renamed).toBeLessThan(indexOf(calls, new RegExp(`fsync\\(\\d+<${directory}>`)));
});

it("has the audit line on the disk before the act", async () => {
  const directory = await temporaryDirectory();
  const calls = await trace(
    `import { openAudit } from ${JSON.stringify(join(STORE, "audit.js"))};
     import { writeFileSync } from "node:fs";
     const audit = await openAudit(${JSON.stringify(join(directory, "audit.log"))});
     await audit.append({ atMs: 0, requestId: "r", verb: "down", target: "shop" });
     writeFileSync(${JSON.stringify(join(directory, "act"))}, "done");
     await audit.close();`,
  );
  const written = indexOf(calls, /write\w*\(\d+<[^>]*audit\.log>/);
  const synced = indexOf(calls, /fdatasync\(\d+<[^>]*audit\.log>/);
  const acted = indexOf(calls, /write\(\d+<[^>]*\/act>/);
  expect(written).toBeLessThan(synced);
  expect(synced).toBeLessThan(acted);
});
