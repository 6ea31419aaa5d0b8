// The built daemon as a service manager starts it: on a socket it inherits, telling how it is.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { lstat, readFile, readdir, readlink, rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";

import { TestDaemon } from "../fixture/daemon.js";

const HENGED = fileURLToPath(new URL("../../dist/src/main.js", import.meta.url));
const DEADLINE_MS = 20_000;
// Prints each datagram that comes to the socket it makes.
const MANAGER =
  "use Socket; $| = 1; socket(S, AF_UNIX, SOCK_DGRAM, 0); bind(S, sockaddr_un($ARGV[0])) or die $!; " +
  'print "bound\\n"; while (defined recv(S, $_, 512, 0)) { print "$_\\n" }';

// Holds a listening socket, and starts a daemon on it for each line it is told.
const HOLDER =
  "use Socket; use POSIX; $| = 1; $^F = 10; my $path = shift; socket(L, AF_UNIX, SOCK_STREAM, 0); " +
  'bind(L, sockaddr_un($path)) or die $!; listen(L, 16); print "bound\\n"; $SIG{CHLD} = "IGNORE"; ' +
  'while (<STDIN>) { my $pid = fork; if ($pid) { print "$pid\\n"; next } $SIG{CHLD} = "DEFAULT"; ' +
  "POSIX::dup2(fileno(L), 3); $ENV{LISTEN_PID} = $$; $ENV{LISTEN_FDS} = 1; exec @ARGV }";

let daemon: TestDaemon;
let socketPath: string;

beforeAll(async () => {
  daemon = await TestDaemon.start("--pool-size", "1");
  socketPath = join(daemon.root, "run/henged.sock");
  await daemon.kill("SIGTERM");
});

afterAll(async () => {
  await rm(socketPath, { force: true });
  await daemon.begin("--pool-size", "1");
  await daemon.remove();
});

/** Starts a daemon on a held socket each time it is called, and returns its pid. */
async function holdSocket(env: Readonly<Record<string, string>> = {}) {
  await rm(socketPath, { force: true });
  const argv = ["-e", HOLDER, socketPath, process.execPath, HENGED, "--root", daemon.root];
  const holder = spawn("perl", argv, {
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["pipe", "pipe", "ignore"],
  });
  const pids: number[] = [];
  onTestFinished(async () => {
    holder.kill("SIGKILL");
    for (const pid of pids.filter(isAlive)) await end(pid, "SIGKILL");
  });
  const lines = createInterface(holder.stdout)[Symbol.asyncIterator]();
  expect((await lines.next()).value).toBe("bound");
  return async (): Promise<number> => {
    holder.stdin.write("start\n");
    const pid = Number((await lines.next()).value);
    pids.push(pid);
    return pid;
  };
}

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${String(pid)}`);
}

async function end(pid: number, signal: NodeJS.Signals): Promise<void> {
  process.kill(pid, signal);
  await until(() => !isAlive(pid));
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error("it did not come to be so");
    await delay(20);
  }
}

it("serves on the socket it inherits; who asks while no daemon runs is answered by the next", async () => {
  const start = await holdSocket();
  const before = (await lstat(socketPath)).ino;
  const asked = daemon.henge("version", "-o", "json");
  const first = await start();
  expect(await asked).toMatchObject({ exit: 0 });
  expect(JSON.parse((await asked).stdout)).toMatchObject({ daemon: { pid: first } });
  await end(first, "SIGTERM");
  expect((await lstat(socketPath)).ino).toBe(before);
  const waiting = daemon.henge("version", "-o", "json");
  const second = await start();
  expect(JSON.parse((await waiting).stdout)).toMatchObject({ daemon: { pid: second } });
  await end(second, "SIGKILL");
  expect((await lstat(socketPath)).ino).toBe(before);
}, 60_000);

it("tells when it is ready, that its event loop turns, and that it ends", async () => {
  const notify = join(daemon.root, "notify");
  const manager = spawn("perl", ["-e", MANAGER, notify], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void manager.kill("SIGKILL"));
  const said: string[] = [];
  createInterface(manager.stdout).on("line", (line) => said.push(line));
  await until(() => said.includes("bound"));
  const start = await holdSocket({ NOTIFY_SOCKET: notify, WATCHDOG_USEC: "300000" });
  const child = await start();
  await until(() => said.includes("READY=1"));
  const beats = (): number => said.filter((line) => line === "WATCHDOG=1").length;
  await until(() => beats() > 2);
  const held = await voiceOf(child);
  expect(held.environment).toBe(`NOTIFY_SOCKET=${notify}\0`);
  expect(held.listening).toBe(false);
  process.kill(child, "SIGSTOP");
  const stopped = beats();
  await delay(600);
  expect(beats() - stopped).toBeLessThanOrEqual(1); // one may have been under way
  process.kill(child, "SIGCONT");
  await until(() => beats() > stopped + 1);
  await end(child, "SIGTERM");
  await until(() => said.at(-1) === "STOPPING=1");
}, 60_000);

/** What the daemon's child that speaks for it has of the daemon. */
async function voiceOf(pid: number) {
  const children = await readFile(`/proc/${String(pid)}/task/${String(pid)}/children`, "utf8");
  for (const child of children.trim().split(" ")) {
    const argv = await readFile(`/proc/${child}/cmdline`, "utf8");
    if (!argv.includes("--manager")) continue;
    const held = await Promise.all(
      (await readdir(`/proc/${child}/fd`)).map((fd) => readlink(`/proc/${child}/fd/${fd}`)),
    );
    const own = await readlink(`/proc/${String(pid)}/fd/3`);
    return {
      environment: await readFile(`/proc/${child}/environ`, "utf8"),
      listening: held.includes(own),
    };
  }
  throw new Error("the daemon has no voice");
}
