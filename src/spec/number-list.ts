// Lists of CPUs and memory nodes as the kernel writes them.

/** `0-1,4` → 0, 1, 4; none of the empty list. */
export function numbersOf(list: string): readonly number[] {
  if (list === "") return [];
  return list.split(",").flatMap((part) => {
    const [first = 0, last = first] = part.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
