import { expect, it } from "vitest";

import { exec } from "../../../src/api/rpc/exec.js";
import { EchoSession, fakeControl, iterate } from "../../fake/control.js";

const start = { target: { cell: "shop" }, argv: ["ls"], env: {} };
const open = new AbortController().signal;
const asker = { caller: "a test" };

it("kills a command that was misfed though its client is still there", async () => {
  const signals: AbortSignal[] = [];
  const control = fakeControl({
    exec: async (_options, signal) => {
      signals.push(signal);
      return new EchoSession();
    },
  });
  const replies = exec(control)(iterate([{ start }, { start }]), open, asker)[
    Symbol.asyncIterator
  ]();
  await expect(replies.next()).rejects.toMatchObject({ code: "INVALID_REQUEST" });
  expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
});

it("kills a command whose replies nobody reads any more", async () => {
  const signals: AbortSignal[] = [];
  const control = fakeControl({
    exec: async (_options, signal) => {
      signals.push(signal);
      return new EchoSession();
    },
  });
  for await (const { stdout } of exec(control)(
    iterate([{ start }, { stdin: Buffer.from("x") }]),
    open,
    asker,
  )) {
    expect(stdout?.toString()).toBe("x");
    expect(signals[0]?.aborted).toBe(false);
    break;
  }
  expect(signals[0]?.aborted).toBe(true);
});
