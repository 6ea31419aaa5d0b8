// Sizes as a person reads them where a byte more or less says nothing.

/** Largest first. */
export const SIZES = [
  ["TiB", 1024 ** 4],
  ["GiB", 1024 ** 3],
  ["MiB", 1024 ** 2],
  ["KiB", 1024],
] as const;

/** With one decimal at most, e.g. 16GiB, 31.3GiB. */
export function formatSize(bytes: number): string {
  const [name, size] = SIZES.find(([, least]) => bytes >= least) ?? ["B", 1];
  return `${String(Math.round((bytes / size) * 10) / 10)}${name}`;
}
