// The warden's wire: u32 length, u8 type, u32 sequence number (all little-endian), then strings that each end in NUL.
// wire.c is the other end; both lists of types must agree.

export const REQUEST = {
  start: 1,
  stop: 2,
  state: 3,
  subscribe: 4,
  free: 5,
  exec: 6,
  dial: 7,
  stdin: 8,
  stdinEnd: 9,
  resize: 10,
} as const;

export const REPLY = { ok: 32, failed: 33, event: 34, stdout: 35, stderr: 36, exit: 37 } as const;

const LENGTH_BYTES = 4;
const HEADER_BYTES = 5;
/** The longest frame either end accepts, without its length field. */
export const FRAME_MAX_BYTES = 1024 * 1024;

export interface Frame {
  readonly type: number;
  readonly seq: number;
  readonly payload: Buffer;
}

export function encodeFrame(type: number, seq: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(LENGTH_BYTES + HEADER_BYTES);
  head.writeUInt32LE(HEADER_BYTES + payload.length, 0);
  head.writeUInt8(type, LENGTH_BYTES);
  head.writeUInt32LE(seq, LENGTH_BYTES + 1);
  return Buffer.concat([head, payload]);
}

/** @throws {RangeError} a string holds NUL: it would be read as two */
export function encodeStrings(strings: readonly string[]): Buffer {
  for (const text of strings) {
    if (text.includes("\0")) throw new RangeError("a string for the warden holds NUL");
  }
  return Buffer.from(strings.map((text) => `${text}\0`).join(""), "utf8");
}

export function decodeStrings(payload: Buffer): string[] {
  const strings = payload.toString("utf8").split("\0");
  strings.pop(); // What follows the last NUL.
  return strings;
}

/** Cuts a stream of bytes into frames. */
export class FrameReader {
  private pending: Buffer = Buffer.alloc(0);

  /** @throws {RangeError} a frame longer than FRAME_MAX_BYTES */
  push(chunk: Buffer): Frame[] {
    this.pending = this.pending.length === 0 ? chunk : Buffer.concat([this.pending, chunk]);
    const frames: Frame[] = [];
    for (let frame = this.next(); frame !== undefined; frame = this.next()) frames.push(frame);
    return frames;
  }

  /** The bytes after the last whole frame, no longer kept here. */
  rest(): Buffer {
    const rest = this.pending;
    this.pending = Buffer.alloc(0);
    return rest;
  }

  /** The first whole frame; what follows it is kept. */
  pushOne(chunk: Buffer): Frame | undefined {
    this.pending = Buffer.concat([this.pending, chunk]);
    return this.next();
  }

  private next(): Frame | undefined {
    if (this.pending.length < LENGTH_BYTES + HEADER_BYTES) return undefined;
    const length = this.pending.readUInt32LE(0);
    if (length < HEADER_BYTES || length > FRAME_MAX_BYTES) {
      throw new RangeError(`a frame of ${String(length)} bytes`);
    }
    const end = LENGTH_BYTES + length;
    if (this.pending.length < end) return undefined;
    const frame = {
      type: this.pending.readUInt8(LENGTH_BYTES),
      seq: this.pending.readUInt32LE(LENGTH_BYTES + 1),
      payload: this.pending.subarray(LENGTH_BYTES + HEADER_BYTES, end),
    };
    this.pending = this.pending.subarray(end);
    return frame;
  }
}
