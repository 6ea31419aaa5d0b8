import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import type { IncomingHttpHeaders } from "node:http";
import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import { createConnection } from "node:net";

import { expect, it, onTestFinished } from "vitest";

import { hengeService } from "../../src/api/service.js";
import type { RpcName } from "../../src/api/service.js";
import { connect } from "../../src/cli/client.js";
import type { CellName, UnitName } from "../../src/spec/index.js";
import { EchoSession } from "../fake/control.js";
import { henge } from "../fixture/cli.js";
import { startDaemon, until } from "./harness.js";
import type { TestDaemon } from "./harness.js";

const LINE = {
  cell: "shop" as CellName,
  unit: "web" as UnitName,
  atMs: 1,
  stream: "stdout" as const,
  cursor: "0",
};
const LOGS = { target: { cell: "shop" }, follow: false, cursors: false, after: [] };

function rawSession(daemon: TestDaemon): ClientHttp2Session {
  const made = connectHttp2("http://localhost", {
    createConnection: () => createConnection(daemon.socketPath),
  });
  made.on("error", () => undefined);
  onTestFinished(() => {
    made.destroy();
  });
  return made;
}

function open(on: ClientHttp2Session, rpc: RpcName): ClientHttp2Stream {
  const { path } = hengeService[rpc];
  const headers = {
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
  };
  const stream = on.request(headers);
  stream.on("error", () => undefined);
  return stream;
}

