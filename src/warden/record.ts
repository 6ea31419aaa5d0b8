// The run-time record a warden writes of itself, and the question whether that very process still lives.

import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";

import { KernelError, errnoOf } from "../errors.js";
import { isCellName } from "../spec/index.js";
import type { CellName } from "../spec/index.js";

export interface WardenRecord {
  readonly bootId: string;
  readonly wardenPid: number;
  /** Field 22 of /proc/PID/stat: with the boot id it makes a pid unmistakable. */
  readonly wardenStart: string;
  readonly cgroup: string;
}

export function parseRecord(text: string): WardenRecord | undefined {
  const fields = new Map<string, string>();
  for (const line of text.split("\n")) {
    const cut = line.indexOf(" ");
    if (cut > 0) fields.set(line.slice(0, cut), line.slice(cut + 1));
  }
  const [bootId, warden, cgroup] = [fields.get("boot"), fields.get("warden"), fields.get("cgroup")];
  const match = /^(\d+) (\d+)$/.exec(warden ?? "");
  if (bootId === undefined || cgroup === undefined || match === null) return undefined;
  return { bootId, wardenPid: Number(match[1]), wardenStart: match[2] ?? "", cgroup };
}

/** No process has pid 0: a record that cannot be read is that of a warden that is gone. */
const GARBLED: WardenRecord = { bootId: "", wardenPid: 0, wardenStart: "", cgroup: "" };

/** Something else is in its place: a directory, a link in a circle, a file for the directory it lies in. */
const NO_RECORD = new Set(["EISDIR", "ELOOP", "ENOTDIR"]);

/** Undefined when there is none: the cell is not allocated, or not yet. */
export async function readRecord(runDirectory: string): Promise<WardenRecord | undefined> {
  try {
    return parseRecord(await readFile(join(runDirectory, "warden"), "utf8")) ?? GARBLED;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "ENOENT") return undefined;
    if (NO_RECORD.has(errno)) return GARBLED;
    throw new KernelError("read", errno, { path: runDirectory, cause: error });
  }
}

/** Whether the process of the record runs: same boot, same pid, same start time, and not a zombie. */
export async function isAlive(record: WardenRecord, bootId: string): Promise<boolean> {
  if (record.bootId !== bootId) return false;
  const stat = await readStat(record.wardenPid);
  return stat !== undefined && stat.state !== "Z" && stat.start === record.wardenStart;
}

/** When it was started, as in a record; undefined when there is no such process. */
export async function readStart(pid: number): Promise<string | undefined> {
  return (await readStat(pid))?.start;
}

async function readStat(pid: number) {
  try {
    const stat = await readFile(`/proc/${String(pid)}/stat`, "utf8");
    // The name is in parentheses and may itself hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0], start: fields[19] };
  } catch {
    return undefined;
  }
}

/** The cells that have a directory of their own; `/` is written as `.` in its name. */
export async function listCells(cellsDirectory: string): Promise<readonly CellName[]> {
  try {
    const names = await readdir(cellsDirectory);
    return names
      .map((name) => name.replaceAll(".", "/"))
      .filter(isCellName)
      .sort();
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw new KernelError("read", errnoOf(error), { path: cellsDirectory, cause: error });
  }
}
