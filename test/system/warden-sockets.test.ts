// Unix sockets a killed run has left, in a real cell: removed as the unit's user, and nothing but sockets.

import { once } from "node:events";
import { chown, lstat, mkdir, readlink, rename, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";

import { expect, it } from "vitest";

import type { Warden } from "../../src/warden/port.js";
import { deadline, exitOf, unit, useWorld } from "./warden/fixture.js";

const NOBODY = 65_534;
const world = useWorld();

/** The cell, and where the host sees one of its paths. */
async function allocate(): Promise<{
  warden: Warden;
  at: (path: string) => string;
  nobody: number;
}> {
  const request = world().request();
  const warden = await world().allocate(request);
  const root = `/proc/${String(warden.initPid)}/root`;
  return { warden, at: (path) => join(root, path), nobody: request.uidBase + NOBODY };
}

/** A socket nobody listens on any more: Node would remove it under the name it was bound to. */
async function leaveSocket(path: string, owner: number): Promise<void> {
  const server = createServer().listen(`${path}.bound`);
  await once(server, "listening");
  await rename(`${path}.bound`, path);
  server.close();
  await once(server, "close");
  await chown(path, owner, owner);
}

function start(warden: Warden, path: string, user = "65534"): Promise<unknown> {
  const argv = ["/bin/sh", "-c", `[ ! -e '${path}' ]`];
  return exitOf(warden, "u", () =>
    warden.start(unit("u", argv, { user, staleSockets: [path] }), deadline()),
  ).then(({ exit }) => exit.code);
}

it("are gone when the program starts, also when there was none", async () => {
  const { warden, at, nobody } = await allocate();
  for (const path of ["/tmp/none.sock", "/tmp/no/such/directory/web.sock"])
    expect(await start(warden, path)).toBe(0);
  await leaveSocket(at("/tmp/web.sock"), nobody);
  expect(await start(warden, "/tmp/web.sock")).toBe(0);
});

it("are all that is removed: any other file is left, and the start fails", async () => {
  const { warden, at, nobody } = await allocate();
  await leaveSocket(at("/tmp/real.sock"), nobody);
  await writeFile(at("/tmp/file"), "mine");
  await mkdir(at("/tmp/directory"));
  await symlink("real.sock", at("/tmp/link"));
  for (const path of ["/tmp/file", "/tmp/directory", "/tmp/link"]) {
    await expect(start(warden, path, "0")).rejects.toMatchObject({
      ...{ op: "remove stale socket", errno: "ENOTSOCK", path },
      message: `cannot remove stale socket ${path}: it is not a socket (ENOTSOCK)`,
    });
    await lstat(at(path));
  }
  expect((await lstat(at("/tmp/real.sock"))).isSocket()).toBe(true);
});

it("are left while somebody listens on them, and the start fails", async () => {
  const { warden, at, nobody } = await allocate();
  const server = createServer().listen(at("/tmp/web.sock"));
  try {
    await once(server, "listening");
    await chown(at("/tmp/web.sock"), nobody, nobody);
    await expect(start(warden, "/tmp/web.sock")).rejects.toMatchObject({ errno: "EADDRINUSE" });
    expect((await lstat(at("/tmp/web.sock"))).isSocket()).toBe(true);
  } finally {
    server.close();
  }
});

it("are not looked for behind a link", async () => {
  const { warden, at } = await allocate();
  await mkdir(at("/tmp/real"));
  await leaveSocket(at("/tmp/real/web.sock"), world().request().uidBase);
  await symlink("real", at("/tmp/link"));
  await expect(start(warden, "/tmp/link/web.sock", "0")).rejects.toMatchObject({ errno: "ELOOP" });
  expect(await readlink(at("/tmp/link"))).toBe("real");
  expect((await lstat(at("/tmp/real/web.sock"))).isSocket()).toBe(true);
});

it("are removed with no more rights than the unit's user has", async () => {
  const { warden, at } = await allocate();
  await leaveSocket(at("/run/web.sock"), world().request().uidBase);
  await expect(start(warden, "/run/web.sock")).rejects.toMatchObject({ errno: "EACCES" });
  expect((await lstat(at("/run/web.sock"))).isSocket()).toBe(true);
});
