// What a volume asks for as properties of its dataset, and back. Pure but for the look at a key's file.

import { open } from "node:fs/promises";
import { constants } from "node:fs";

import { HengeError, KernelError, errnoOf } from "../errors.js";
import { KEY_FORMATS, VOLUME_DEFAULTS, VOLUME_PROPERTIES } from "../spec/index.js";
import type { EncryptionSpec, VolumeProperty, VolumeSpec } from "../spec/index.js";

import type { Dataset } from "./zfs-parse.js";

const FILE_SCHEME = "file://";
const OTHERS = 0o077;
/** Of the file; hex and passphrase may end with a newline. zfsprops(7), keyformat. */
const KEY_SIZES: Readonly<
  Record<EncryptionSpec["keyFormat"], { min: number; max: number; hint: string }>
> = {
  raw: { min: 32, max: 32, hint: "it has 32 bytes: head -c 32 /dev/urandom" },
  hex: { min: 64, max: 65, hint: "it has 64 digits: openssl rand -hex 32" },
  passphrase: { min: 8, max: 513, hint: "it has 8 to 512 bytes" },
};
/** `zfs get -p` prints it as 0, which `zfs set` refuses. */
const NONE = "none";

/** Each by its value, also those at their defaults: what a parent dataset has is not asked. */
export function volumeProperties({
  quotaBytes,
  properties,
}: VolumeSpec): Readonly<Record<string, string>> {
  const tuned = VOLUME_PROPERTIES.map((name) => {
    const value = properties?.[name] ?? VOLUME_DEFAULTS[name];
    return [name, value === "0" ? NONE : value];
  });
  return {
    refquota: quotaBytes === undefined ? NONE : String(quotaBytes),
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
  { name: dataset, quotaBytes, properties, encryptionRoot, keyFormat, keyLocation }: Dataset,
): VolumeSpec {
  const tuned = VOLUME_PROPERTIES.filter((each) => properties[each] !== VOLUME_DEFAULTS[each]);
  // What it inherits from a dataset above is the administrator's affair, not the volume's.
  const format =
    encryptionRoot === dataset ? KEY_FORMATS.find((known) => known === keyFormat) : undefined;
  return {
    name,
    ...(quotaBytes === undefined ? {} : { quotaBytes }),
    ...(tuned.length === 0
      ? {}
      : { properties: Object.fromEntries(tuned.map((each) => [each, properties[each]])) }),
    ...(format === undefined
      ? {}
      : { encryption: { keyFile: keyLocation.replace(FILE_SCHEME, ""), keyFormat: format } }),
  };
}

/**
 * @param act what cannot be done then, for the message
 * @throws {HengeError} WRONG_STATE: there is no such file, others may read it, or its size is no key's
 */
export async function checkKeyFile(
  act: string,
  { keyFile: path, keyFormat }: EncryptionSpec,
): Promise<void> {
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
    const { mode, uid, size } = await file.stat();
    if (uid !== 0 || (mode & OTHERS) !== 0)
      throw refused("is not root's alone", `chown root: ${path}; chmod 600 ${path}`);
    const { min, max, hint } = KEY_SIZES[keyFormat];
    if (size < min || size > max)
      throw refused(`is no ${keyFormat} key: it has ${String(size)} bytes`, hint);
  } finally {
    await file.close();
  }
}
