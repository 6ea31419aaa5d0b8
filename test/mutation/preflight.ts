// What a manifest is refused for before anything of a running monolith is changed.

import type { Mutation } from "./mutation.js";

const TEST = "test/system/preflight.test.ts";

export const PREFLIGHT: readonly Mutation[] = [
  {
    name: "a typo stops the unit that runs",
    file: "src/reconcile/change/reach.ts",
    from: "  await refuseUnfounded(context, spec, planned.steps, source, signal);\n",
    to: "  await refuseUnfounded(context, spec, [], source, signal);\n",
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
    name: "nobody looks into an image that is not in the pool yet",
    file: "src/reconcile/change/preflight.ts",
    from: "      if (archive !== undefined) await look(archive);",
    to: "      if (archive !== undefined) continue;",
    test: TEST,
    fails: "goes on when a new image lacks what it needs, which is seen in its archive",
    built: true,
  },
  {
    name: "a link of an image leads out of it",
    file: "src/warden/root-tree.ts",
    from: '    const from = seen.target.startsWith("/") ? [] : at;',
    to: "    const from = at;",
    test: "test/unit/warden/foresee.test.ts",
    fails:
      "a unit > is looked for inside its root alone, and a circle of links or a pipe ends no look",
  },
];
