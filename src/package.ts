// Where this package lies, whether it runs from src/ or from dist/src/, and which version it is.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Absolute directory of package.json. */
export const packageDirectory: string = findPackage(dirname(fileURLToPath(import.meta.url)));

export function readPackageVersion(): string {
  const text = readFileSync(join(packageDirectory, "package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

function findPackage(directory: string): string {
  if (existsSync(join(directory, "package.json"))) return directory;
  const parent = dirname(directory);
  if (parent === directory)
    throw new Error(`no package.json above ${fileURLToPath(import.meta.url)}`);
  return findPackage(parent);
}
