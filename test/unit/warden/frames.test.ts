import fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  FRAME_MAX_BYTES,
  FrameReader,
  decodeStrings,
  encodeFrame,
  encodeStrings,
} from "../../../src/warden/frames.js";

describe("frames", () => {
  it("come out as they went in, wherever the stream is cut", () => {
    const frame = fc.record({
      type: fc.integer({ min: 0, max: 255 }),
      seq: fc.integer({ min: 0, max: 0xffffffff }),
      payload: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    });
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 10 }),
        fc.integer({ min: 1, max: 64 }),
        (frames, size) => {
          const bytes = Buffer.concat(
            frames.map(({ type, seq, payload }) => encodeFrame(type, seq, payload)),
          );
          const reader = new FrameReader();
          const read = [];
          for (let at = 0; at < bytes.length; at += size)
            read.push(...reader.push(bytes.subarray(at, at + size)));
          expect(read).toEqual(frames);
          expect(reader.rest()).toHaveLength(0);
        },
      ),
    );
  });

  it("leave what follows the first one untouched", () => {
    const reader = new FrameReader();
    const bytes = Buffer.concat([encodeFrame(32, 1, Buffer.alloc(0)), Buffer.from("raw")]);
    expect(reader.pushOne(bytes)).toMatchObject({ type: 32 });
    expect(reader.rest().toString()).toBe("raw");
  });

  it("are refused when they are longer than the limit, or shorter than their own head", () => {
    for (const length of [FRAME_MAX_BYTES + 1, 0xffffffff, 4, 0]) {
      const head = Buffer.alloc(9);
      head.writeUInt32LE(length);
      expect(() => new FrameReader().push(head)).toThrow(RangeError);
    }
  });
});

describe("strings", () => {
  it("keep everything but NUL", () => {
    const texts = ["", "a=b", "line\nline", "%n$()", "\u2028 ü"];
    expect(decodeStrings(encodeStrings(texts))).toEqual(texts);
    expect(() => encodeStrings(["a\0b"])).toThrow(RangeError);
    expect(decodeStrings(Buffer.alloc(0))).toEqual([]);
  });
});
