import { defineConfig } from "vitest/config";

// Groups run one after another, and the files of a group so many at a time. What a file of `system`, `contract` and
// `e2e` makes in the kernel bears its process's number or its root's key, and its ports are free ones: two can run side
// by side. More would wait for each other's processor and miss their deadlines. A ZFS pool for tests is one pool, which
// some of them take away.
const AT_A_TIME = process.env["HENGE_TEST_ZFS"] === undefined ? 2 : 1;

interface Order {
  readonly group: number;
  readonly atATime?: number;
  /** In place of the folder of its name. */
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
}

function project(name: string, testTimeout: number, order: Order) {
  const {
    group,
    atATime = AT_A_TIME,
    include = [`test/${name}/**/*.test.ts`],
    exclude = [],
  } = order;
  return {
    test: {
      name,
      include: [...include],
      exclude: [...exclude],
      testTimeout,
      hookTimeout: testTimeout,
      maxWorkers: atATime,
      sequence: { groupOrder: group },
    },
  };
}

// Emulated hosts are 5 to 25 times slower. Those whose tests compare what happened with a clock have both cores.
const TIMED = ["test/rig/limits/*.test.ts", "test/rig/neighbour.test.ts"];

function rig(name: string, order: Order) {
  const { test } = project(name, 900_000, order);
  return { test: { ...test, globalSetup: ["test/rig/setup.ts"] } };
}

export default defineConfig({
  test: {
    projects: [
      project("unit", 30_000, { group: 0 }),
      // The socket, the CLI and a fake behind them: neither root nor the kernel's facilities.
      project("api", 20_000, { group: 0 }),
      project("contract", 120_000, { group: 1 }),
      project("system", 180_000, { group: 1 }),
      project("e2e", 600_000, { group: 1 }),
      rig("rig", { group: 2, atATime: 2, exclude: TIMED }),
      rig("rig-timed", { group: 3, atATime: 1, include: TIMED }),
    ],
  },
});
