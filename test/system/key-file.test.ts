// The file of a volume's key, as root sees it on a real file system.

import { chmodSync, chownSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeEach, describe, expect, it } from "vitest";

import { checkKeyFile } from "../../src/storage/zfs-properties.js";

const directory = mkdtempSync(join(tmpdir(), "henge-key-"));
const keyFile = join(directory, "key");
const check = (keyFormat: "raw" | "hex" | "passphrase" = "raw", path = keyFile) =>
  checkKeyFile("create volume db of shop", { keyFile: path, keyFormat });

beforeEach(() => {
  rmSync(keyFile, { force: true });
  writeFileSync(keyFile, Buffer.alloc(32, 7), { mode: 0o600 });
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

describe("the file of a key", () => {
  it("is taken when it is root's alone and as long as its format has it", async () => {
    await check("raw");
    await check("passphrase");
    writeFileSync(keyFile, `${"0f".repeat(32)}\n`);
    await check("hex");
  });

  it.each([0o640, 0o604, 0o620])("is refused with mode %o", async (mode) => {
    chmodSync(keyFile, mode);
    await expect(check()).rejects.toMatchObject({
      code: "WRONG_STATE",
      message: `cannot create volume db of shop: its key ${keyFile} is not root's alone`,
    });
  });

  it("is refused when somebody else owns it", async () => {
    chownSync(keyFile, 1000, 0);
    await expect(check()).rejects.toThrow("is not root's alone");
  });

  it("is refused with another length, and told how to make one", async () => {
    await expect(check("hex")).rejects.toMatchObject({
      message: `cannot create volume db of shop: its key ${keyFile} is no hex key: it has 32 bytes`,
      hint: "it has 64 digits: openssl rand -hex 32",
    });
    writeFileSync(keyFile, "short");
    await expect(check("passphrase")).rejects.toThrow("it has 5 bytes");
  });

  it("is refused when it is not there, or a symbolic link", async () => {
    await expect(check("raw", join(directory, "none"))).rejects.toThrow("does not exist");
    const link = join(directory, "link");
    symlinkSync(keyFile, link);
    await expect(check("raw", link)).rejects.toMatchObject({ errno: "ELOOP", path: link });
  });
});
