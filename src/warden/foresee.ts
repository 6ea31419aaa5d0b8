// What a warden would refuse a cell or its units for, looked up in their root filesystem before anything is changed. It says
// only what is certain: what lies in a volume or another mount is left to the warden.

import { directoryFiles } from "../root-files.js";
import type { RootFiles } from "../root-files.js";
import type { CellSpec, UnitSpec } from "../spec/index.js";

import { EVERY_ROOT, failureWords } from "./failure-words.js";
import { isElf, elfInterpreter, scriptInterpreter } from "./interpreter.js";
import type { Foresight, Lack } from "./port.js";
import { RootTree } from "./root-tree.js";

/** As the warden reads it; account.c. */
const PASSWD_MAX_BYTES = 1024 * 1024;
const PASSWD_FIELDS = 7;
/** What the kernel looks at for a first line, and all program headers of a common program. */
const HEAD_BYTES = 4096;
/** environment.c */
const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const ANY_MAY_EXECUTE = 0o111;
const OTHERS_MAY_WRITE = 0o002;

type Path = Lack["path"];

/** @returns what is certain to fail; nothing when there is no doubt */
export async function foresee({ root, cell, units, isNew }: Foresight): Promise<readonly Lack[]> {
  const files = root === "host" ? directoryFiles("/") : root;
  const points = pointsOf(cell).map(({ path }) => path);
  const tree = new RootTree(files, [...EVERY_ROOT, ...points]);
  const lacks: Lack[] = isNew ? [...(await ofBoundary(files, cell, tree))] : [];
  for (const unit of units)
    for (const [path, text] of await ofUnit(tree, unit))
      if (text !== undefined) lacks.push({ unit: unit.name, path, text });
  return lacks;
}

function pointsOf({ boundary: { mounts, tmpfs, files } }: CellSpec) {
  return [
    ...mounts.map(({ path }, index) => ({ path, field: ["mounts", index, "path"] })),
    ...tmpfs.map(({ path }, index) => ({ path, field: ["tmpfs", index, "path"] })),
    ...files.map(({ path }, index) => ({ path, field: ["files", index, "path"] })),
  ];
}

async function ofBoundary(
  root: RootFiles,
  cell: CellSpec,
  tree: RootTree,
): Promise<readonly Lack[]> {
  const lacks: Lack[] = [];
  const points = pointsOf(cell);
  for (const { path, field } of points) {
    const others = points.filter((point) => point.path !== path);
    const around = new RootTree(root, [...EVERY_ROOT, ...others.map((point) => point.path)]);
    const text = await refusedPoint(around, path, field[0] === "files");
    if (text !== undefined) lacks.push({ path: field, text });
  }
  for (const [index, { path, owner }] of cell.boundary.mounts.entries()) {
    if (owner === undefined || (await hasUser(tree, owner))) continue;
    const why = "/etc/passwd of the cell's root has no such name; write one it has, or a number";
    const text = `cannot give ${path} to ${owner}: ${why}`;
    lacks.push({ path: ["mounts", index, "owner"], text });
  }
  return lacks;
}

async function refusedPoint(
  tree: RootTree,
  path: string,
  isFile: boolean,
): Promise<string | undefined> {
  const found = await tree.find(path, "refuse");
  switch (found.kind) {
    case "covered":
      return undefined;
    // The cell's root makes it where everybody may write.
    case "ENOENT":
      return (found.mode & OTHERS_MAY_WRITE) === 0 ? words("mount", "ENOENT", path) : undefined;
    case "ENOTDIR":
    case "ELOOP":
      return words("mount", found.kind, path);
    case "directory":
      return isFile
        ? `cannot show a file at ${path}: the cell's root has a directory there`
        : undefined;
    case "file":
    case "other":
      return isFile ? undefined : words("mount", "ENOTDIR", path);
  }
}

async function ofUnit(
  tree: RootTree,
  unit: UnitSpec,
): Promise<readonly (readonly [Path, string | undefined])[]> {
  const answers: [Path, string | undefined][] = [
    [["user"], await refusedUser(tree, unit.user)],
    [["cwd"], await refusedDirectory(tree, unit.cwd)],
  ];
  for (const [path, [program = ""]] of programsOf(unit))
    answers.push([[...path, 0], await refusedProgram(tree, unit, program)]);
  for (const [index, path] of unit.envFiles.entries())
    answers.push([["env-files", index], await refusedEnvFile(tree, path)]);
  return answers;
}

