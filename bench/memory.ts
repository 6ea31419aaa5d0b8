// How much memory is a process's own: its proportional set size, pages it shares divided among those who share them.

import { readFileSync } from "node:fs";

/** KiB. @see proc_pid_smaps(5) */
export function pssKiB(pid: number): number {
  const text = readFileSync(`/proc/${String(pid)}/smaps_rollup`, "utf8");
  return Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1]);
}

export function childrenOf(pid: number): readonly number[] {
  const path = `/proc/${String(pid)}/task/${String(pid)}/children`;
  const text = readFileSync(path, "utf8").trim();
  return text === "" ? [] : text.split(" ").map(Number);
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
