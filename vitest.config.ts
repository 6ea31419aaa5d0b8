import { defineConfig } from "vitest/config";

// system and e2e share one kernel (pools, networks, cgroups): their files run one after another.
function project(name: string, testTimeout: number, parallel: boolean) {
  return {
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`],
      testTimeout,
      hookTimeout: testTimeout,
      fileParallelism: parallel,
    },
  };
}

// How fast an emulated host is depends on whatever else its machine does: a test that failed is tried once more on the
// same host, and the report says so.
function rigProject() {
  const { test } = project("rig", 900_000, false);
  return {
    test: { ...test, globalSetup: ["test/rig/setup.ts"], sequence: { groupOrder: 1 }, retry: 1 },
  };
}

export default defineConfig({
  test: {
    projects: [
      project("unit", 10_000, true),
      project("contract", 120_000, false),
      project("system", 180_000, false),
      project("e2e", 600_000, false),
      // On emulated hosts: 5 to 25 times slower, and each file takes both cores.
      rigProject(),
    ],
  },
});
