// What a client that follows logs and events is promised: each once and in order, whatever becomes of daemons and files.

import type { Mutation } from "./mutation.js";

export const LOGS: readonly Mutation[] = [
  {
    name: "an event is told whose number the next daemon may give again",
    file: "src/reconcile/events.ts",
    from: "query.follow ? this.writtenSeq : this.seq",
    to: "this.seq",
    test: "test/unit/reconcile/events.test.ts",
    fails:
      "the events > are told to who follows once they are on file: the number of one that is not may be given again",
  },
  {
    name: "a client that goes on with a log has lines twice",
    file: "src/store/log-file.ts",
    from: "cursor, Number(known));",
    to: "cursor, 0);",
    test: "test/unit/store/logs.test.ts",
    fails:
      "a reader that goes on after a cursor > has every other line, wherever it was, after rotations, though all have one time",
  },
  {
    name: "a log that was rotated more than once between two looks loses lines",
    file: "src/store/log-file.ts",
    from: "      this.parts = parts;\n      await",
    to: "      this.parts = parts.slice(-1);\n      await",
    test: "test/unit/store/logs.test.ts",
    fails: "follows a log that was rotated more often than it looked",
  },
  {
    name: "a log is read up to the number that is free while it is rotated",
    file: "src/store/log-part.ts",
    from: "missing < 2; number++",
    to: "missing < 1; number++",
    test: "test/unit/store/logs.test.ts",
    fails: "reads a log whole while it is being rotated",
  },
  {
    name: "henge logs -f begins anew when the daemon was away",
    file: "src/cli/verbs/logs.ts",
    from: "after: [...read.values()]",
    to: "after: []",
    test: "test/api/logs-events.test.ts",
    fails: "a client that follows > logs goes on after the last line of each unit, in text",
  },
  {
    name: "the lines that were read until the deadline are taken for the last",
    file: "src/reconcile/change/last-lines.ts",
    from: "return signal.aborted ? undefined : lines;",
    to: "return lines;",
    test: "test/unit/reconcile/last-lines.test.ts",
    fails: "says that a unit said nothing, and that a log cannot be read, and waits for none",
  },
  {
    name: "the first of the last lines lacks its beginning",
    file: "src/store/log-file.ts",
    from: "= count + 1;",
    to: "= count;",
    test: "test/unit/store/logs.test.ts",
    fails:
      "the last lines > are whole and the last, of one longer than what is looked at, over files of any size",
  },
];
