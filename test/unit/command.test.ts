import { describe, expect, it } from "vitest";

import { runCommand } from "../../src/command.js";

describe("runCommand", () => {
  it("ends a tool that takes too long", async () => {
    await expect(runCommand(["sleep", "60"], { timeoutMs: 50 })).rejects.toMatchObject({
      code: "DEADLINE",
      message: "cannot run sleep 60: no end after 50 ms",
    });
  });

  it("has tools tell times in UTC", async () => {
    expect(await runCommand(["date", "+%Z"])).toBe("UTC\n");
  });
});
