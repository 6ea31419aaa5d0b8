// What a cell whose root is the host's sees of the daemon: nothing of its state, its sockets and its pool.

import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, it, onTestFinished } from "vitest";

import { TestDaemon } from "../fixture/daemon.js";

const MANIFEST = `
henge: 1
name: shop
root: host
network: own
units: { web: { argv: [/bin/sleep, "1000"], clean-exits: [TERM] } }
`;

it("shows a cell the daemon's directories as empty ones", async () => {
  // A cell has a /tmp of its own anyway; /var/tmp is the host's.
  const daemon = await TestDaemon.startIn("/var/tmp", "--pool-size", "1");
  onTestFinished(() => daemon.remove());
  await chmod(daemon.root, 0o711);
  const manifest = join(daemon.root, "shop.yaml");
  await writeFile(manifest, MANIFEST);
  await daemon.must("up", manifest);
  const look = (path: string) =>
    daemon.must("exec", "shop", "--", "/bin/ls", "-A", join(daemon.root, path));
  expect([await look("lib"), await look("run")]).toEqual(["", ""]);
});
