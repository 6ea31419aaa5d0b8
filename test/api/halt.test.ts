import { expect, it } from "vitest";

import { changing } from "../fake/control.js";
import { henge } from "../fixture/cli.js";
import { startDaemon } from "./harness.js";

it("halts everything, tells what is stopped, and resumes", async () => {
  const asked: string[] = [];
  const daemon = await startDaemon(
    changing({
      halt: (_request, { report }) => {
        asked.push("halt");
        report({ kind: "note", text: "shop is stopped" });
        return Promise.resolve();
      },
      resume: () => Promise.resolve(void asked.push("resume")),
    }),
  );
  expect((await henge(daemon.root, ["halt"])).stdout).toContain("shop is stopped");
  expect((await henge(daemon.root, ["resume"])).exit).toBe(0);
  expect(asked).toEqual(["halt", "resume"]);
});
