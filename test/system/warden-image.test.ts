import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { BoundarySpec, ImageName, MountSpec, VolumeName } from "../../src/spec/index.js";
import { deadline, output, useWorld } from "./warden/fixture.js";
import { ODD_USERS, openPool } from "./warden/image.js";
import type { Pool } from "./warden/image.js";

describe("a cell on an image", () => {
  let directory = "";
  let pool: Pool;
  beforeAll(() => {
    directory = mkdtempSync("/tmp/henge-p-");
    pool = openPool(directory);
  });
  afterAll(() => {
    pool.close();
    rmSync(directory, { recursive: true });
  });
  const world = useWorld();

  async function allocate(mount?: Partial<MountSpec>, boundary: Partial<BoundarySpec> = {}) {
    const mounts =
      mount === undefined
        ? []
        : [{ volume: "data" as VolumeName, path: "/data", readOnly: false, ...mount }];
    const root = { kind: "image", image: "test" as ImageName } as const;
    return await world().allocate(
      { root: pool.image, mountSources: mounts.map(() => pool.volume) },
      { root, mounts, ...boundary },
    );
  }

  it("sees the image's files as owned by its own root, and cannot write to them", async () => {
    const warden = await allocate();
    const lines = await output(world(), warden, "stat -c '%u %g' / /etc/passwd; touch /x; ls /");
    expect(lines.slice(0, 2)).toEqual(["0 0", "0 0"]);
    expect(lines[2]).toMatch(/Read-only file system/);
    expect(lines).toContain("data");
    await warden.free(deadline());
  });

  it("can notify although the daemon's own directory has the name of the socket's", async () => {
    const warden = await world().allocate(
      { root: pool.image, hidden: ["/run/henge"] },
      { root: { kind: "image", image: "test" as ImageName } },
    );
    const script = "test -S $NOTIFY_SOCKET && echo there";
    expect(await output(world(), warden, script, { readiness: { kind: "notify" } })).toEqual([
      "there",
    ]);
  });

  it("runs as the image's users, with their groups", async () => {
    const warden = await allocate();
    expect(
      await output(world(), warden, "id -u; id -g; id -G; echo $HOME", { user: "app" }),
    ).toEqual([...["1000", "1001", "1001 1005", "/home/app"]]);
    expect(await output(world(), warden, "id -u; id -g", { user: "1234" })).toEqual([
      "1234",
      "1234",
    ]);
    await expect(output(world(), warden, "id", { user: "huge" })).rejects.toMatchObject({
      op: "user",
      errno: "ERANGE",
    });
    await warden.free(deadline());
  });

  it("runs as users of any name the image has", async () => {
    const warden = await allocate({ owner: "first.last" });
    for (const [index, user] of ODD_USERS.entries())
      expect(
        await output(world(), warden, 'id -u; echo "$USER"; stat -c %u /data', { user }),
      ).toEqual([String(2_000 + index), user, "2000"]);
    expect(await output(world(), warden, "id -G", { user: "first.last" })).toEqual(["1001 1005"]);
    await warden.free(deadline());
  });

  it("gives a volume to its owner, and stores ids as the cell counts them", async () => {
    const warden = await allocate({ owner: "app", mode: 0o2750 });
    expect(
      await output(world(), warden, "stat -c '%u %g %a' /data; touch /data/x; stat -c %u /data/x", {
        user: "app",
      }),
    ).toEqual([...["1000 1001 2750", "1000"]]);
    const file = join(pool.volume.path, "x");
    expect([statSync(pool.volume.path).uid, statSync(file).uid, statSync(file).gid]).toEqual([
      1000, 1000, 1001,
    ]);
    await warden.free(deadline());
  });

  it("honours no setuid bit and no device node of a volume", async () => {
    const warden = await allocate({ path: "/data" });
    const [line] = await output(
      world(),
      warden,
      "cat /proc/self/mountinfo | while read a b c d point options rest; do [ $point = /data ] && echo $options; done",
    );
    expect(line).toBe("rw,nosuid,nodev,relatime,idmapped");
    await warden.free(deadline());
  });

  it("may mount a volume read-only", async () => {
    const warden = await allocate({ readOnly: true });
    expect((await output(world(), warden, "touch /data/y"))[0]).toMatch(/Read-only file system/);
    await warden.free(deadline());
  });

  it("may have a file placed in a volume, where its mount point is made", async () => {
    const source = join(world().root, "conf");
    writeFileSync(source, "text\n");
    const warden = await allocate({}, { files: [{ source, path: "/data/live/.env" }] });
    expect(await output(world(), warden, "cat /data/live/.env; stat -c %u /data/live")).toEqual([
      "text",
      "0",
    ]);
    await warden.free(deadline());
  });

  it("never follows a symbolic link of a volume to a mount point", async () => {
    const link = join(pool.volume.path, "link");
    symlinkSync("/etc", link);
    const refused = allocate({}, { tmpfs: [{ path: "/data/link/x", sizeBytes: 4096 }] });
    await expect(refused).rejects.toMatchObject({ op: "mount", errno: "ELOOP" });
    rmSync(link);
  });

  it("is refused when an image's /dev or /proc leads elsewhere", async () => {
    const dev = join(pool.image.path, "dev");
    rmSync(dev, { recursive: true });
    symlinkSync("../../../../etc", dev);
    await expect(allocate()).rejects.toMatchObject({ op: "mount", errno: "ELOOP", path: "/dev" });
    rmSync(dev);
    mkdirSync(dev);
  });

  it("is refused another subvolume, or a plain directory in the right one", async () => {
    const plain = join(pool.volume.path, "plain");
    mkdirSync(plain, { recursive: true });
    for (const change of [
      { identity: pool.image.identity },
      { path: plain },
      { fsType: 0xef53 }, // ext4's
    ]) {
      const boundary = {
        root: { kind: "image", image: "test" as ImageName },
        mounts: [{ volume: "data" as VolumeName, path: "/data", readOnly: false }],
      } as const;
      const refused = world().allocate(
        { root: pool.image, mountSources: [{ ...pool.volume, ...change }] },
        boundary,
      );
      await expect(refused).rejects.toMatchObject({ op: "identify", errno: "ESTALE" });
    }
  });

  it("keeps host users' files on a volume from becoming its own", async () => {
    const file = join(pool.volume.path, "foreign");
    writeFileSync(file, "");
    chownSync(file, 70_000, 70_000);
    chmodSync(file, 0o600);
    const warden = await allocate({});
    expect(
      await output(world(), warden, "stat -c '%u %g' /data/foreign; cat /data/foreign"),
    ).toEqual(["65534 65534", expect.stringMatching(/Permission denied/)]);
    await warden.free(deadline());
  });
});
