// Needs no root: the tools are a shell, head and cat.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";

import { describe, expect, it } from "vitest";

import { pipeCommands, streamCommand } from "../../src/command-stream.js";
import type { Argv } from "../../src/tool-process.js";
import { temporaryDirectory } from "../fixture/directory.js";

const MIB = 1024 * 1024;
const ZEROS: Argv = ["head", "-c", String(64 * MIB), "/dev/zero"];

/** A shell that leaves its number in the file before it becomes `command`. */
function shell(file: string, command: string): Argv {
  return ["sh", "-c", `echo $$ >${file}.new; mv ${file}.new ${file}; exec ${command}`];
}

async function pidOf(file: string): Promise<number> {
  await expect.poll(() => readFile(file, "utf8").catch(() => ""), { timeout: 5_000 }).toMatch(/\d/);
  return Number(await readFile(file, "utf8"));
}

function expectGone(pid: number): void {
  expect(() => process.kill(pid, 0)).toThrow("ESRCH");
}

function bytesRead(): { sink: Writable; bytes: () => number } {
  let bytes = 0;
  const sink = new Writable({
    write(chunk: Buffer, _, done) {
      bytes += chunk.length;
      done();
    },
  });
  return { sink, bytes: () => bytes };
}

describe("one tool between two streams", () => {
  it("passes on more than anybody would keep, and tells how far it is", async () => {
    const { sink, bytes } = bytesRead();
    const told: number[] = [];
    const moved = await streamCommand(ZEROS, { output: sink, progress: (n) => told.push(n) });
    expect(moved).toBe(64 * MIB);
    expect(bytes()).toBe(64 * MIB);
    expect(told.at(-1)).toBe(64 * MIB);
    expect(told).toEqual(told.toSorted((a, b) => a - b));
    expect(sink.writableFinished || sink.writableEnded).toBe(true);
  });

  it("holds the tool back while its reader is slow", async () => {
    const file = join(await temporaryDirectory(), "pid");
    let goOn: () => void = () => undefined;
    const sink = new Writable({
      write(_, __, done) {
        goOn = done;
      },
    });
    const stop = new AbortController();
    const stream = streamCommand(shell(file, ZEROS.join(" ")), {
      output: sink,
      signal: stop.signal,
    });
    const failed = expect(stream).rejects.toThrow("enough");
    const written = await writtenWhenStill(await pidOf(file));
    goOn();
    stop.abort(new Error("enough"));
    await failed;
    expect(written).toBeLessThan(2 * MIB);
  });

  it("feeds a tool from a stream, to its end", async () => {
    const { sink, bytes } = bytesRead();
    const input = Readable.from(pieces(100));
    expect(await streamCommand(["cat"], { input, output: sink })).toBe(100 * 1024);
    expect(bytes()).toBe(100 * 1024);
    expect(await streamCommand(["cat"], { input: Readable.from(pieces(7)) })).toBe(7 * 1024);
  });

  it("never takes a part of its input for the whole", async () => {
    const file = join(await temporaryDirectory(), "whole");
    const input = Readable.from(pieces(3, new Error("the client is gone")));
    const tool: Argv = ["sh", "-c", `cat >/dev/null && touch ${file}`];
    await expect(streamCommand(tool, { input })).rejects.toThrow("the client is gone");
    await expect(readFile(file)).rejects.toThrow("ENOENT");
  });

  it("leaves its output unfinished when the tool fails, and tells what it said last", async () => {
    const { sink } = bytesRead();
    const tool: Argv = ["sh", "-c", "echo part; echo the pool is full >&2; exit 3"];
    await expect(streamCommand(tool, { output: sink })).rejects.toMatchObject({
      exit: 3,
      stderr: "the pool is full\n",
    });
    expect(sink.writableEnded).toBe(false);
    expect(sink.destroyed).toBe(true);
  });

  it("ends a tool that moves nothing for too long, with all it has started", async () => {
    const file = join(await temporaryDirectory(), "pid");
    const tool: Argv = ["sh", "-c", `sleep 60 & echo $! >${file}; wait`];
    const stream = streamCommand(tool, { output: bytesRead().sink, idleMs: 1_500 });
    await expect(stream).rejects.toMatchObject({ code: "DEADLINE" });
    const child = Number(await readFile(file, "utf8"));
    await expect.poll(() => stateOf(child)).toMatch(/^(gone|Z)$/);
  });

  it("ends though its input is silent, when the tool does not want it", async () => {
    const input = new Readable({ read: () => undefined });
    await expect(streamCommand(["true"], { input })).resolves.toBe(0);
    await expect(streamCommand(["false"], { input })).rejects.toMatchObject({ exit: 1 });
    expect(input.destroyed).toBe(true);
  });
});

