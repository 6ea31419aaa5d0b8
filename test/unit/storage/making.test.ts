import { expect, it } from "vitest";

import { Making } from "../../../src/storage/making.js";

it("lets one maker of a name run after the other, and makers of other names at once", async () => {
  const making = new Making();
  const done: string[] = [];
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const first = making.alone("a", async () => {
    await ended;
    done.push("first a");
  });
  const second = making.alone("a", () => Promise.resolve(done.push("second a")));
  await making.alone("b", () => Promise.resolve(done.push("b")));
  expect(making.has("a")).toBe(true);
  end();
  await Promise.all([first, second]);
  expect(done).toEqual(["b", "first a", "second a"]);
  expect([making.has("a"), making.has("b")]).toEqual([false, false]);
});

it("tells each maker its own failure, and lets the next one try", async () => {
  const making = new Making();
  const failed = making.alone("a", () => Promise.reject(new Error("no room")));
  const next = making.alone("a", () => Promise.resolve("made"));
  await expect(failed).rejects.toThrow("no room");
  expect(await next).toBe("made");
});
