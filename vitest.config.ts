import { defineConfig } from "vitest/config";

// Groups run one after another, and the files of a group so many at a time. What a file of `system`, `contract` and
// `e2e` makes in the kernel bears its process's number or its root's key, and its ports are free ones: two can run side
// by side. More would wait for each other's processor and miss their deadlines.
const AT_A_TIME = 2;

function project(name: string, groupOrder: number, testTimeout: number, maxWorkers = AT_A_TIME) {
  return {
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`],
      testTimeout,
      hookTimeout: testTimeout,
      maxWorkers,
      sequence: { groupOrder },
    },
  };
}

// How fast an emulated host is depends on whatever else its machine does: a test that failed is tried once more on the
// same host, and the report says so.
function rigProject() {
  const { test } = project("rig", 2, 900_000, 1);
  return { test: { ...test, globalSetup: ["test/rig/setup.ts"], retry: 1 } };
}

export default defineConfig({
  test: {
    projects: [
      project("unit", 0, 10_000),
      // The socket, the CLI and a fake behind them: neither root nor the kernel's facilities.
      project("api", 0, 20_000),
      project("contract", 1, 120_000),
      project("system", 1, 180_000),
      project("e2e", 1, 600_000),
      // On emulated hosts: 5 to 25 times slower, and each file takes both cores.
      rigProject(),
    ],
  },
});
