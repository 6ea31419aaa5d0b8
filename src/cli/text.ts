// How values look to a person: tables, ages, and text that cannot command the terminal it is shown on.

import Table from "cli-table3";

const BARE = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "  ",
};

/** Columns side by side, no lines, one row a line whatever the cells hold. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const style = { head: [], border: [], compact: true, "padding-left": 0, "padding-right": 0 };
  const made = new Table({ chars: BARE, style });
  made.push([...head], ...rows.map((row) => row.map(printable)));
  const lines = made.toString().split("\n");
  return lines.map((line) => `${line.trimEnd()}\n`).join("");
}

/** Control characters (C0, DEL, C1) written out, for a cell's output must not command the operator's terminal. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (control) => {
    return control === "\t" ? control : `\\x${control.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}

/** One JSON document; JSON leaves DEL and C1 as they are, a terminal does not. */
export function json(value: unknown, indent?: number): string {
  const text = JSON.stringify(value, null, indent);
  return `${text.replace(/[\u007f-\u009f]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`)}\n`;
}

export function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** The two greatest units, e.g. `2d 3h`; `4s` below a minute. */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const parts = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3_600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "m"],
    [seconds % 60, "s"],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  const shown = first < 0 ? parts.slice(-1) : parts.slice(first, first + 2);
  return shown.map(([count, unit]) => `${String(count)}${unit}`).join(" ");
}
