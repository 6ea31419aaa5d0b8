// Operations as `henge` shows them, and a client that leaves one, comes back to it or ends it.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, it } from "vitest";

import { HengeError } from "../../src/errors.js";
import type { Call, Report } from "../../src/reconcile/control.js";
import type { Operation } from "../../src/spec/index.js";
import { changing, report } from "../fake/control.js";
import { Screen, henge, keyboard } from "../fixture/cli.js";
import { unit } from "../fixture/index.js";
import { startDaemon, until } from "./harness.js";

const AT = Date.UTC(2026, 10, 23, 8, 45);
const AT_TEXT = "2026-11-23T08:45:00.000Z";
const DONE: Operation = {
  ...{ id: "r1", verb: "up", target: "shop", caller: "alice (sudo)" },
  ...{ state: "done", phase: "starting", startedAtMs: AT, endedAtMs: AT + 5_000 },
};
const FAILED: Operation = {
  ...{ ...DONE, id: "r2", state: "failed" },
  error: { code: "WRONG_STATE", message: "cannot up shop\nshop:web | boom", hint: "mend it" },
};
const START = {
  ...{ kind: "start", cell: "shop", unit: "web", spec: unit("web"), reason: "stopped" },
} as never;

it("lists operations as the array of docs/cli.md, and as a table", async () => {
  const daemon = await startDaemon({ operations: () => [DONE, FAILED] });
  const json = await henge(daemon.root, ["operations", "-o", "json"]);
  const common = { verb: "up", target: "shop", caller: "alice (sudo)", phase: "starting" };
  const times = { startedAt: AT_TEXT, endedAt: "2026-11-23T08:45:05.000Z" };
  expect(JSON.parse(json.stdout)).toEqual([
    { id: "r1", ...common, state: "done", ...times, error: null },
    {
      ...{ id: "r2", ...common, state: "failed", ...times },
      error: { code: "WRONG_STATE", message: "cannot up shop\nshop:web | boom", hint: "mend it" },
    },
  ]);
  const { stdout } = await henge(daemon.root, ["operations"]);
  expect(stdout.split("\n")[0]).toMatch(/^ID +VERB +TARGET +BY +STATE +SINCE +TOOK +ERROR$/);
  expect(stdout).toContain("cannot up shop\n");
});

it("says that an operation is not known, and exits with 66", async () => {
  const daemon = await startDaemon();
  for (const argv of [
    ["operations", "r9"],
    ["operations", "-f", "r9"],
  ]) {
    const { exit, stderr } = await henge(daemon.root, argv);
    expect([exit, stderr.split("\n")[0]]).toEqual([66, "henge: cannot find operation r9"]);
  }
});

it("cancels, as who asks for it", async () => {
  const asked: string[] = [];
  const daemon = await startDaemon({ cancel: (id, caller) => void asked.push(`${id} ${caller}`) });
  const env = { SUDO_USER: "alice" };
  const { exit } = await henge(daemon.root, ["operations", "--cancel", "r1"], { env });
  expect(exit).toBe(0);
  expect(asked).toEqual(["r1 alice (sudo)"]);
  expect((await henge(daemon.root, ["operations", "r1", "--cancel", "r1"])).exit).toBe(64);
});

it("follows one to its end, and ends as it does", async () => {
  const daemon = await startDaemon({
    operation: () => FAILED,
    follow: async (_id, to) => {
      report([START], to);
      throw new HengeError("WRONG_STATE", "cannot up shop");
    },
  });
  const { exit, stdout, stderr } = await henge(daemon.root, ["operations", "-f", "r2"]);
  expect([exit, stdout, stderr]).toEqual([
    ...[1, "[1/1] start shop:web (1.2 s)\n", "henge: cannot up shop\n"],
  ]);
});

