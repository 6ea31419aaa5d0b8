// A small process in a mount namespace of its own that runs the runtimes Henge is measured beside.
// There cgroup2 is at /sys/fs/cgroup, as they want it, also where the host is hybrid.
// Usage: rival.js DIRECTORY CGROUP2-MOUNT, with an IPC channel; one request at a time.

import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";

import { writeBundle } from "./bundle.js";

export type RivalRequest =
  | { readonly act: "run"; readonly runtime: string }
  | { readonly act: "conmon"; readonly count: number }
  | { readonly act: "end" };

export interface RivalReply {
  /** Of a run: milliseconds from spawn to exit. */
  readonly ms?: number;
  /** Of the conmons started. */
  readonly pids?: readonly number[];
  readonly error?: string;
}

const [directory = "", cgroupMount = ""] = process.argv.slice(2);
const CGROUPS = "/sys/fs/cgroup";
const cgroup = `henge-bench-${String(process.pid)}`;
const rootfs = join(directory, "rootfs");
const containers: { readonly tool: string; readonly id: string }[] = [];
let serial = 0;

const TRUE = ["/bin/true"];
// It has neither masks nor a range of ids: it does less than the others.
const BWRAP = [
  ...["bwrap", "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts"],
  ...["--unshare-cgroup", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"],
  ...["--ro-bind", "/sys", "/sys", "--tmpfs", "/run", "--tmpfs", "/tmp"],
];

// As root, with crun below; the same root and namespaces but no user namespace and no cgroup: Podman's own of those want
// controllers and rights that not every host has. Its limits are what any host lets it set.
function podman(): readonly string[] {
  const own = ["root", "runroot", "tmpdir"].map(
    (name) => `--${name}=${join(directory, "podman", name)}`,
  );
  return [
    ...["podman", ...own, "--storage-driver=vfs", "--cgroup-manager=cgroupfs"],
    ...["--events-backend=none", "--runtime=crun", "run", "--rm", "--quiet", "--network=none"],
    ...["--cgroups=disabled", "--log-driver=none", "--ulimit=nofile=1024:1024"],
    ...["--ulimit=nproc=1024:1024", "--read-only", "--read-only-tmpfs=false", "--rootfs", rootfs],
  ];
}

function nextId(): string {
  serial += 1;
  return `bench-${String(process.pid)}-${String(serial)}`;
}

function bundleOf(id: string, argv: readonly string[]): string {
  const bundle = join(directory, "bundle", id);
  writeBundle(bundle, { argv, rootfs, cgroupsPath: `/${cgroup}/${id}` });
  return bundle;
}

function tool(name: string): string[] {
  return [name, "--root", join(directory, name)];
}

/** Starts a container that does nothing, for `exec`. */
function startIdle(name: string): string {
  const id = nextId();
  const bundle = bundleOf(id, ["/bin/sleep", "infinity"]);
  runQuietly([...tool(name), "run", "--detach", "--bundle", bundle, id]);
  containers.push({ tool: name, id });
  return id;
}

function runQuietly([file = "", ...rest]: readonly string[]): void {
  execFileSync(file, rest, { stdio: ["ignore", "ignore", "inherit"] });
}

function prepare(): ReadonlyMap<string, () => readonly string[]> {
  runQuietly(["mount", "--bind", cgroupMount, CGROUPS]);
  mkdirSync(rootfs);
  runQuietly(["mount", "--bind", "/", rootfs]);
  const once = bundleOf("true", TRUE);
  const idle = { crun: startIdle("crun"), runc: startIdle("runc") };
  return new Map([
    ["/bin/true", () => TRUE],
    ["bwrap", () => [...BWRAP, ...TRUE]],
    ["crun run", () => [...tool("crun"), "run", "--bundle", once, nextId()]],
    ["runc run", () => [...tool("runc"), "run", "--bundle", once, nextId()]],
    ["podman run", () => [...podman(), ...TRUE]],
    ["crun exec", () => [...tool("crun"), "exec", idle.crun, ...TRUE]],
    ["runc exec", () => [...tool("runc"), "exec", idle.runc, ...TRUE]],
  ]);
}

async function timeToExit([file = "", ...rest]: readonly string[]): Promise<number> {
  return await new Promise((resolve, reject) => {
    const begun = performance.now();
    const child = spawn(file, rest, { stdio: ["ignore", "ignore", "inherit"] });
    child.on("error", reject);
    child.on("exit", (code) => {
      if (code === 0) resolve(performance.now() - begun);
      else reject(new Error(`cannot measure ${file}: it ended with ${String(code)}`));
    });
  });
}

/** One conmon with a container that does nothing, as Podman and CRI-O start it. */
function startConmon(): number {
  const id = nextId();
  const bundle = bundleOf(id, ["/bin/sleep", "infinity"]);
  const pidFile = join(bundle, "pid");
  const conmonPidFile = join(bundle, "conmon.pid");
  const crun = execFileSync("which", ["crun"], { encoding: "utf8" }).trim();
  runQuietly([
    ...["conmon", "--cid", id, "--cuuid", id, "--name", id, "--bundle", bundle],
    ...["--runtime", crun, "--runtime-arg", `--root=${join(directory, "crun")}`],
    ...["--container-pidfile", pidFile, "--conmon-pidfile", conmonPidFile],
    ...["--log-path", `k8s-file:${join(bundle, "log")}`, "--socket-dir-path", directory],
  ]);
  waitForFile(pidFile);
  runQuietly([...tool("crun"), "start", id]);
  containers.push({ tool: "crun", id });
  return Number(readFileSync(conmonPidFile, "utf8"));
}

/** conmon is its own parent: it creates the container after the command that started it has ended. */
function waitForFile(path: string): void {
  const deadline = Date.now() + 5000;
  while (!existsSync(path)) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${path}`);
    execFileSync("sleep", ["0.01"]);
  }
}

function cleanUp(): void {
  for (const { tool: name, id } of containers.splice(0)) {
    runQuietly([...tool(name), "delete", "--force", id]);
  }
  const ours = join(CGROUPS, cgroup);
  if (existsSync(ours)) rmdirSync(ours);
}

async function serve(request: RivalRequest): Promise<RivalReply> {
  switch (request.act) {
    case "run": {
      const argv = runtimes.get(request.runtime);
      if (argv === undefined) throw new Error(`cannot measure ${request.runtime}: it is not known`);
      return { ms: await timeToExit(argv()) };
    }
    case "conmon":
      return { pids: Array.from({ length: request.count }, startConmon) };
    case "end":
      cleanUp();
      return {};
  }
}

function prepareOrCleanUp(): ReturnType<typeof prepare> {
  try {
    return prepare();
  } catch (error) {
    cleanUp();
    throw error;
  }
}

const runtimes = prepareOrCleanUp();
process.on("message", (request: RivalRequest) => {
  serve(request).then(
    (reply) => process.send?.(reply),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.on("disconnect", () => {
  cleanUp();
});