describe("two tools joined", () => {
  it("moves everything from the one to the other", async () => {
    const file = join(await temporaryDirectory(), "copy");
    const told: number[] = [];
    const moved = await pipeCommands(ZEROS, ["sh", "-c", `wc -c >${file}`], {
      progress: (bytes) => told.push(bytes),
    });
    expect(moved).toBe(64 * MIB);
    expect(told.at(-1)).toBe(64 * MIB);
    expect((await readFile(file, "utf8")).trim()).toBe(String(64 * MIB));
  });

  it("names the sender that fails, and its receiver never sees an end", async () => {
    const file = join(await temporaryDirectory(), "received");
    const sender: Argv = ["sh", "-c", "echo part; echo no such snapshot >&2; exit 4"];
    const receiver: Argv = ["sh", "-c", `cat >/dev/null; touch ${file}`];
    await expect(pipeCommands(sender, receiver, {})).rejects.toMatchObject({
      argv: sender,
      exit: 4,
      stderr: "no such snapshot\n",
    });
    await expect(readFile(file)).rejects.toThrow("ENOENT");
  });

  it("names the receiver that fails, and ends a sender that says nothing", async () => {
    const file = join(await temporaryDirectory(), "pid");
    const receiver: Argv = ["sh", "-c", "echo no space left >&2; exit 5"];
    const pair = pipeCommands(shell(file, "sleep 60"), receiver, {});
    await expect(pair).rejects.toMatchObject({ argv: receiver, exit: 5 });
    if (await readFile(file, "utf8").catch(() => undefined)) expectGone(await pidOf(file));
  });

  it("does not call it done when the receiver has not read everything", async () => {
    await expect(pipeCommands(ZEROS, ["head", "-c", "1"], {})).rejects.toThrow(
      "it ended before it had read everything",
    );
  });

  it("ends both when it is cancelled", async () => {
    const directory = await temporaryDirectory();
    const [from, to] = [join(directory, "from"), join(directory, "to")];
    const stop = new AbortController();
    const pair = pipeCommands(shell(from, "cat /dev/zero"), shell(to, "sleep 60"), {
      signal: stop.signal,
    });
    const failed = expect(pair).rejects.toThrow("somebody else is asked for");
    const pids = [await pidOf(from), await pidOf(to)];
    stop.abort(new Error("somebody else is asked for"));
    await failed;
    pids.forEach(expectGone);
  });

  it("runs neither when it is cancelled already", async () => {
    const file = join(await temporaryDirectory(), "file");
    const signal = AbortSignal.abort(new Error("no"));
    await expect(pipeCommands(["touch", file], ["touch", file], { signal })).rejects.toThrow("no");
    await expect(readFile(file)).rejects.toThrow("ENOENT");
  });
});

/** What a process has written, once that is the same at two looks. */
async function writtenWhenStill(pid: number): Promise<number> {
  let last = -1;
  let now = -1;
  await expect
    .poll(
      async () => {
        last = now;
        const io = await readFile(`/proc/${String(pid)}/io`, "utf8").catch(() => "");
        now = Number(/wchar: (\d+)/.exec(io)?.[1] ?? 64 * MIB);
        return now > 0 && now === last;
      },
      { timeout: 5_000, interval: 100 },
    )
    .toBe(true);
  return now;
}

function* pieces(count: number, failure?: Error): Generator<Buffer> {
  for (let n = 0; n < count; n += 1) yield Buffer.alloc(1024, n);
  if (failure !== undefined) throw failure;
}

async function stateOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${String(pid)}/stat`, "utf8").catch(() => undefined);
  return stat?.split(" ")[2] ?? "gone";
}
