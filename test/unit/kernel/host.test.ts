import { tmpdir } from "node:os";

import { describe, expect, it } from "vitest";

import { HengeError } from "../../../src/errors.js";
import { createHost } from "../../../src/kernel/host.js";

const POOL = { driver: "btrfs", path: tmpdir(), freeBytes: 2 ** 40 };

describe("a host", () => {
  it("tells its boot id", async () => {
    const host = createHost({
      cgroups: undefined,
      stateDirectory: tmpdir(),
      pool: () => Promise.resolve(POOL),
    });
    expect(await host.bootId()).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("finds one line for each check", async () => {
    const host = createHost({
      cgroups: undefined,
      stateDirectory: tmpdir(),
      pool: () => Promise.resolve(POOL),
    });
    const checks = (await host.findings()).map((finding) => finding.check);
    expect(new Set(checks).size).toBe(checks.length);
    expect(checks).toEqual(
      expect.arrayContaining(["kernel", "cgroup2", "nft", "tar", "state", "pool driver"]),
    );
  });

  it("goes on when the pool cannot be asked and the state directory is not there", async () => {
    const host = createHost({
      cgroups: undefined,
      stateDirectory: "/nonexistent/henge",
      pool: () => Promise.reject(new HengeError("WRONG_STATE", "cannot use the pool: not mounted")),
    });
    const findings = await host.findings();
    const unfit = findings
      .filter((finding) => finding.level === "unfit")
      .map((finding) => finding.check);
    expect(unfit).toEqual(expect.arrayContaining(["state", "pool"]));
  });
});
