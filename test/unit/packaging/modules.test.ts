import { readFileSync } from "node:fs";

import { expect, it } from "vitest";

import { copyrightText, runtimeModules } from "../../../packaging/modules.js";

const LOCK = readFileSync("package-lock.json", "utf8");
const { dependencies, devDependencies } = JSON.parse(readFileSync("package.json", "utf8")) as {
  readonly dependencies: object;
  readonly devDependencies: object;
};

function lockOf(path: string, entry: object): string {
  return JSON.stringify({ packages: { "": {}, [path]: { version: "1.0.0", ...entry } } });
}

it("packages what the programs depend on, and nothing that only builds or tests", () => {
  const paths = runtimeModules(LOCK).map(({ path }) => path);
  for (const name of Object.keys(dependencies)) expect(paths).toContain(`node_modules/${name}`);
  for (const name of Object.keys(devDependencies))
    expect(paths).not.toContain(`node_modules/${name}`);
});

it("names every module with its version and the text of its licence", () => {
  const modules = runtimeModules(LOCK);
  const text = copyrightText(process.cwd(), modules, "Copyright 2005 of the libc");
  expect(text).toContain("Copyright 2005 of the libc");
  for (const { path, version, license } of modules)
    expect(text).toContain(
      `${version} of the npm registry (${license}) in /usr/lib/henge/${path}:\n`,
    );
  expect(text).toMatch(/Copyright .*Colin McDonnell/); // zod's
});

it.each(["../../etc", "node_modules/../x", "node_modules/a b", "node_modules/-x", "/etc"])(
  "refuses a module at %j",
  (path) => {
    expect(() => runtimeModules(lockOf(path, { license: "MIT" }))).toThrow(/^cannot package /);
  },
);

it("refuses a module that names no licence", () => {
  expect(() => runtimeModules(lockOf("node_modules/a", {}))).toThrow(/it names no licence$/);
});
