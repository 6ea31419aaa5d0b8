// Archives that hold no root filesystem, each with what is said of it.

import { execFileSync } from "node:child_process";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

const CUT = "it is cut short";
const DOCKER = "it is an image in layers, as docker save writes it, not a root filesystem";

export async function makeBadArchives(
  directory: string,
): Promise<readonly (readonly [file: string, why: string])[]> {
  const at = (name: string): string => join(directory, name);
  const tree = async (name: string, files: readonly string[]): Promise<string> => {
    for (const file of files) {
      await mkdir(join(at(name), file, ".."), { recursive: true });
      await writeFile(join(at(name), file), "x".repeat(100_000));
    }
    return at(name);
  };
  const tar = (name: string, ...words: readonly string[]): string => {
    execFileSync("tar", ["-cf", at(name), ...words], { stdio: "ignore" });
    return at(name);
  };
  const cut = async (name: string): Promise<string> => {
    const whole = await readFile(at(name));
    await writeFile(at(`cut-${name}`), whole.subarray(0, whole.length >> 1));
    return at(`cut-${name}`);
  };
  const written = async (name: string, text: string | Buffer): Promise<string> => {
    await writeFile(at(name), text, "latin1");
    return at(name);
  };
  const good = await tree("good", ["etc/motd"]);
  for (const [name, how] of [
    ["plain.tar", "--no-auto-compress"],
    ["gzip.tar", "--gzip"],
    ["xz.tar", "--xz"],
  ] as const)
    tar(name, how, "-C", good, ".");
  const damaged = await readFile(at("gzip.tar"));
  damaged.fill(0xff, damaged.length - 8, damaged.length - 4); // its checksum: gzip(1) notices nothing before
  const link = await tree("link", ["a/b"]);
  await mkdir(at("way"));
  await symlink("/etc", join(at("way"), "a"));
  const docker = await tree("docker", ["manifest.json", "repositories", "0123/layer.tar"]);
  const oci = await tree("oci", ["oci-layout", "index.json", "manifest.json", "blobs/x"]);
  const nested = await tree("nested", ["rootfs/etc/motd"]);
  return [
    [await written("empty.tar", ""), "it is empty"],
    [tar("nothing.tar", "--files-from", "/dev/null"), "nothing is in it"],
    [
      await written("text.tar", "no archive\n".repeat(900)),
      "it is not a tar archive, plain or compressed",
    ],
    [await written("zip.tar", "PK\x03\x04".repeat(900)), "it is a zip file, not a tar archive"],
    [await cut("plain.tar"), CUT],
    [await written("cut-between.tar", (await readFile(at("plain.tar"))).subarray(0, 512)), CUT],
    [await cut("gzip.tar"), CUT],
    [await cut("xz.tar"), CUT],
    [await written("damaged.tar", damaged), "its compressed data is damaged"],
    [
      tar(
        "outside.tar",
        "--absolute-names",
        "--transform=s,^etc,../../etc,",
        "-C",
        good,
        "etc/motd",
      ),
      "its member ../../etc/motd lies outside of the root filesystem",
    ],
    [
      tar("link.tar", "-C", at("way"), "a", "-C", link, "a/b"),
      "its member a/b lies below a link, or below a file",
    ],
    [tar("docker.tar", "-C", docker, "."), DOCKER],
    [tar("oci.tar", "-C", oci, "."), DOCKER],
    [
      tar("nested.tar", "-C", nested, "."),
      "the root filesystem in it is not at its top, but in the directory rootfs",
    ],
  ];
}
