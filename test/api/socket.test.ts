import { chmod, lstat, mkdir, readdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { fork } from "node:child_process";
import { once } from "node:events";

import { expect, it, onTestFinished } from "vitest";

import { serve } from "../../src/api/index.js";
import { createLogger } from "../../src/log.js";
import { fakeControl } from "../fake/control.js";
import { temporaryDirectory } from "../fixture/directory.js";
import { henge } from "../fixture/cli.js";
import { startDaemon } from "./harness.js";

const log = createLogger({ write: () => undefined });

async function serveOn(socketPath: string) {
  const server = await serve({ control: fakeControl(), socket: { path: socketPath }, log });
  onTestFinished(() => server.close());
  return server;
}

it("makes the socket for its owner alone, whatever the umask and the mode of the directory", async () => {
  const directory = await temporaryDirectory();
  await chmod(directory, 0o777);
  const before = process.umask(0);
  try {
    await serveOn(join(directory, "s.sock"));
  } finally {
    process.umask(before);
  }
  expect((await lstat(join(directory, "s.sock"))).mode & 0o777).toBe(0o600);
  expect(await readdir(directory)).toEqual(["s.sock"]);
});

it("takes the place of a socket that a killed daemon left", async () => {
  const root = await temporaryDirectory();
  const run = join(root, "run");
  await mkdir(run);
  // A process that binds and is killed leaves its socket behind.
  const script = join(root, "bind.mjs");
  await writeFile(
    script,
    `import net from "node:net"; net.createServer().listen(process.argv[2], () => process.send("up"));`,
  );
  const child = fork(script, [join(run, "henged.sock")]);
  await once(child, "message");
  child.kill("SIGKILL");
  await once(child, "exit");
  expect((await lstat(join(run, "henged.sock"))).isSocket()).toBe(true);
  expect((await henge(root, ["version"])).exit).toBe(69);
  await serveOn(join(run, "henged.sock"));
  expect((await henge(root, ["version"])).exit).toBe(0);
});

it("takes up what an earlier start of it left half made", async () => {
  const root = await temporaryDirectory();
  await mkdir(join(root, "run", ".new"), { recursive: true });
  const abandoned = createServer().listen(join(root, "run", ".new", "s"));
  onTestFinished(() => void abandoned.close());
  await once(abandoned, "listening");
  await serveOn(join(root, "run", "henged.sock"));
  expect((await henge(root, ["version"])).exit).toBe(0);
});

it.each([
  ["a file", (path: string) => writeFile(path, "precious")],
  ["a directory", (path: string) => mkdir(path)],
])("refuses to replace %s", async (_what, make) => {
  const path = join(await temporaryDirectory(), "s.sock");
  await make(path);
  const serving = serve({ control: fakeControl(), socket: { path }, log });
  await expect(serving).rejects.toMatchObject({ code: "WRONG_STATE" });
  expect((await lstat(path)).isSocket()).toBe(false);
  expect(await readdir(dirname(path))).toEqual(["s.sock"]);
});

it("refuses a path that a unix socket cannot have", async () => {
  const serving = serve({
    control: fakeControl(),
    socket: { path: `/tmp/${"x".repeat(103)}` },
    log,
  });
  await expect(serving).rejects.toMatchObject({ code: "USAGE" });
});

it("serves on a path of 107 bytes", async () => {
  const directory = await temporaryDirectory();
  const path = join(directory, "x".repeat(106 - directory.length));
  expect(path).toHaveLength(107);
  await serveOn(path);
  expect((await lstat(path)).isSocket()).toBe(true);
});

it("removes its socket and lets go of streams that never end when it closes", async () => {
  const never = new Promise<never>(() => undefined);
  let followed = () => {};
  const following = new Promise<void>((resolve) => (followed = resolve));
  const daemon = await startDaemon({
    logs: async function* () {
      followed();
      yield await never;
    },
  });
  const env = { HENGE_PATIENCE: "0.5" };
  const running = henge(daemon.root, ["logs", "-f", "shop"], { env });
  await following;
  const before = performance.now();
  await daemon.close();
  expect(performance.now() - before).toBeLessThan(5_000);
  expect((await running).exit).not.toBe(0);
  await expect(lstat(daemon.socketPath)).rejects.toThrow("ENOENT");
});
