// What a volume asks for as properties of its dataset, and back. Pure but for the look at a key's file.

import { open } from "node:fs/promises";
import { constants } from "node:fs";

import { HengeError, KernelError, errnoOf } from "../errors.js";
import { KEY_FORMATS, VOLUME_DEFAULTS, VOLUME_PROPERTIES } from "../spec/index.js";
import type { EncryptionSpec, VolumeProperty, VolumeSpec } from "../spec/index.js";

import type { Dataset } from "./zfs-parse.js";

const FILE_SCHEME = "file://";
const OTHERS = 0o077;

/** Each by its value, also those at their defaults: what a parent dataset has is not asked. */
export function volumeProperties({
  quotaBytes,
  properties,
}: VolumeSpec): Readonly<Record<string, string>> {
  const tuned = VOLUME_PROPERTIES.map((name) => [
    name,
    properties?.[name] ?? VOLUME_DEFAULTS[name],
  ]);
  return {
    refquota: quotaBytes === undefined ? "none" : String(quotaBytes),
    ...(Object.fromEntries(tuned) as Record<VolumeProperty, string>),
  };
}

/** The key itself is read by zfs(8) from its file: it is on no command line and in no log. */
export function encryptionProperties(
  encryption: EncryptionSpec | undefined,
): Readonly<Record<string, string>> {
  if (encryption === undefined) return {};
  return {
    encryption: "on",
    keyformat: encryption.keyFormat,
    keylocation: keyLocation(encryption.keyFile),
  };
}

export function keyLocation(keyFile: string): string {
  return `${FILE_SCHEME}${keyFile}`;
}

/** As a manifest would ask for it. */
export function volumeOf(
  name: VolumeSpec["name"],
  { quotaBytes, properties, keyFormat, keyLocation: place }: Dataset,
): VolumeSpec {
  const tuned = VOLUME_PROPERTIES.filter((each) => properties[each] !== VOLUME_DEFAULTS[each]);
  const format = KEY_FORMATS.find((known) => known === keyFormat);
  return {
    name,
    ...(quotaBytes === undefined ? {} : { quotaBytes }),
    ...(tuned.length === 0
      ? {}
      : { properties: Object.fromEntries(tuned.map((each) => [each, properties[each]])) }),
    ...(format === undefined
      ? {}
      : { encryption: { keyFile: place.replace(FILE_SCHEME, ""), keyFormat: format } }),
  };
}

/** @throws {HengeError} WRONG_STATE: there is no such file, or others may read it; what cannot be is said of `act` */
export async function checkKeyFile(act: string, path: string): Promise<void> {
  const refused = (why: string, hint: string): HengeError =>
    new HengeError("WRONG_STATE", `cannot ${act}: its key ${path} ${why}`, { hint });
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch(
    (error: unknown) => {
      const errno = errnoOf(error);
      if (errno === "ENOENT") throw refused("does not exist", "put it back, or make it first");
      throw new KernelError("open", errno, { cause: error, path });
    },
  );
  try {
    const { mode, uid } = await file.stat();
    if (uid === 0 && (mode & OTHERS) === 0) return;
    throw refused("is not root's alone", `chown root: ${path}; chmod 600 ${path}`);
  } finally {
    await file.close();
  }
}
