// What keeps a monolith within what there is, and its settings to themselves.

import type { Mutation } from "./mutation.js";

export const BUDGETS: readonly Mutation[] = [
  {
    name: "a second owner of what is exclusive is accepted",
    file: "src/manifest/budget-rules.ts",
    from: "  return [...overlapping, ...second];",
    to: "  return overlapping;",
    test: "test/unit/manifest/budget.test.ts",
  },
  {
    name: "what is exclusive is owned by two generations",
    file: "src/manifest/budget-rules.ts",
    from: "  return [...overlapping, ...second];",
    to: "  return second;",
    test: "test/unit/manifest/budget.test.ts",
  },
  {
    name: "a limit its server is not started with is believed",
    file: "src/manifest/budget-rules.ts",
    from: 'if (typeof limit !== "number" || limit === Number(found)) return [];',
    to: "if (found !== undefined) return [];",
    test: "test/unit/manifest/budget.test.ts",
  },
  {
    name: "generations that overlap are counted once",
    file: "src/plan/budgets.ts",
    from: "times: overlaps(findUnit(spec, unit)) ? 2 : 1,",
    to: "times: 1,",
    test: "test/unit/plan/budgets.test.ts",
  },
  {
    name: "what cannot fit is brought up",
    file: "src/reconcile/admission/budgets.ts",
    from: "if (refused.length === 0) return rows;",
    to: "if (refused.length >= 0) return rows;",
    test: "test/unit/reconcile/budgets.test.ts",
  },
  {
    name: "a one-off takes no room",
    file: "src/reconcile/verbs/one-offs.ts",
    from: "    add(1);\n",
    to: "",
    test: "test/unit/reconcile/one-offs.test.ts",
  },
  {
    name: "an option's value is in the audit trail",
    file: "src/reconcile/verbs/command-words.ts",
    from: 'word.startsWith("-") || ',
    to: "",
    test: "test/unit/reconcile/one-offs.test.ts",
  },
  {
    name: "a line of a file of settings is shown in an error",
    file: "src/plan/settings.ts",
    from: "is not NAME=VALUE`]",
    to: 'is not NAME=VALUE: ${text.split("\\n")[index] ?? ""}`]',
    test: "test/unit/plan/settings.test.ts",
  },
  {
    name: "a file of settings may set what it must not",
    file: "src/plan/settings.ts",
    from: "...unmet, ...refused]",
    to: "...unmet]",
    test: "test/unit/plan/settings.test.ts",
  },
  {
    name: "settings that everybody may read are taken",
    file: "src/kernel/settings-file.ts",
    from: "(facts.mode & OTHERS) !== 0",
    to: "(facts.mode & OTHERS) > OTHERS",
    test: "test/system/settings.test.ts",
    built: true,
  },
  {
    name: "a file of settings is not looked at",
    file: "src/reconcile/admission/desire.ts",
    from: "await refuseUnfitSettings(placed, ports);",
    to: "await refuseUnfitSettings({ ...placed, settings: [] }, ports);",
    test: "test/system/settings.test.ts",
    built: true,
  },
];
