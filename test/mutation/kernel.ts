// What lies between the daemon and the kernel: cgroups, places, commands.

import type { Mutation } from "./mutation.js";

export const KERNEL: readonly Mutation[] = [
  {
    name: "an aborted tool is not waited for",
    file: "src/tool-process.ts",
    from: "    await endTools(tools);",
    to: "    void endTools(tools);",
    test: "test/unit/command.test.ts",
  },
  {
    name: "a limit the kernel took otherwise is believed",
    file: "src/kernel/cgroup.ts",
    from: "if (after !== normaliseLimit(file, wanted))\n      throw notTaken",
    to: "if (false)\n      throw notTaken",
    test: "test/unit/kernel test/contract/cgroup.test.ts",
  },
  {
    name: "a cgroup outside the subtree is written",
    file: "src/kernel/cgroup.ts",
    from: '    await writeCgroupFile(directory, "cgroup.freeze", frozen ? "1" : "0");',
    to:
      '    await writeCgroupFile(directory, "cgroup.freeze", frozen ? "1" : "0");\n' +
      '    await writeCgroupFile(join(this.facts.subtree, ".."), "cgroup.max.depth", "100");',
    test: "test/system/cgroup.test.ts",
  },
  {
    name: "a cpuset is lifted as if nothing ran in the cell",
    file: "src/kernel/cgroup.ts",
    from: "const wanted = lifted ? await this.#allOf(file) : text;",
    to: "const wanted = text;",
    test: "test/unit/kernel",
  },
  {
    name: "memory stays where it was when a cell's nodes change",
    file: "src/kernel/cgroup.ts",
    from: 'if (populated && file === "cpuset.mems") await this.#placeMemory(directory);',
    to: "",
    test: "test/unit/kernel",
  },
  {
    name: "a cell is given CPUs the cell around it does not have",
    file: "src/plan/place.ts",
    from: "const around = enclosing(spec, cell.name, file);",
    to: "const around = undefined as ReturnType<typeof enclosing>;",
    test: "test/unit/plan",
  },
  {
    name: "what a kill takes is said after it",
    file: "src/spec/cell.ts",
    from: '  "memory.oom.group",\n  "memory.max",',
    to: '  "memory.max",\n  "memory.oom.group",',
    test: "test/unit/plan",
  },
  {
    name: "a facility that was not tried counts as there",
    file: "src/kernel/findings/facilities.ts",
    from: "probed !== undefined && probed.errno === undefined",
    to: "probed?.errno === undefined",
    test: "test/unit/kernel/findings/facilities.test.ts",
  },
  {
    name: "a port that somebody else has counts as free",
    file: "src/kernel/findings/ports.ts",
    from: "listener === undefined ? [] : [describeClash(port, listener)]",
    to: "listener === undefined || !port.isHeld ? [] : [describeClash(port, listener)]",
    test: "test/unit/kernel/findings/ports.test.ts",
  },
];
