import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

import { expect, it } from "vitest";

import { takeLock } from "../../../src/store/lock.js";
import { temporaryDirectory } from "../../fixture/directory.js";

it("refuses a second holder and names the first one's pid", async () => {
  const path = join(await temporaryDirectory(), "lock");
  await takeLock(path);
  await expect(takeLock(path)).rejects.toThrow(
    `cannot start: another henged has this root already (pid ${String(process.pid)})`,
  );
});

it("is free again as soon as a killed holder is gone", async () => {
  const path = join(await temporaryDirectory(), "lock");
  const holder = spawn("/usr/bin/flock", ["--no-fork", path, "/usr/bin/cat"], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  holder.stdin.write("\n");
  await once(holder.stdout, "data");
  await expect(takeLock(path)).rejects.toThrow("cannot start");
  holder.kill("SIGKILL");
  await takeLock(path);
});
