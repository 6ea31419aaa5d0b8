// What a manifest is refused for before anything of a running monolith is changed.

import type { Mutation } from "./mutation.js";

const TEST = "test/system/preflight.test.ts";

export const PREFLIGHT: readonly Mutation[] = [
  {
    name: "a typo stops the unit that runs",
    file: "src/reconcile/change/reach.ts",
    from: '  if (asked !== undefined) await refuseUnfounded(context, asked, steps, "present", signal);\n',
    to: "",
    test: TEST,
    fails:
      "a unit that runs in the host's root > goes on when the user of a new manifest is mistyped",
    built: true,
  },
  {
    name: "a plan does not see that a process of the host has its port",
    file: "src/reconcile/change/preflight.ts",
    from: "    if (publish.length > 0) await network.admit(name, publish);\n",
    to: "    if (publish.length < 0) await network.admit(name, publish);\n",
    test: TEST,
    fails: "is not begun, nor planned, on a port that a process of the host has",
    built: true,
  },
  {
    name: "nobody looks into an image that was just imported",
    file: "src/reconcile/change/execute.ts",
    from: "    if (index === imports && imports > 0) await imported?.();\n",
    to: "    void imported;\n",
    test: TEST,
    fails:
      "goes on when a new image lacks what it needs, which is seen when the image is in the pool",
    built: true,
  },
  {
    name: "a link of an image leads out of it",
    file: "src/warden/root-tree.ts",
    from: '    const from = target.startsWith("/") ? [] : at;',
    to: '    if (target.startsWith("/")) return this.walk(partsOf(`../../../../../..${target}`), rest, linksLeft);\n    const from = at;',
    test: "test/unit/warden/foresee.test.ts",
    fails:
      "a unit > is looked for inside its root alone, and a circle of links or a pipe ends no look",
  },
];
