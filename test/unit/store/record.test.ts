import { readFile, readdir, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { CorruptRecord, readRecord, removeRecord, writeRecord } from "../../../src/store/record.js";
import { temporaryDirectory } from "../../fixture/directory.js";

const BODY = { name: "shop", cells: ["shop/web"], text: "ü\n" };

describe("a record", () => {
  it("is read back as it was written", async () => {
    const path = join(await temporaryDirectory(), "shop.json");
    await writeRecord(path, BODY);
    expect(await readRecord(path)).toEqual(BODY);
  });

  it("is undefined when it was never written, or was removed", async () => {
    const path = join(await temporaryDirectory(), "shop.json");
    expect(await readRecord(path)).toBeUndefined();
    await writeRecord(path, BODY);
    await removeRecord(path);
    expect(await readRecord(path)).toBeUndefined();
  });

  it("leaves no second file beside it", async () => {
    const directory = await temporaryDirectory();
    await writeRecord(join(directory, "shop.json"), BODY);
    await writeRecord(join(directory, "shop.json"), { ...BODY, name: "other" });
    expect(await readdir(directory)).toEqual(["shop.json"]);
  });

  it("keeps the old text when a writer was killed before the rename", async () => {
    const path = join(await temporaryDirectory(), "shop.json");
    await writeRecord(path, BODY);
    await writeFile(`${path}.new`, '{"format":1,"sha');
    expect(await readRecord(path)).toEqual(BODY);
  });

  const damages: readonly (readonly [string, (path: string, text: string) => Promise<void>])[] = [
    ["is truncated", (path, text) => truncate(path, Math.floor(text.length / 2))],
    ["is empty", (path) => truncate(path, 0)],
    [
      "has one letter changed",
      (path, text) => writeFile(path, text.replace("shop/web", "shop/wen")),
    ],
    ["is zeros", (path, text) => writeFile(path, Buffer.alloc(text.length))],
    [
      "is of another format",
      (path, text) => writeFile(path, text.replace('"format":1', '"format":2')),
    ],
    ["is not a record", (path) => writeFile(path, '"hello"')],
  ];
  it.each(damages)("is refused when it %s, and left as it is", async (_, damage) => {
    const path = join(await temporaryDirectory(), "shop.json");
    await writeRecord(path, BODY);
    await damage(path, await readFile(path, "utf8"));
    const before = await readFile(path);
    await expect(readRecord(path)).rejects.toBeInstanceOf(CorruptRecord);
    expect(await readFile(path)).toEqual(before);
  });

  it("names the file and the errno when it cannot be written", async () => {
    const path = join(await temporaryDirectory(), "missing", "shop.json");
    await expect(writeRecord(path, BODY)).rejects.toThrow(
      `cannot write the record ${path}: there is no such file or directory (ENOENT)`,
    );
  });
});
