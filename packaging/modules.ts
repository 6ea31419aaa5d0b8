// The modules that are in the package: which of node_modules the programs load, and what their authors want said of them.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** What package-lock.json says of a module. */
export interface Module {
  /** Where it lies, e.g. `node_modules/zod`. */
  readonly path: string;
  readonly version: string;
  readonly license: string;
}

interface Lock {
  readonly packages: Readonly<
    Record<string, { readonly version: string; readonly license?: string; readonly dev?: boolean }>
  >;
}

// Paths that go through the shell tools of packaging/build as they are.
const PLAIN_PATH = /^(?:node_modules\/(?:@[\w-]+\/)?\w[\w.-]*\/?)+$/;
const TYPES_ONLY = /^node_modules\/(?:@types\/|undici-types$)/;
const APACHE =
  "Licensed under the Apache License 2.0, on Debian in /usr/share/common-licenses/Apache-2.0";

/** Neither what only builds and tests need, nor what has only types. */
export function runtimeModules(lockText: string): readonly Module[] {
  const { packages } = JSON.parse(lockText) as Lock;
  return Object.entries(packages)
    .filter(([path, { dev }]) => path !== "" && dev !== true && !TYPES_ONLY.test(path))
    .map(([path, { version, license }]) => {
      if (license === undefined) throw new Error(`cannot package ${path}: it names no licence`);
      if (!PLAIN_PATH.test(path)) throw new Error(`cannot package ${path}: what a name`);
      return { path, version, license };
    });
}

/** The package's copyright file. @param libc whose of the static programs' parts, and under which terms */
export function copyrightText(checkout: string, modules: readonly Module[], libc: string): string {
  return [
    `Henge is the work of its authors. ${APACHE}.`,
    `The programs henge-warden and henge-helper are linked statically with musl:\n\n${libc.trim()}`,
    ...modules.map((module) => {
      const { path, version, license } = module;
      const name = path.replace(/^.*node_modules\//, "");
      const text = license === "Apache-2.0" ? APACHE : readLicence(join(checkout, path));
      return `The package has ${name} ${version} of the npm registry (${license}) in /usr/lib/henge/${path}:\n\n${text}`;
    }),
    "",
  ].join("\n\n");
}

function readLicence(directory: string): string {
  const file = readdirSync(directory).find((name) => /^licen[cs]e/i.test(name));
  if (file === undefined) throw new Error(`cannot package ${directory}: it has no licence text`);
  return readFileSync(join(directory, file), "utf8").trim();
}
