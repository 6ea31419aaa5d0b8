// The package's maintainer scripts, run by sh with their paths moved into a directory of the test's, beside tools that
// only write down what is asked of them.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { beforeEach, describe, expect, it } from "vitest";

import { OWNER_PROPERTY } from "../../../src/storage/zfs-names.js";
import { temporaryDirectory } from "../../fixture/directory.js";

const MACHINE = "0123456789abcdef0123456789abcdef";
const GUID = "1234567890";
const UNITS = "henged.service henged.socket henge-monoliths.service";

let root = "";

beforeEach(async () => {
  root = await temporaryDirectory();
  for (const directory of ["bin", "etc", "run/systemd/system"])
    mkdirSync(join(root, directory), { recursive: true });
  writeFileSync(join(root, "etc/machine-id"), `${MACHINE}\n`);
  for (const tool of ["deb-systemd-helper", "deb-systemd-invoke", "systemctl"])
    fake(
      tool,
      'echo "$(basename "$0") $*" >>asked; [ "$*" != "--quiet is-failed henge-monoliths.service" ]',
    );
});

function fake(tool: string, body: string): void {
  writeFileSync(join(root, "bin", tool), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
}

function run(script: string, argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const text = readFileSync(join("packaging/debian", script), "utf8")
    .replaceAll(/(?<![\w.])\/(?=(?:etc|run|var)\/)/g, `${root}/`)
    .replaceAll("@ENABLED@", UNITS)
    .replaceAll("@SOCKETS@", "henged.socket")
    .replaceAll("@REST@", "henge-cells.service")
    .replaceAll("@OWNER_PROPERTY@", OWNER_PROPERTY);
  execFileSync("sh", ["-c", text, script, ...argv], {
    cwd: root,
    env: { PATH: `${join(root, "bin")}:/usr/sbin:/usr/bin:/sbin:/bin`, ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
}

function asked(tool: string): readonly string[] {
  if (!existsSync(join(root, "asked"))) return [];
  const lines = readFileSync(join(root, "asked"), "utf8").trimEnd().split("\n");
  return lines.filter((line) => line.startsWith(tool)).map((line) => line.slice(tool.length + 1));
}

function makeState(): string {
  const state = join(root, "var/lib/henge");
  mkdirSync(join(state, "logs/shop"), { recursive: true });
  mkdirSync(join(state, "monoliths"));
  const files = ["pool.img", "pool.img.uuid", "volumes.json", "audit.log", "events.log"];
  for (const file of files) writeFileSync(join(state, file), file);
  writeFileSync(join(state, "zfs.guid"), `${GUID}\n`);
  return state;
}

describe("postinst", () => {
  it("enables the units and starts them where nothing runs", () => {
    run("postinst", ["configure", ""]);
    expect(asked("deb-systemd-helper")).toContain("enable henge-monoliths.service");
    expect(asked("deb-systemd-invoke")).toEqual([`start ${UNITS}`]);
  });

  it("restarts the daemon, and nothing else, in an upgrade", () => {
    mkdirSync(join(root, "run/henge"));
    run("postinst", ["configure", "0.1.0-1"]);
    expect(asked("systemctl")).toEqual(["--system daemon-reload"]);
    expect(asked("deb-systemd-invoke")).toEqual(["restart henged.service"]);
  });

  it("starts everything again after a removal, which dpkg calls an upgrade", () => {
    run("postinst", ["configure", "0.1.0-1"]);
    expect(asked("deb-systemd-invoke")).toEqual([`start ${UNITS}`]);
  });

  it("leaves a unit disabled that an administrator has disabled", () => {
    fake("deb-systemd-helper", 'echo "deb-systemd-helper $*" >>asked; [ "$2" != was-enabled ]');
    run("postinst", ["configure", "0.1.0-1"]);
    expect(asked("deb-systemd-helper").filter((words) => words.startsWith("enable"))).toEqual([]);
  });

  it.each([{ DPKG_ROOT: "/mnt" }, {}])("starts nothing without systemd (%j)", (env) => {
    execFileSync("rmdir", [join(root, "run/systemd/system")]);
    run("postinst", ["configure", ""], env);
    expect(asked("deb-systemd-helper")).toContain("enable henged.service");
    expect([...asked("deb-systemd-invoke"), ...asked("systemctl")]).toEqual([]);
  });
});

describe("prerm", () => {
  it("ends the monoliths first, then the daemon, then the cells", () => {
    run("prerm", ["remove"]);
    expect(asked("deb-systemd-invoke")).toEqual([
      "stop henge-monoliths.service",
      "stop henged.socket henged.service",
      "stop henge-cells.service",
      "stop henge.slice",
    ]);
  });

  it("touches nothing in an upgrade", () => {
    run("prerm", ["upgrade", "0.1.0-2"]);
    expect(existsSync(join(root, "asked"))).toBe(false);
  });
});

describe("postrm", () => {
  it("takes what a reboot would when the package is removed, and keeps the state", () => {
    const state = makeState();
    mkdirSync(join(root, "run/henge/pool"), { recursive: true });
    run("postrm", ["remove"]);
    expect(existsSync(join(root, "run/henge"))).toBe(false);
    expect(readdirSync(state)).toContain("audit.log");
  });

  it.each(["upgrade", "failed-upgrade", "abort-install", "abort-upgrade", "disappear"])(
    "takes nothing at %s",
    (verb) => {
      const state = makeState();
      mkdirSync(join(root, "run/henge"));
      run("postrm", [verb, "0.1.0-1"]);
      expect(existsSync(join(root, "run/henge"))).toBe(true);
      expect(readdirSync(state)).toHaveLength(8);
    },
  );

  it.each([{}, { HENGE_PURGE_POOLS: "" }, { HENGE_PURGE_POOLS: "no" }])(
    "keeps the pool and its records at a purge, and nothing else (%j)",
    (env) => {
      const state = makeState();
      fake("zfs", "touch destroyed");
      run("postrm", ["purge"], env);
      expect(readdirSync(state).sort()).toEqual(
        ["pool.img", "pool.img.uuid", "volumes.json", "zfs.guid"].sort(),
      );
      expect(existsSync(join(root, "destroyed"))).toBe(false);
    },
  );

  it("leaves no directory where there never was a pool", () => {
    mkdirSync(join(root, "var/lib/henge/logs"), { recursive: true });
    run("postrm", ["purge"]);
    expect(existsSync(join(root, "var/lib/henge"))).toBe(false);
    run("postrm", ["purge"]);
  });

  const own = (): string => `${MACHINE}:${join(root, "var/lib/henge")}`;
  it.each([
    ["its own dataset", () => `tank\t1\t-\ntank/henge\t${GUID}\t${own()}\n`, "-r tank/henge\n"],
    ["none that another host owns", () => `tank/henge\t${GUID}\tother\n`, ""],
    ["none that is not the one on record", () => `tank/henge\t99\t${own()}\n`, ""],
  ])("destroys everything when it is told to, and of ZFS %s", (_what, listing, destroyed) => {
    const state = makeState();
    writeFileSync(join(root, "datasets"), listing());
    fake(
      "zfs",
      'verb=$1; shift; case $verb in list) cat datasets ;; destroy) echo "$*" >>destroyed ;; esac',
    );
    run("postrm", ["purge"], { HENGE_PURGE_POOLS: "yes" });
    expect(existsSync(state)).toBe(false);
    const path = join(root, "destroyed");
    expect(existsSync(path) ? readFileSync(path, "utf8") : "").toBe(destroyed);
  });
});
