// What a manifest's messages must not tell.

import type { Mutation } from "./mutation.js";

export const MANIFEST: readonly Mutation[] = [
  {
    name: "a value of env is told when it is a number",
    file: "src/manifest/problems.ts",
    from: 'if (typeof value === "number") return "a number";',
    to: 'if (typeof value === "number") return String(value);',
    test: "test/unit/manifest/syntax.test.ts",
    fails:
      "a value that may be a secret is told in no way it can be misspelt > env: { P: 123456789 }",
  },
  {
    name: "a key with its value, where the space after the colon is missing, is told whole",
    file: "src/manifest/problems.ts",
    from: 'const [name = ""] = key.split(/[:=]/);',
    to: "const name = key;",
    test: "test/unit/manifest/syntax.test.ts",
    fails: "a value that may be a secret is told in no way it can be misspelt > P:hunter2",
  },
  {
    name: "names that are too long together are found half-way through an up",
    file: "src/manifest/rules.ts",
    from: "    ...checkNameLengths(outline),\n",
    to: "",
    test: "test/unit/manifest/syntax.test.ts",
    fails:
      "what the whole path can take > refuses names that are too long together, where that begins, and before anything is made",
  },
];
