// A spawner on a socket it inherits, as systemd starts it, and clients that speak to it without the daemon's manners.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { join } from "node:path";

import { onTestFinished } from "vitest";

import { HELPER } from "./fixture.js";

// Leaves one more descriptor open, which no warden may have.
const HOLDER =
  "use Socket; use POSIX; $| = 1; $^F = 20; my $path = shift; socket(L, AF_UNIX, SOCK_STREAM, 0); " +
  "bind(L, sockaddr_un($path)) or die $!; listen(L, 128); POSIX::dup2(fileno(L), 3); " +
  'open(F, "<", "/etc/passwd"); POSIX::dup2(fileno(F), 9); print "bound\n"; ' +
  "$ENV{LISTEN_PID} = $$; $ENV{LISTEN_FDS} = 1; exec @ARGV";

export interface PassedSpawner {
  readonly pid: number;
  readonly socket: string;
  /** Pids of the requests it has in hand. */
  children(): readonly number[];
}

/** Ends with the test. */
export async function startSpawner(directory: string): Promise<PassedSpawner> {
  const socket = join(directory, "spawner.sock");
  const child = spawn("perl", ["-e", HOLDER, socket, HELPER, "--spawner"], {
    env: { PATH: process.env["PATH"], SECRET: "of the spawner" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const ended = once(child, "exit").then(() => Promise.reject(new Error("the spawner ended")));
  await Promise.race([once(child.stdout, "data"), ended]);
  ended.catch(() => undefined);
  const pid = child.pid!;
  const children = () => {
    const text = readFileSync(`/proc/${String(pid)}/task/${String(pid)}/children`, "utf8");
    return text
      .split(" ")
      .filter((word) => word !== "")
      .map(Number);
  };
  return { pid, socket, children };
}

export async function dial(spawner: PassedSpawner): Promise<Socket> {
  const socket = connect(spawner.socket);
  socket.on("error", () => undefined); // `close` follows.
  await once(socket, "connect");
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** What it says until it hangs up. */
export async function hear(socket: Socket): Promise<string[]> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  if (!socket.closed) await once(socket, "close");
  return Buffer.concat(chunks).toString().split("\0");
}

export function withLength(payload: string | Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(Buffer.byteLength(payload));
  return Buffer.concat([head, Buffer.from(payload)]);
}

const STRANGER = `
  const socket = require("net").connect(process.argv[1], () => console.log("connected"));
  socket.on("error", () => {}).on("data", (chunk) => console.log("heard " + chunk));
  socket.on("close", () => console.log("closed"));
  socket.write(Buffer.from(process.argv[2], "hex"));`;

/** What another user of the host sees who may open the socket's file. */
export async function askAsStranger(spawner: PassedSpawner, request: Buffer): Promise<string> {
  chmodSync(join(spawner.socket, ".."), 0o755);
  chmodSync(spawner.socket, 0o777);
  const argv = ["-e", STRANGER, spawner.socket, request.toString("hex")];
  const child = spawn(process.execPath, argv, {
    ...{ uid: 65534, gid: 65534, cwd: "/", env: {} },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
  await once(child, "close");
  return said;
}
