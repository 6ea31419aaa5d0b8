import { describe, expect, it } from "vitest";

import type { ImageName } from "../../../src/spec/index.js";
import { PARTIAL_PREFIX, imageFileName, parseImageFileName } from "../../../src/storage/names.js";

const digest = "0123456789abcdef".repeat(4);

describe("an image's file name", () => {
  it("is read back as the image it was made of", () => {
    expect(parseImageFileName(imageFileName("web-2" as ImageName, digest))).toEqual({
      name: "web-2",
      digest,
    });
  });

  it.each([
    "web",
    `web-${digest}`,
    `.${digest}`,
    `web.${digest}0`,
    `web.${digest.toUpperCase()}`,
    "web..",
    `w/x.${digest}`,
  ])("is not %j", (name) => {
    expect(parseImageFileName(name)).toBeUndefined();
  });

  it("is never that of an image which is not whole", () => {
    expect(
      parseImageFileName(PARTIAL_PREFIX + imageFileName("web" as ImageName, digest)),
    ).toBeUndefined();
  });

  it.each(["", "..", "A".repeat(64), "../".repeat(21) + "a"])("refuses the digest %j", (text) => {
    expect(() => imageFileName("web" as ImageName, text)).toThrow(
      /cannot use .* as an image's digest/,
    );
  });
});
