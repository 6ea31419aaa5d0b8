// What the runner of host tools promises.

import type { Mutation } from "./mutation.js";

const test = "test/unit/command-stream.test.ts";

export const TOOLS: readonly Mutation[] = [
  {
    name: "what a failed sender left is taken for the whole",
    file: "src/command-stream.ts",
    from: "    const failure = (await sender.ended) ??",
    to: "    receiver.stdin.end();\n    await receiver.ended;\n    const failure = (await sender.ended) ??",
    test,
    fails: "two tools joined > names the sender that fails, and its receiver never sees an end",
  },
  {
    name: "a slow reader's stream is kept in memory",
    file: "src/command-stream.ts",
    from: "    if (!to.write(piece) && !(await drain(to))) return",
    to: "    to.write(piece);\n    if (to.errored !== null) return",
    test,
    fails: "one tool between two streams > holds the tool back while its reader is slow",
  },
  {
    name: "a tool's own children outlive it",
    file: "src/tool-process.ts",
    from: "process.kill(-pid,",
    to: "process.kill(pid,",
    test,
    fails:
      "one tool between two streams > ends a tool that moves nothing for too long, with all it has started",
  },
];