/** An up that ends when the test says so. */
function slowUp() {
  const calls: Call[] = [];
  let end: (error?: Error) => void = () => undefined;
  const control = changing({
    up: (_request, call) => {
      calls.push(call);
      report([START], call.report);
      return new Promise((resolve, reject) => {
        call.signal.addEventListener("abort", () => {
          resolve();
        });
        end = (error) => {
          if (error === undefined) resolve();
          else reject(error);
        };
      });
    },
  });
  return { calls, control, end: (error?: Error) => end(error) };
}

async function manifest(root: string): Promise<string> {
  await writeFile(join(root, "shop.yaml"), "henge: 1\n");
  return "shop.yaml";
}

it("leaves an up as soon as it is under way with --no-wait, and hands on its time", async () => {
  const { calls, control } = slowUp();
  const daemon = await startDaemon(control);
  const file = await manifest(daemon.root);
  const left = await henge(daemon.root, ["up", file, "--no-wait", "--timeout", "5m"]);
  expect(left.exit).toBe(0);
  expect(left.stderr).toMatch(/henge operations -f [0-9a-f-]{36} follows it/);
  expect(calls[0]?.timeoutMs).toBe(300_000);
  for (const time of ["0s", "5", "-1m", "soon"])
    expect((await henge(daemon.root, ["up", file, "--timeout", time])).exit).toBe(64);
});

it("cancels an up at Ctrl-C in a pipe, and ends as the operation does", async () => {
  const { calls, control, end } = slowUp();
  const cancelled: string[] = [];
  const daemon = await startDaemon({
    ...control,
    cancel: (id) => {
      cancelled.push(id);
      end(new HengeError("CANCELLED", "up shop was cancelled"));
    },
  });
  const up = henge(daemon.root, ["up", await manifest(daemon.root)], {
    onInterrupt: (interrupt) => void until(() => calls.length > 0).then(interrupt),
  });
  expect(await up).toMatchObject({
    exit: 130,
    stderr: expect.stringContaining("cancelled") as string,
  });
  expect(cancelled).toEqual([calls[0]?.id]);
});

it("asks at Ctrl-C on a terminal whether to detach, and leaves the operation alone then", async () => {
  const { calls, control } = slowUp();
  const daemon = await startDaemon({
    ...control,
    cancel: () => {
      throw new Error("nobody said so");
    },
  });
  const stdout = new Screen();
  stdout.isTTY = true;
  const { exit, stderr } = await henge(daemon.root, ["up", await manifest(daemon.root)], {
    ...{ stdout, stdin: keyboard(["d\n"], true).stdin },
    onInterrupt: (interrupt) => void until(() => calls.length > 0).then(interrupt),
  });
  expect(exit).toBe(0);
  expect(stderr).toMatch(/detach .* or cancel\?/);
  expect(stderr).toContain("it goes on without you");
});

it("comes back to its operation when the daemon was away, and ends as that did", async () => {
  const { calls, control } = slowUp();
  const first = await startDaemon(control);
  const up = henge(first.root, ["up", await manifest(first.root)]);
  await until(() => calls.length > 0);
  await first.close();
  const followed: string[] = [];
  await startDaemon(
    {
      follow: async (id: string, to: Report) => {
        followed.push(id);
        report([START], to);
        throw new HengeError("WRONG_STATE", "cannot up shop: it ended so");
      },
    },
    first.root,
  );
  expect(await up).toMatchObject({
    exit: 1,
    stderr: expect.stringContaining("cannot up shop: it ended so") as string,
  });
  expect(followed).toEqual([calls[0]?.id]);
});

it("asks again under the same id when the next daemon has never heard of it", async () => {
  const { calls, control } = slowUp();
  const first = await startDaemon(control);
  const up = henge(first.root, ["up", await manifest(first.root)]);
  await until(() => calls.length > 0);
  await first.close();
  const ids: string[] = [];
  await startDaemon(
    {
      follow: (id) =>
        Promise.reject(new HengeError("OPERATION_NOT_FOUND", `cannot find operation ${id}`)),
      ...changing({ up: async (_request, call) => void ids.push(call.id) }),
    },
    first.root,
  );
  expect((await up).exit).toBe(0);
  expect(ids).toEqual([calls[0]?.id]);
});
