import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, it } from "vitest";

import { readStats } from "../../../src/kernel/cgroup-stats.js";
import { temporaryDirectory } from "../../fixture/directory.js";

const PRESSURE = (avg10: string): string =>
  `some avg10=${avg10} avg60=0.50 avg300=0.10 total=123\nfull avg10=9.99 avg60=0.00 avg300=0.00 total=0\n`;

const FILES = {
  "memory.current": "104857600\n",
  "memory.max": "536870912\n",
  "memory.events": "low 0\nhigh 3\nmax 12\noom 2\noom_kill 4\noom_group_kill 0\n",
  "cpu.stat": "usage_usec 1234567\nuser_usec 1000000\nsystem_usec 234567\n",
  "pids.current": "17\n",
  "io.stat":
    "8:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=77 dios=0\n7:1 rbytes=100 wbytes=1 rios=1 wios=1 dbytes=0 dios=0\n",
  "cpu.pressure": PRESSURE("31.50"),
  "memory.pressure": PRESSURE("0.00"),
  "io.pressure": PRESSURE("2.25"),
};

async function cgroup(files: Partial<typeof FILES>): Promise<string> {
  const directory = await temporaryDirectory();
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  return directory;
}

it("reads what a cell uses", async () => {
  expect(await readStats(await cgroup(FILES))).toEqual({
    memoryBytes: 104_857_600,
    memoryMaxBytes: 536_870_912,
    cpuUsageUs: 1_234_567,
    pids: 17,
    oomKills: 4,
    ioReadBytes: 4_196,
    ioWrittenBytes: 8_193,
    pressureAvg10: { cpu: 31.5, memory: 0, io: 2.25 },
  });
});

it("says nothing of what the host does not count, and of a bound that there is not", async () => {
  const { "cpu.stat": cpu } = FILES;
  expect(await readStats(await cgroup({ "cpu.stat": cpu }))).toEqual({ cpuUsageUs: 1_234_567 });
  const unbounded = { "cpu.stat": cpu, "memory.current": "4096\n", "memory.max": "max\n" };
  expect(await readStats(await cgroup(unbounded))).toEqual({
    memoryBytes: 4_096,
    cpuUsageUs: 1_234_567,
  });
});

it("counts nothing as nothing where no device was used", async () => {
  const { "cpu.stat": cpu } = FILES;
  expect(await readStats(await cgroup({ "cpu.stat": cpu, "io.stat": "" }))).toMatchObject({
    ioReadBytes: 0,
    ioWrittenBytes: 0,
  });
});

it("has nothing to say of a cgroup that is gone", async () => {
  const directory = await temporaryDirectory();
  expect(await readStats(join(directory, "gone"))).toBeUndefined();
  await mkdir(join(directory, "empty"));
  expect(await readStats(join(directory, "empty"))).toBeUndefined();
});
