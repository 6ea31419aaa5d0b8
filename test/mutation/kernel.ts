// What lies between the daemon and the kernel: cgroups, places, commands.

import type { Mutation } from "./mutation.js";

export const KERNEL: readonly Mutation[] = [
  {
    name: "an aborted tool is not waited for",
    file: "src/tool-process.ts",
    from: "    await endTools(tools);",
    to: "    void endTools(tools);",
    test: "test/unit/command.test.ts",
    fails: "has seen its program end when it says that it was aborted",
  },
  {
    name: "a limit the kernel took otherwise is believed",
    file: "src/kernel/cgroup.ts",
    from: "if (after !== normaliseLimit(file, wanted))\n      throw notTaken",
    to: "if (false)\n      throw notTaken",
    test: "test/unit/kernel/cgroup.test.ts",
    fails: "writeLimit > refuses to believe a write that does not read back",
  },
  {
    name: "a cgroup outside the subtree is written",
    file: "src/kernel/cgroup.ts",
    from: '    await writeCgroupFile(directory, "cgroup.freeze", frozen ? "1" : "0");',
    to:
      '    await writeCgroupFile(directory, "cgroup.freeze", frozen ? "1" : "0");\n' +
      '    await writeCgroupFile(join(this.facts.subtree, ".."), "cgroup.max.depth", "100");',
    test: "test/system/cgroup.test.ts",
    fails: "a neighbour beside the subtree > sees nothing change, whatever is done to the cells",
  },
  {
    name: "a cpuset is lifted as if nothing ran in the cell",
    file: "src/kernel/cgroup.ts",
    from: "const wanted = lifted ? await this.#allOf(file) : text;",
    to: "const wanted = text;",
    test: "test/unit/kernel/cgroup.test.ts",
    fails:
      "writeLimit > lifts a cpuset where processes run to all there is, which then reads as none",
  },
  {
    name: "memory stays where it was when a cell's nodes change",
    file: "src/kernel/cgroup.ts",
    from: 'if (populated && file === "cpuset.mems") await this.#placeMemory(directory);',
    to: "",
    test: "test/unit/kernel/cgroup.test.ts",
    fails: "writeLimit > has what runs in a cell moved to the memory nodes it is given",
  },
  {
    name: "a cell is given CPUs the cell around it does not have",
    file: "src/plan/place.ts",
    from: "const around = enclosing(spec, cell.name, file);",
    to: "const around = undefined as ReturnType<typeof enclosing>;",
    test: "test/unit/plan/place.test.ts",
    fails:
      "finds the CPUs and memory nodes a cell cannot have, of the host or of the cell around it",
  },
  {
    name: "what a kill takes is said after it",
    file: "src/spec/limits.ts",
    from: '  "memory.oom.group",\n  "memory.max",',
    to: '  "memory.max",\n  "memory.oom.group",',
    test: "test/unit/plan/limits.test.ts",
    fails:
      "the limits of a running cell > are written so that a kill for want of memory takes what it should",
  },
  {
    name: "a facility that was not tried counts as there",
    file: "src/doctor/findings/facilities.ts",
    from: "probed !== undefined && probed.errno === undefined",
    to: "probed?.errno === undefined",
    test: "test/unit/doctor/findings/facilities.test.ts",
    fails: "judgeFacilities > takes what was not tried for missing",
  },
  {
    name: "a port that somebody else has counts as free",
    file: "src/doctor/findings/ports.ts",
    from: "listener === undefined ? [] : [describeClash(port, listener)]",
    to: "listener === undefined || !port.isHeld ? [] : [describeClash(port, listener)]",
    test: "test/unit/doctor/findings/ports.test.ts",
    fails: "judgePorts > names who has taken a port that is to be published",
  },
  {
    name: "a bound that there is not is told as one",
    file: "src/kernel/cgroup-stats.ts",
    from: "? Number(text) : undefined",
    to: "? Number(text) : 0",
    test: "test/unit/kernel/cgroup-stats.test.ts",
    fails: "says nothing of what the host does not count, and of a bound that there is not",
  },
];
