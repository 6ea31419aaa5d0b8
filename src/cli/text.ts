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

/**
 * Beside the control characters: marks that turn the direction of writing, so that a line reads as another than it is, ends
 * of lines that are none to us, and the byte order mark.
 */
const FORMAT = String.raw`\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff`;
const UNSAFE = new RegExp(`[\\p{Cc}${FORMAT}]`, "gu");
const UNSAFE_IN_JSON = new RegExp(String.raw`[\u007f-\u009f${FORMAT}]`, "g");

/** What could command the operator's terminal, or deceive its reader, is written out: a cell's output must do neither. */
export function printable(text: string): string {
  return text.replace(UNSAFE, (character) => {
    const code = character.charCodeAt(0);
    if (character === "\t") return character;
    return code < 0x100 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`;
  });
}

/** One JSON document; JSON leaves DEL, C1 and the like as they are, a terminal does not. */
export function json(value: unknown, indent?: number): string {
  const text = JSON.stringify(value, null, indent);
  return `${text.replace(UNSAFE_IN_JSON, (c) => `\\u${hex(c.charCodeAt(0), 4)}`)}\n`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, "0");
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
