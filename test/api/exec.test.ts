import { expect, it } from "vitest";

import { HengeError, KernelError } from "../../src/errors.js";
import type { ExecOptions } from "../../src/reconcile/control.js";
import { EchoSession } from "../fake/control.js";
import { Screen, henge, keyboard } from "../fixture/cli.js";
import { startDaemon, until } from "./harness.js";

it("feeds a command, prints what it says on both streams, and exits as it did", async () => {
  const asked: ExecOptions[] = [];
  const daemon = await startDaemon({
    exec: async (options) => {
      asked.push(options);
      const session = new EchoSession({ code: 7, atMs: 1 });
      setImmediate(() => {
        session.say("stderr", "warned");
      });
      return session;
    },
  });
  const argv = [
    "exec",
    "--user",
    "postgres",
    "--env",
    "A=b=c",
    "shop/web:puma",
    "psql",
    "-c",
    "select 1",
    "-o",
    "json",
  ];
  const run = await henge(daemon.root, argv, { stdin: keyboard(["one ", "two"]).stdin });
  expect(run).toEqual({ exit: 7, stdout: "one two", stderr: "warned" });
  expect(asked).toEqual([
    {
      target: { cell: "shop/web", unit: "puma" },
      argv: ["psql", "-c", "select 1", "-o", "json"],
      env: { A: "b=c" },
      user: "postgres",
    },
  ]);
});

it("runs a one-off as exec does, under an id of its own", async () => {
  const asked: ExecOptions[] = [];
  const daemon = await startDaemon({
    exec: async (options) => {
      asked.push(options);
      return new EchoSession({ code: 7, atMs: 1 });
    },
  });
  const argv = ["run", "--env", "A=b", "shop/web", "--", "bin/tootctl", "feeds", "build", "-o"];
  const { stdin } = keyboard(["one ", "two"]);
  const run = await henge(daemon.root, argv, { stdin });
  expect(run).toEqual({ exit: 7, stdout: "one two", stderr: "" });
  expect(asked).toEqual([
    {
      target: { cell: "shop/web" },
      argv: ["bin/tootctl", "feeds", "build", "-o"],
      env: { A: "b" },
      oneOff: {
        caller: "root",
        requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      },
    },
  ]);
});

it("tells a one-off that is refused like any other error", async () => {
  const refusal = new HengeError("BUSY", "cannot run in shop: 1 one-off runs", { hint: "wait" });
  const daemon = await startDaemon({ exec: () => Promise.reject(refusal) });
  const run = await henge(daemon.root, ["run", "shop", "-o", "json"]);
  expect(run).toMatchObject({
    exit: 64,
    stderr: expect.stringContaining("options of run") as string,
  });
  const refused = await henge(daemon.root, ["run", "-o", "json", "shop", "ls"]);
  expect(refused).toMatchObject({ exit: 75, stdout: "" });
  expect(JSON.parse(refused.stderr)).toEqual({
    ...{ code: "BUSY", message: "cannot run in shop: 1 one-off runs", problems: [], hint: "wait" },
  });
});

it("carries a megabyte both ways unchanged", async () => {
  const daemon = await startDaemon({ exec: async () => new EchoSession() });
  const chunk = "x".repeat(64 * 1024);
  const run = await henge(daemon.root, ["exec", "shop", "cat"], {
    stdin: keyboard(Array<string>(16).fill(chunk)).stdin,
  });
  expect(run.exit).toBe(0);
  expect(run.stdout.length).toBe(1024 * 1024);
});

it("takes all after the target, or after `--`, as the command", async () => {
  const asked: (readonly string[])[] = [];
  const daemon = await startDaemon({
    exec: async ({ argv }) => {
      asked.push(argv);
      return new EchoSession();
    },
  });
  for (const words of [
    ["ls", "-l", "--", "x"],
    ["--", "ls", "-l"],
  ]) {
    await henge(daemon.root, ["exec", "shop", ...words]);
  }
  expect(asked).toEqual([
    ["ls", "-l", "--", "x"],
    ["ls", "-l"],
  ]);
});

it("exits with 128 and the signal when a signal ended the command", async () => {
  const daemon = await startDaemon({
    exec: async () => new EchoSession({ signal: "SIGTERM", atMs: 1 }),
  });
  expect((await henge(daemon.root, ["exec", "shop", "--", "sleep", "9"])).exit).toBe(143);
});

it.each([
  ["exec", "ENOENT", 127],
  ["exec", "EACCES", 126],
  ["exec", "ECONNRESET", 71],
  ["chdir", "ENOENT", 71],
])("says like a shell that a command cannot be run: %s %s exits %i", async (op, errno, exit) => {
  const error = new KernelError(op, errno, { path: "/bin/nope" });
  const daemon = await startDaemon({
    exec: () => Promise.reject(error),
  });
  const run = await henge(daemon.root, ["exec", "shop", "/bin/nope"]);
  expect(run).toEqual({ exit, stdout: "", stderr: `henge: ${error.message}\n` });
  expect(run.stderr).toContain(`(${errno})`);
});

it("gives the terminal to the command with -t, tells changes of its size, and takes it back", async () => {
  const asked: ExecOptions[] = [];
  const session = new EchoSession({ code: 0, atMs: 1 });
  const daemon = await startDaemon({
    exec: async (options) => {
      asked.push(options);
      return session;
    },
  });
  const never = new Promise<never>(() => undefined);
  const { stdin, raw } = keyboard(
    (async function* () {
      yield "ls\r";
      await never;
    })(),
    true,
  );
  const stdout = new Screen();
  const env = { TERM: "xterm" };
  const running = henge(daemon.root, ["exec", "-t", "shop", "sh"], { stdin, stdout, env });
  await until(() => stdout.text === "ls\r");
  expect(raw).toEqual([true]);
  stdout.rows = 50;
  stdout.emit("resize");
  expect((await running).exit).toBe(0);
  expect(asked[0]).toMatchObject({ tty: { rows: 24, columns: 80 }, env: { TERM: "xterm" } });
  expect(session.sizes).toEqual(["50x80"]);
  expect(raw).toEqual([true, false]);
  expect(stdout.listenerCount("resize")).toBe(0);
});

it("takes the terminal back when the command cannot be run", async () => {
  const daemon = await startDaemon({
    exec: () => Promise.reject(new KernelError("exec", "ENOENT")),
  });
  const { stdin, raw } = keyboard([], true);
  expect((await henge(daemon.root, ["exec", "-t", "shop", "sh"], { stdin })).exit).toBe(127);
  expect(raw).toEqual([true, false]);
});

it("refuses -t where there is no terminal", async () => {
  const daemon = await startDaemon();
  expect((await henge(daemon.root, ["exec", "-t", "shop", "sh"])).exit).toBe(64);
});
