// The names a manifest may give. A branded string has passed the pattern; nothing else checks it again.

export type MonolithName = string & { readonly brand: "monolith" };
/** `/`-separated labels; the first is the monolith's name, e.g. `redmine/web`. */
export type CellName = string & { readonly brand: "cell" };
export type UnitName = string & { readonly brand: "unit" };
export type VolumeName = string & { readonly brand: "volume" };
export type ImageName = string & { readonly brand: "image" };

/** One label: no dot, so that it can never meet a cgroup's own files or Henge's `henge.*` leaves. */
export const LABEL_PATTERN = /^[a-z][a-z0-9-]{0,30}$/;
export const MAX_CELL_DEPTH = 4;
/** `/run/henge/cells/CELL/warden.sock` has to fit into the 107 bytes of a socket's path, unix(7). */
export const MAX_CELL_NAME_LENGTH = 78;

export function isCellName(text: string): text is CellName {
  const labels = text.split("/");
  return labels.length <= MAX_CELL_DEPTH && labels.every((label) => LABEL_PATTERN.test(label));
}

export function isLabel(text: string): boolean {
  return LABEL_PATTERN.test(text);
}

export function monolithOf(cell: CellName): MonolithName {
  return (cell.split("/")[0] ?? cell) as MonolithName;
}

/** The cell this one is nested in; undefined for a root cell. */
export function parentOf(cell: CellName): CellName | undefined {
  const cut = cell.lastIndexOf("/");
  return cut < 0 ? undefined : (cell.slice(0, cut) as CellName);
}

/** A file-name form of a cell name that no other cell shares: labels hold no dot. */
export function fileNameOf(cell: CellName): string {
  return cell.replaceAll("/", ".");
}
