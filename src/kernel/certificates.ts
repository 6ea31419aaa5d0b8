// Reads what certbot keeps: DIRECTORY/NAME/fullchain.pem and privkey.pem. Of a private key its mode is all that is read.

import { X509Certificate } from "node:crypto";
import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";

import { errnoOf } from "../errors.js";
import type { Certificate } from "./port.js";

const MAX_BYTES = 256 * 1024;

/** None where there is no such directory. */
export async function readCertificates(directory: string): Promise<readonly Certificate[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  return Promise.all(
    names.sort().map(async (name) => ({
      name,
      content: await readContent(join(directory, name, "fullchain.pem")),
      key: await stat(join(directory, name, "privkey.pem")).then(
        ({ mode }) => ({ mode }),
        (error: unknown) => ({ unreadable: errnoOf(error) }),
      ),
    })),
  );
}

async function readContent(path: string): Promise<Certificate["content"]> {
  const pem = await readStart(path).catch((error: unknown) => ({ unreadable: errnoOf(error) }));
  if ("unreadable" in pem) return pem;
  try {
    // The first of the chain is the site's own.
    const { subjectAltName = "", validFrom, validTo } = new X509Certificate(pem);
    return {
      hosts: subjectAltName.split(", ").map((name) => name.replace(/^(DNS|IP Address):/, "")),
      notBeforeMs: Date.parse(validFrom),
      notAfterMs: Date.parse(validTo),
    };
  } catch {
    return { unreadable: "it is no certificate" };
  }
}

async function readStart(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(MAX_BYTES), 0, MAX_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
