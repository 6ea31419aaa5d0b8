// Which other program the kernel loads to run a program: the interpreter of a script's first line, or of a dynamic ELF file.
// See execve(2) and elf(5).

const MAGIC = Buffer.from([0x7f, 0x45, 0x4c, 0x46]);
const CLASS_OFFSET = 4;
const CLASS_64 = 2;
const DATA_OFFSET = 5;
const LITTLE_ENDIAN = 1;
const PT_INTERP = 3;
/** Of a 64-bit file; elf(5). */
const HEADER = { bytes: 64, tableAt: 32, entryBytes: 54, entries: 56 };
const ENTRY = { bytes: 56, offset: 8, fileBytes: 32 };

export function isElf(head: Buffer): boolean {
  return head.subarray(0, MAGIC.length).equals(MAGIC);
}

/**
 * @param head the first bytes of the file
 * @returns its absolute path; undefined when there is none, or `head` does not reach so far
 */
export function elfInterpreter(head: Buffer): string | undefined {
  if (head.length < HEADER.bytes) return undefined;
  if (head[CLASS_OFFSET] !== CLASS_64 || head[DATA_OFFSET] !== LITTLE_ENDIAN) return undefined;
  const table = Number(head.readBigUInt64LE(HEADER.tableAt));
  const size = head.readUInt16LE(HEADER.entryBytes);
  const count = head.readUInt16LE(HEADER.entries);
  for (let index = 0; index < count; index++) {
    const at = table + index * size;
    if (at + ENTRY.bytes > head.length) return undefined;
    if (head.readUInt32LE(at) !== PT_INTERP) continue;
    const from = Number(head.readBigUInt64LE(at + ENTRY.offset));
    const bytes = Number(head.readBigUInt64LE(at + ENTRY.fileBytes));
    if (from + bytes > head.length) return undefined;
    return head.toString("utf8", from, from + bytes).split("\0", 1)[0];
  }
  return undefined;
}

/** What comes after `#!`, without its argument; undefined when the file is no script. */
export function scriptInterpreter(head: Buffer): string | undefined {
  const [line = ""] = head.toString("utf8").split("\n", 1);
  return /^#![ \t]*([^ \t\0]+)/.exec(line)?.[1];
}
