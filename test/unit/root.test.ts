import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";

import { expect, it } from "vitest";

import { rootPaths } from "../../src/root.js";
import { temporaryDirectory } from "../fixture/directory.js";

it("keeps the host's own daemon where a host keeps such things", () => {
  expect(rootPaths(undefined)).toEqual({
    state: "/var/lib/henge",
    run: "/run/henge",
    poolFile: "/var/lib/henge/pool.img",
    poolMount: "/run/henge/pool",
    socket: "/run/henge/henged.sock",
    key: "",
  });
  expect(rootPaths("")).toEqual(rootPaths(undefined));
});

it("moves everything under a root, also one that is not there yet", async () => {
  const root = join(await temporaryDirectory(), "not", "yet");
  expect(rootPaths(root)).toEqual({
    directory: root,
    state: join(root, "lib"),
    run: join(root, "run"),
    poolFile: join(root, "lib/pool.img"),
    poolMount: join(root, "run/pool"),
    socket: join(root, "run/henged.sock"),
    key: expect.stringMatching(/^[0-9a-f]{6}$/) as string,
  });
});

it("gives one directory one key, by whatever name it is reached, and another another", async () => {
  const directory = await temporaryDirectory();
  await mkdir(join(directory, "real"));
  await symlink("real", join(directory, "link"));
  const key = (name: string) => rootPaths(join(directory, name)).key;
  expect(key("link")).toBe(key("real"));
  expect(key("link/new")).toBe(key("real/../real/new/"));
  expect(key("real")).not.toBe(key("other"));
});

it("counts the bytes of a socket's path, not its characters", () => {
  expect(() => rootPaths(`/${"ж".repeat(46)}`)).toThrow(/cannot use the socket .* 109 bytes/);
  expect(rootPaths(`/${"ж".repeat(45)}`).socket).toHaveLength(62);
});
