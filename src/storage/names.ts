// Names that become paths and dataset names. Nothing passes that a driver could not have made itself.

import { HengeError } from "../errors.js";
import { isLabel } from "../spec/index.js";
import type { ImageName, ImageStatus, MonolithName, VolumeName } from "../spec/index.js";

const DIGEST_PATTERN = /^[0-9a-f]{64}$/;
/** A label cannot begin with this, so what is not whole never has a volume's or an image's name. */
export const PARTIAL_PREFIX = "_partial.";

/**
 * A brand is only a promise of the type checker; this is the last look before a name becomes a path.
 * @throws {HengeError} INVALID_REQUEST: not a label
 */
export function checkLabel(kind: string, name: MonolithName | VolumeName | ImageName): string {
  if (isLabel(name)) return name;
  throw new HengeError(
    "INVALID_REQUEST",
    `cannot use ${JSON.stringify(name)} as the name of a ${kind}`,
  );
}

/** @throws {HengeError} INVALID_REQUEST: not a label, or not the SHA-256 of an archive in hex */
export function imageFileName(image: ImageName, digest: string): string {
  if (!DIGEST_PATTERN.test(digest)) {
    throw new HengeError(
      "INVALID_REQUEST",
      `cannot use ${JSON.stringify(digest)} as an image's digest`,
    );
  }
  return `${checkLabel("image", image)}.${digest}`;
}

/** Undefined for a name that no import made. */
export function parseImageFileName(name: string): ImageStatus | undefined {
  const cut = name.indexOf(".");
  const [image, digest] = [name.slice(0, cut), name.slice(cut + 1)];
  if (cut < 0 || !isLabel(image) || !DIGEST_PATTERN.test(digest)) return undefined;
  return { name: image as ImageName, digest };
}
