// The rules every file is held to; ARROWS is the table of docs: which folder of src/ may import what.

import js from "@eslint/js";
import { defineConfig, globalIgnores } from "eslint/config";
import { createNodeResolver, importX } from "eslint-plugin-import-x";
import tseslint from "typescript-eslint";

const CORE = ["spec/", "manifest/", "plan/", "supervise/"];
const EDGES = ["kernel/", "storage/", "network/", "warden/"];
/** What its rooms share, below all of them. */
const RECONCILE = ["clock.js", "control.js", "events.js", "ports.js"];
const EDGE_PORTS = ["kernel/port.js", "storage/port.js", "network/port.js", "warden/port.js"];
const PORTS = [...EDGE_PORTS, "doctor/port.js"];

/**
 * `house`: what of src/ a folder may import beside its own files. `types`: the same, but only as types.
 * `packages`: the packages it may import. `node`: whether it may import Node's own modules. `rooms`: what of the
 * folder each folder in it may import beside its own files; any when absent.
 */
const ARROWS = {
  "spec/": { house: [] },
  "manifest/": { house: ["spec/", "errors.js"], packages: ["yaml", "zod", "fastest-levenshtein"] },
  "plan/": { house: ["spec/"] },
  "supervise/": { house: ["spec/"] },
  "reconcile/": {
    house: [...CORE, "errors.js", "mutex.js", "bounded.js", "store/", "root-files.js"],
    types: PORTS,
    node: true,
    rooms: {
      "admission/": RECONCILE,
      "cells/": RECONCILE,
      "change/": [...RECONCILE, "context.js", "observe.js", "admission/", "cells/"],
      "verbs/": [...RECONCILE, "context.js", "observe.js", "admission/", "cells/", "change/"],
    },
  },
  ...Object.fromEntries(
    EDGES.map((edge) => [
      edge,
      {
        house: [
          ...["spec/", "errors.js", "mutex.js", "bounded.js", "root-files.js"],
          ...["command.js", "command-stream.js"],
          ...(edge === "storage/" ? ["atomic-file.js", "store/record.js"] : []),
        ],
        node: true,
      },
    ]),
  ),
  "doctor/": { house: ["spec/", "errors.js"], types: EDGE_PORTS },
  "store/": { house: ["spec/", "errors.js", "mutex.js", "atomic-file.js"], node: true },
  "api/": {
    house: ["spec/", "errors.js", "surface.js", "reconcile/", "log.js", "root.js", "package.js"],
    types: PORTS,
    packages: ["@grpc/grpc-js", "@grpc/proto-loader"],
    node: true,
  },
  "cli/": {
    house: [
      ...["spec/", "manifest/", "errors.js", "surface.js", "root.js", "package.js"],
      ...["api/gen/", "api/service.js", "api/asker.js"],
    ],
    packages: [
      "@grpc/grpc-js",
      "@grpc/proto-loader",
      "commander",
      "cli-table3",
      "fastest-levenshtein",
    ],
    node: true,
  },
  // In C alone.
  "helper/": { house: [] },
};

/** One pattern that matches every import a file `depth` folders below src/ may not make. */
function outside({ house, packages = [], node = false }, depth, inside) {
  const allowed = [
    String.raw`\./`,
    ...inside,
    ...house.map((path) => climb(path, depth)),
    ...packages.map((name) => exactly(name)),
    ...(node ? ["node:"] : []),
  ];
  return `^(?!${allowed.join("|")})`;
}

/** What a file of a folder in a folder may import of the outer one. */
function within(room, depth) {
  if (room !== undefined) return room.map((path) => climb(path, depth - 1));
  return depth > 1 ? [String.raw`(?:\.\./){1,${depth - 1}}\w`] : [];
}

function climb(path, depth) {
  return String.raw`(?:\.\./){${depth}}` + exactly(path);
}

function exactly(path) {
  return path.replaceAll(".", String.raw`\.`) + (path.endsWith("/") ? "" : "$");
}

