import { describe, expect, it } from "vitest";

import { parse, problemsOf } from "./fixture.js";

function textOf(volume: string): string {
  return `henge: 1\nname: shop\nroot: host\nvolumes: { a: ${volume} }`;
}

describe("a volume", () => {
  it.each([
    ["{}", {}],
    ["{ quota: 1GiB }", { quotaBytes: 2 ** 30 }],
    ["{ preset: postgres }", { properties: { recordsize: "16384" } }],
    ["{ preset: media, recordsize: 64KiB }", { properties: { recordsize: "65536" } }],
    ["{ preset: postgres, recordsize: 128KiB }", {}], // what it would be anyway
    ["{ preset: redis }", {}],
    ["{ preset: logs, atime: true }", { properties: { compression: "zstd", atime: "on" } }],
    [
      "{ total-quota: 2MiB, reservation: 1MiB }",
      { properties: { quota: "2097152", reservation: "1048576" } },
    ],
    [
      "{ encryption: { key: keys/a } }",
      { encryption: { keyFile: "/srv/shop/keys/a", keyFormat: "raw" } },
    ],
  ])("that says %s", (text, expected) => {
    expect(parse(textOf(text)).volumes[0]).toEqual({ name: "a", ...expected });
  });

  it.each([
    ["{ preset: mysql }", "volumes.a.preset: expected postgres, redis, media or logs"],
    ["{ recordsize: 3KiB }", "volumes.a.recordsize: expected a power of two from 512B to 1MiB"],
    ["{ recordsize: 2MiB }", "volumes.a.recordsize: expected a size from 512B to 1MiB"],
    [
      "{ compression: gzip }",
      "volumes.a.compression: expected off, lz4, zle, zstd or zstd-1 to zstd-19",
    ],
    ["{ atime: sometimes }", "volumes.a.atime"],
    ["{ encryption: {} }", "volumes.a.encryption.key"],
    [
      "{ encryption: { key: a, format: pem } }",
      "volumes.a.encryption.format: expected raw, hex or passphrase",
    ],
    ["{ refquota: 1GiB }", "volumes.a.refquota"],
  ])("that says %s is refused", (text, problem) => {
    expect(problemsOf(textOf(text))).toEqual([expect.stringContaining(problem)]);
  });
});