function frame(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** The gRPC status of one raw message. */
async function send(daemon: TestDaemon, rpc: RpcName, message: Buffer): Promise<number> {
  const stream = open(rawSession(daemon), rpc);
  const trailers = new Promise<number>((resolve) => {
    stream.on("response", (headers: IncomingHttpHeaders) => {
      if (headers["grpc-status"] !== undefined) resolve(Number(headers["grpc-status"]));
    });
    stream.on("trailers", (headers: IncomingHttpHeaders) => {
      resolve(Number(headers["grpc-status"]));
    });
    stream.on("close", () => {
      resolve(-1);
    });
  });
  stream.end(frame(message));
  stream.resume();
  return trailers;
}

function nested(levels: number): Buffer {
  let inner = Buffer.alloc(0);
  for (let level = 0; level < levels; level++)
    inner = Buffer.concat([Buffer.from([0x0a, inner.length & 0x7f]), inner]);
  return inner;
}

it.each<[string, RpcName, () => Buffer, number[]]>([
  ["a varint without end", "Get", () => Buffer.alloc(64, 0xff), [13]],
  ["a length beyond the message", "Get", () => Buffer.from([0x0a, 0x7f, 0x61]), [5, 13]],
  ["a wire type that there is not", "Apply", () => Buffer.from([0x0f, 0x00]), [3, 13]],
  ["unknown fields alone", "Get", () => Buffer.from([0xf8, 0x07, 0x01]), [3]],
  ["nothing", "Start", () => Buffer.alloc(0), [3]],
  ["a name that is no UTF-8", "Get", () => Buffer.from([0x0a, 0x03, 0xff, 0xfe, 0xc0]), [3]],
  ["deep nesting", "Apply", () => nested(60), [3, 13]],
  ["more than 256 KiB", "Apply", () => Buffer.alloc(300 * 1024, 0x0a), [8]],
  ["bytes after a start", "Exec", () => Buffer.from([0x12, 0x01, 0x61]), [3]],
])("answers %s with an error and lives on", async (_what, rpc, message, statuses) => {
  const daemon = await startDaemon();
  expect(statuses).toContain(await send(daemon, rpc, message()));
  expect((await henge(daemon.root, ["version"])).exit).toBe(0);
});

it("hangs up on what is no HTTP/2 and lives on", async () => {
  const daemon = await startDaemon();
  const socket = createConnection(daemon.socketPath);
  socket.on("error", () => undefined);
  socket.write("GET / HTTP/1.1\r\n\r\n");
  socket.resume();
  await once(socket, "close");
  expect((await henge(daemon.root, ["version"])).exit).toBe(0);
});

it("refuses every argument it cannot use, and asks the daemon nothing", async () => {
  const asked: string[] = [];
  const note = (verb: string) => () => {
    asked.push(verb);
    return Promise.reject(new Error("never"));
  };
  const daemon = await startDaemon({
    get: note("get"),
    change: note("change"),
    exec: note("exec"),
  });
  const client = await connect(daemon.socketPath, "");
  const invalid = { code: "INVALID_REQUEST" };
  const manifest = { file: "x", directory: "/x", text: "" };
  const start = { target: { cell: "shop" }, argv: ["ls"], env: {} };
  for (const cell of [
    "",
    ".",
    "../x",
    "a/../b",
    "A",
    "a\0b",
    "cgroup.procs",
    "x".repeat(300),
    "a/b/c/d/e",
    "a\u202eb",
    "a/",
    "/a",
  ]) {
    await expect(client.call("Get", { cell })).rejects.toMatchObject(invalid);
  }
  const streams = [
    client.stream("Apply", {
      manifest: { ...manifest, directory: "x" },
      allowMissingControllers: false,
      requestId: "",
    }),
    client.stream("Apply", { manifest, allowMissingControllers: false, requestId: "x\ny" }),
    client.stream("Start", { target: { cell: "shop", unit: "../x" }, requestId: "" }),
    client.stream("Logs", { ...LOGS, sinceMs: -1 }),
    client.stream("Logs", { ...LOGS, after: [{ cell: "shop", unit: "../x", cursor: "0" }] }),
    client.stream("Events", { follow: false, sinceSeq: 2 ** 60 }),
    ...[
      { argv: [] },
      { argv: [""] },
      { argv: ["a\0b"] },
      { env: { "A=B": "x" } },
      { env: { A: "\0" } },
      { cwd: "\0" },
      { terminal: { rows: 70_000, columns: 1 } },
    ].map((bad) => {
      const call = client.exec();
      call.write({ start: { ...start, ...bad } });
      return client.replies(call);
    }),
  ];
  for (const stream of streams) await expect(drain(stream)).rejects.toMatchObject(invalid);
  client.close();
  expect(asked).toEqual([]);
});

it("ends a command that is started twice", async () => {
  let aborted = false;
  const daemon = await startDaemon({
    exec: async (_options, signal) => {
      signal.addEventListener("abort", () => (aborted = true));
      return new EchoSession();
    },
  });
  const client = await connect(daemon.socketPath, "");
  const call = client.exec();
  const start = { target: { cell: "shop" }, argv: ["ls"], env: {} };
  call.write({ start });
  call.write({ start });
  await expect(drain(client.replies(call))).rejects.toMatchObject({ code: "INVALID_REQUEST" });
  await until(() => aborted);
  client.close();
});

it.each<[string, (daemon: TestDaemon) => Promise<void>]>([
  ["cancels", cancel],
  ["is gone without a word", vanish],
])("aborts what a client asked for when it %s", async (_how, leave) => {
  let begun = false;
  let aborted = false;
  const daemon = await startDaemon({
    logs: async function* (_query, signal) {
      begun = true;
      yield { ...LINE, text: "x" };
      await new Promise<void>((resolve) => {
        signal.addEventListener("abort", () => {
          aborted = true;
          resolve();
        });
      });
      throw new Error("aborted");
    },
  });
  await leave(daemon);
  await until(() => begun && aborted);
  expect(daemon.log).toEqual([]);
  expect((await henge(daemon.root, ["version"])).exit).toBe(0);
});

async function cancel(daemon: TestDaemon): Promise<void> {
  const client = await connect(daemon.socketPath, "");
  for await (const line of client.stream("Logs", { ...LOGS, follow: true })) {
    expect(line.text).toBe("x");
    break;
  }
  client.close();
}

async function vanish(daemon: TestDaemon): Promise<void> {
  const client = rawSession(daemon);
  const stream = open(client, "Logs");
  stream.end(frame(Buffer.from([0x0a, 0x06, 0x0a, 0x04, ...Buffer.from("shop")])));
  await once(stream, "data");
  client.destroy();
}

it("asks for no more lines than a client that does not read has room for", async () => {
  let asked = 0;
  const lines = 20_000;
  const daemon = await startDaemon({
    logs: async function* () {
      for (; asked < lines; asked++) {
        if (asked % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
        yield { ...LINE, text: "x".repeat(1024) };
      }
    },
  });
  const stream = open(rawSession(daemon), "Logs");
  stream.end(frame(Buffer.from([0x0a, 0x06, 0x0a, 0x04, ...Buffer.from("shop")])));
  await until(() => asked > 0);
  let seen = -1;
  while (seen !== asked) {
    seen = asked;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(asked).toBeLessThan(lines / 10);
  stream.resume();
  await until(() => asked === lines);
});

it("holds a command up while its client does not read, and loses nothing of what it said", async () => {
  const session = new EchoSession();
  const daemon = await startDaemon({ exec: async () => session });
  // A raw one: the client of grpc-js takes all there is until its reader has asked for the first time.
  const stream = open(rawSession(daemon), "Exec");
  const start = { target: { cell: "shop" }, argv: ["yes"], env: {} };
  stream.write(frame(hengeService.Exec.requestSerialize({ start })));
  await until(() => session.heard);
  let said = 0;
  let pausedMs = 0;
  while (pausedMs < 200) {
    if (!session.paused) {
      session.say("stdout", "y".repeat(16 * 1024));
      said += 16 * 1024;
      pausedMs = 0;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (session.paused) pausedMs += 5;
    expect(said).toBeLessThan(4 * 1024 * 1024);
  }
  let taken = 0;
  stream.on("data", (chunk: Buffer) => (taken += chunk.length));
  await until(() => !session.paused && taken >= said);
});

it("holds 128 connections of 32 calls each, and hangs up on more", async () => {
  const daemon = await startDaemon();
  const one = rawSession(daemon);
  await once(one, "remoteSettings");
  expect(one.remoteSettings.maxConcurrentStreams).toBe(32);
  const sockets = Array.from({ length: 140 }, () => createConnection(daemon.socketPath));
  let closed = 0;
  for (const socket of sockets) {
    socket.on("error", () => undefined).on("close", () => closed++);
    socket.resume();
  }
  await until(() => closed === 13);
  for (const socket of sockets) socket.destroy();
  await until(() => closed === 140);
  expect((await henge(daemon.root, ["version"])).exit).toBe(0);
});

async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _item of stream);
}
