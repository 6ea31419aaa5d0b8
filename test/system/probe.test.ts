// What henge-helper finds of this kernel, and of a kernel that refuses one call: strace(1) stands in for it.

import { execFile } from "node:child_process";
import { mkdir, readFile, readdir, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { findCgroup2, parseMountInfo } from "../../src/kernel/mountinfo.js";
import { parseProbe } from "../../src/kernel/probe.js";
import type { Probed } from "../../src/kernel/port.js";
import { temporaryDirectory } from "../fixture/directory.js";

const HELPER = fileURLToPath(new URL("../../dist/henge-helper", import.meta.url));
const DEADLINE_MS = 30_000;
const run = promisify(execFile);

let subtree: string;

beforeAll(async () => {
  const mount = findCgroup2(parseMountInfo(await readFile("/proc/self/mountinfo", "utf8")));
  if (mount === undefined) throw new Error("no cgroup2 is mounted");
  subtree = join(mount.mountPoint, `henge-probe-${String(process.pid)}`);
  await mkdir(subtree);
});

afterAll(() => rmdir(subtree));

async function ask(
  before: readonly string[],
  ...question: readonly string[]
): Promise<ReadonlyMap<string, Probed>> {
  const line = [...before, HELPER, "--probe", ...question];
  const { stdout } = await run(line[0] ?? "", line.slice(1), { timeout: DEADLINE_MS });
  return parseProbe(stdout);
}

async function probe(...before: readonly string[]): Promise<ReadonlyMap<string, Probed>> {
  return ask(before, "facilities", subtree);
}

/** The first word of strace's fault injection is the call; see strace(1), «Tampering». */
function refusing(
  call: string,
  errno: string,
  ...options: readonly string[]
): Promise<ReadonlyMap<string, Probed>> {
  const inject = `inject=${call}:error=${errno}`;
  return probe("/usr/bin/strace", "-f", "-o", "/dev/null", ...options, "-e", inject);
}

function failed(probed: ReadonlyMap<string, Probed>): readonly string[] {
  return [...probed].filter(([, { errno }]) => errno !== undefined).map(([name]) => name);
}

const NAMESPACES = ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"].map(
  (name) => `${name} namespace`,
);

describe("on this kernel", () => {
  it("everything works but what needs the memory controller, where there is none", async () => {
    const controllers = await readFile(join(subtree, "cgroup.controllers"), "utf8");
    const probed = await probe();
    expect(probed.size).toBe(24);
    const missing = controllers.includes("memory") ? [] : ["memory.oom.group", "memory.peak"];
    expect(failed(probed)).toEqual(missing);
    for (const name of missing) expect(probed.get(name)?.errno).toBe("ENOENT");
    expect(probed.get("landlock")?.detail).toMatch(/^ABI \d+$/);
    expect(probed.get("clock")?.detail).toMatch(/^unsync=[01] offset_us=-?\d+ maxerror_us=\d+$/);
  });

  it("nothing is left behind: no mount, no cgroup, no process", async () => {
    const mounts = await readFile("/proc/self/mountinfo", "utf8");
    await probe();
    expect(await readFile("/proc/self/mountinfo", "utf8")).toBe(mounts);
    const entries = await readdir(subtree, { withFileTypes: true });
    expect(entries.filter((entry) => entry.isDirectory())).toEqual([]);
    expect(await readFile(join(subtree, "cgroup.procs"), "utf8")).toBe("");
  });

  it("takes the place of a leaf that a killed probe has left", async () => {
    await mkdir(join(subtree, "henge.probe"));
    expect((await probe()).get("cgroup.kill")?.errno).toBeUndefined();
    expect(await readdir(subtree)).not.toContain("henge.probe");
  });

  it("says which facilities it could not try without a cgroup", async () => {
    const { stdout } = await run(HELPER, ["--probe", "facilities", "/nonexistent"]);
    expect(failed(parseProbe(stdout))).toEqual([
      ...["clone3", "cgroup.kill", "psi", "memory.oom.group", "memory.peak"],
    ]);
  });
});

describe("on a kernel that refuses one call", () => {
  it.each([
    ["openat2", ["openat2"]],
    ["fsopen", ["fsopen"]],
    ["fsconfig", ["fsopen"]],
    ["fsmount", ["fsopen"]],
    ["open_tree", ["open_tree", "move_mount", "mount_setattr"]],
    ["move_mount", ["move_mount"]],
    ["mount_setattr", ["mount_setattr"]],
    ["clone3", ["clone3"]],
    ["pidfd_open", ["pidfd"]],
    ["pidfd_send_signal", ["pidfd"]],
    ["close_range", ["close_range"]],
    ["memfd_create", ["memfd"]],
    ["prctl", ["subreaper"]],
    ["unshare", ["move_mount", ...NAMESPACES]],
    ["seccomp", ["seccomp"]],
    ["landlock_create_ruleset", ["landlock"]],
    ["adjtimex", ["clock"]],
  ])("%s, exactly what needs it is told, with the errno", async (call, names) => {
    const usual = failed(await probe());
    const probed = await refusing(call, "ENOSYS");
    expect(failed(probed)).toEqual(
      [...probed.keys()].filter((name) => [...names, ...usual].includes(name)),
    );
    for (const name of names) expect(probed.get(name)?.errno).toBe("ENOSYS");
  });

  it.each([
    ["cgroup.kill", "cgroup.kill"],
    ["psi", "cpu.pressure"],
  ])("%s is told when its file is not there", async (name, file) => {
    const probed = await refusing("openat", "ENOENT", "-P", file);
    expect(probed.get(name)?.errno).toBe("ENOENT");
  });
});

describe("on a kernel that takes a flag and does nothing", () => {
  it.each([["close_range", "close_range", "CLOSE_RANGE_CLOEXEC did nothing"]])(
    "%s is not believed",
    async (name, call, detail) => {
      const probed = await probe(
        ...["/usr/bin/strace", "-f", "-o", "/dev/null", "-e", `inject=${call}:retval=0`],
      );
      expect(probed.get(name)).toEqual({ errno: "EOPNOTSUPP", detail });
    },
  );
});

describe("id maps", () => {
  async function tryOn(source: string, ...before: readonly string[]): Promise<Probed | undefined> {
    return (await ask(before, "idmap", source)).get("idmap");
  }

  it("are tried on the file system of a directory", async () => {
    const mounts = await readFile("/proc/self/mountinfo", "utf8");
    expect(await tryOn(await temporaryDirectory())).toEqual({ detail: "" });
    expect(await readFile("/proc/self/mountinfo", "utf8")).toBe(mounts);
  });

  it("are told as missing where the file system has none", async () => {
    // proc(5) has none, and never will.
    expect(await tryOn("/proc")).toEqual({ errno: "EINVAL", detail: "mount_setattr" });
  });

  it("are not judged by what cannot be opened", async () => {
    expect(await tryOn("/nonexistent")).toEqual({ errno: "ENOENT", detail: "open_tree" });
    const inject = "inject=fsopen:error=ENODEV";
    const strace = ["/usr/bin/strace", "-f", "-o", "/dev/null", "-e", inject];
    expect(await tryOn("tank/henge", ...strace)).toEqual({ errno: "ENODEV", detail: "fsopen" });
  });
});