function arrow(folder, depth, room) {
  const { types = [], rooms = {}, ...rule } = ARROWS[folder];
  const house = [...rule.house, ...types];
  const patterns = [
    {
      regex: outside({ ...rule, house }, depth, within(rooms[room], depth)),
      message: `src/${folder}${room ?? ""} may not import this: see ARROWS in eslint.config.js.`,
    },
    ...types.map((path) => ({
      regex: `^${climb(path, depth)}`,
      allowTypeImports: true,
      message: "Only as a type: what is behind a port is wired in main.ts.",
    })),
  ];
  return {
    files: [`src/${folder}${room ?? "*/".repeat(depth - 1)}*.ts`],
    rules: { "@typescript-eslint/no-restricted-imports": ["error", { patterns }] },
  };
}

function arrowsOf([folder, { rooms = {} }]) {
  return [
    arrow(folder, 1),
    arrow(folder, 2),
    ...Object.keys(rooms).map((room) => arrow(folder, 2, room)),
  ];
}

const IMPURE = [
  ...["process", "Date", "performance", "console", "crypto", "fetch", "queueMicrotask"],
  ...["setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval"],
];

const STATIC_IMPORT = {
  selector: "ImportExpression",
  message: "Import statically: the arrows are checked on import declarations.",
};
const BARE_HANDLER = {
  selector: ":function[async=true][params.0.name=/^_?call$/]",
  message: "An async handler that rejects ends the daemon: wrap it with unary() or stream().",
};

export default defineConfig(
  globalIgnores(["dist/", "build/", "src/api/gen/"]),
  js.configs.recommended,
  {
    files: ["**/*.js"],
    languageOptions: { globals: { process: "readonly", AbortSignal: "readonly" } },
  },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { allowDefaultCaseForExhaustiveSwitch: false, requireDefaultForNonUnion: true },
      ],
      "@typescript-eslint/return-await": ["error", "error-handling-correctness-only"],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/no-empty-function": ["error", { allow: ["arrowFunctions"] }],
      // TypeScript's noFallthroughCasesInSwitch knows which statements never end; this rule does not.
      "no-fallthrough": "off",
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", varsIgnorePattern: "^_", ignoreRestSiblings: true },
      ],
    },
  },
  {
    rules: {
      "preserve-caught-error": ["error", { requireCatchParameter: true }],
      eqeqeq: "error",
      complexity: ["error", { max: 12, variant: "modified" }],
      "max-lines": ["error", 300],
      "max-lines-per-function": ["error", 60],
    },
  },
  {
    files: ["src/**/*.ts"],
    plugins: { "import-x": importX },
    settings: {
      "import-x/extensions": [".ts"],
      "import-x/resolver-next": [createNodeResolver({ extensionAlias: { ".js": [".ts"] } })],
    },
    rules: {
      "no-console": "error",
      "no-restricted-syntax": ["error", STATIC_IMPORT],
      // Of values: circles of type imports as well are refused by test/unit/habits.test.ts.
      "import-x/no-cycle": ["error", { ignoreExternal: true }],
    },
  },
  ...Object.entries(ARROWS).flatMap(arrowsOf),
  {
    files: CORE.map((folder) => `src/${folder}**/*.ts`),
    rules: {
      "no-restricted-globals": [
        "error",
        ...IMPURE.map((name) => ({ name, message: "The core is pure: take it as an argument." })),
      ],
      "no-restricted-properties": ["error", { object: "Math", property: "random" }],
    },
  },
  {
    files: ["src/api/**/*.ts"],
    ignores: ["src/api/unary.ts", "src/api/stream.ts"],
    rules: { "no-restricted-syntax": ["error", STATIC_IMPORT, BARE_HANDLER] },
  },
  {
    files: ["test/**/*.ts"],
    rules: {
      complexity: "off",
      "max-lines": ["error", 400],
      "max-lines-per-function": "off",
      "@typescript-eslint/no-dynamic-delete": "off",
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/require-await": "off",
      "@typescript-eslint/unbound-method": "off",
    },
  },
);
