import { expect, it } from "vitest";

import { createHost } from "../../../src/kernel/host.js";

it("tells the boot's id", async () => {
  const run = () => Promise.reject(new Error("no tool is needed"));
  const host = createHost({ cgroups: undefined, helper: "/nowhere", run, runProbe: run });
  expect(await host.bootId()).toMatch(/^[0-9a-f-]{36}$/);
});