function programsOf({
  argv,
  readiness,
  liveness,
  health,
}: UnitSpec): readonly (readonly [Path, readonly string[]])[] {
  const probes = [
    ["readiness", readiness],
    ["liveness", liveness?.probe],
    ["health", health?.probe],
  ] as const;
  return [
    [["argv"], argv],
    ...probes.flatMap(([field, probe]) =>
      probe?.kind === "exec" ? [[[field, "exec"], probe.argv] as const] : [],
    ),
  ];
}

async function refusedUser(tree: RootTree, user: string): Promise<string | undefined> {
  return (await hasUser(tree, user)) ? undefined : words("user", "ENOENT", user);
}

/** A number is nobody's name; what another file covers is not judged. */
async function hasUser(tree: RootTree, user: string): Promise<boolean> {
  if (/^\d+$/.test(user)) return true;
  const found = await tree.find("/etc/passwd");
  if (found.kind === "covered") return true;
  const text = found.kind === "file" ? await tree.read(found.path, PASSWD_MAX_BYTES) : "";
  const lines = text.toString("utf8").split("\n");
  const names = lines.map((line) => line.split(":")).filter((one) => one.length === PASSWD_FIELDS);
  return names.some(([name]) => name === user);
}

async function refusedDirectory(tree: RootTree, path: string): Promise<string | undefined> {
  const found = await tree.find(path);
  if (found.kind === "covered" || found.kind === "directory") return undefined;
  return words("chdir", found.kind === "ENOENT" ? "ENOENT" : "ENOTDIR", path);
}

async function refusedEnvFile(tree: RootTree, path: string): Promise<string | undefined> {
  const found = await tree.find(path);
  if (found.kind === "ENOENT") return words("env-file", "ENOENT", path);
  return found.kind === "directory" ? words("env-file", "EISDIR", path) : undefined;
}

/** As execvpe(3) looks for it. */
async function refusedProgram(
  tree: RootTree,
  unit: UnitSpec,
  program: string,
): Promise<string | undefined> {
  if (program.startsWith("/")) return refusedFile(tree, program, program);
  if (program.includes("/")) return refusedFile(tree, `${unit.cwd}/${program}`, program);
  // An env file may set another.
  const path = unit.env["PATH"] ?? (unit.envFiles.length === 0 ? DEFAULT_PATH : undefined);
  return path === undefined ? undefined : refusedInPath(tree, path, program);
}

async function refusedInPath(
  tree: RootTree,
  path: string,
  program: string,
): Promise<string | undefined> {
  let refused: string | undefined;
  for (const directory of path.split(":").filter((part) => part.startsWith("/"))) {
    const { kind } = await tree.find(`${directory}/${program}`);
    if (kind === "ENOENT" || kind === "ENOTDIR") continue;
    const text = await refusedFile(tree, `${directory}/${program}`, program);
    if (text === undefined) return undefined;
    refused ??= text;
  }
  return refused ?? `cannot run ${program}: no directory of PATH (${path}) has such a program`;
}

async function refusedFile(
  tree: RootTree,
  path: string,
  shown: string,
): Promise<string | undefined> {
  const found = await tree.find(path);
  switch (found.kind) {
    case "covered":
      return undefined;
    case "ENOENT":
      return `cannot run ${shown}: the cell's root has no such program`;
    case "ENOTDIR":
    case "ELOOP":
      return words("exec", "ENOTDIR", shown);
    case "directory":
    case "other":
      return words("exec", "EACCES", shown);
    case "file":
      if ((found.mode & ANY_MAY_EXECUTE) === 0) return words("exec", "EACCES", shown);
      return refusedInterpreter(tree, await tree.read(found.path, HEAD_BYTES), shown);
  }
}

async function refusedInterpreter(
  tree: RootTree,
  head: Buffer,
  shown: string,
): Promise<string | undefined> {
  const interpreter = isElf(head) ? elfInterpreter(head) : scriptInterpreter(head);
  if (interpreter?.startsWith("/") !== true) return undefined;
  const { kind } = await tree.find(interpreter);
  if (kind !== "ENOENT" && kind !== "ENOTDIR") return undefined;
  if (interpreter.endsWith("\r"))
    return `cannot run ${shown}: it has the line ends of Windows, so its interpreter is looked for with a carriage return in its name; save it with the line ends of Unix`;
  return `cannot run ${shown}: it needs the interpreter ${interpreter}, which the cell's root does not have`;
}

function words(operation: string, errno: string, about: string): string {
  return failureWords(operation, errno, about)?.message ?? `cannot ${operation} ${about}: ${errno}`;
}
