// Which limits of an allocated cell must be written, and which this host cannot have.

import { LIMIT_DEFAULTS, LIMIT_FILES, controllerOf } from "../spec/index.js";
import type {
  CellName,
  CellSpec,
  Controller,
  LimitFile,
  Limits,
  MonolithSpec,
  Step,
} from "../spec/index.js";

import { formatBytes } from "./text.js";

export interface MissingController {
  readonly cell: CellName;
  readonly file: LimitFile;
  readonly controller: Controller;
}

/** Limits whose controller the host does not offer and the manifest does not accept to go without. */
export function missingControllers(
  spec: MonolithSpec,
  offered: readonly Controller[],
): readonly MissingController[] {
  return spec.cells.flatMap(({ name, limits, acceptMissingControllers }) =>
    LIMIT_FILES.filter((file) => limits[file] !== undefined)
      .map((file) => ({ cell: name, file, controller: controllerOf(file) }))
      .filter(({ controller }) => ![...offered, ...acceptMissingControllers].includes(controller)),
  );
}

/** The cell without the limits this host cannot have; that they may be missing was asked before. */
export function withOfferedLimits(spec: CellSpec, offered: readonly Controller[]): CellSpec {
  const limits = Object.entries(spec.limits).filter(([file]) =>
    offered.includes(controllerOf(file as LimitFile)),
  );
  return { ...spec, limits: Object.fromEntries(limits) };
}

/** A step for each file that must be written; a limit the manifest no longer has goes back to the kernel's default. */
export function planLimits(cell: CellName, wanted: Limits, seen: Limits): readonly Step[] {
  return LIMIT_FILES.flatMap((file): readonly Step[] => {
    const before = seen[file] ?? LIMIT_DEFAULTS[file];
    const text = wanted[file] ?? LIMIT_DEFAULTS[file];
    if (text === before) return [];
    const change = `${file} ${describeLimit(file, before)} → ${describeLimit(file, text)}`;
    const reason = wanted[file] === undefined ? `${change}, removed from the manifest` : change;
    return [{ kind: "set-limit", cell, file, text, reason }];
  });
}

function describeLimit(file: LimitFile, text: string): string {
  if (text === "") return file === "io.max" ? "max" : "all";
  if (file === "io.max") return text.replaceAll("\n", "; ");
  return file.startsWith("memory.") && /^[1-9]\d{3,}$/.test(text)
    ? formatBytes(Number(text))
    : text;
}
