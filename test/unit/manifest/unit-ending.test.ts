import { describe, expect, it } from "vitest";

import { parseUnit, unitProblems } from "./fixture.js";

describe("restart", () => {
  it.each(["always", "on-failure", "never"])("takes %s", (policy) => {
    expect(parseUnit(`restart: ${policy}`).restart.policy).toBe(policy);
  });

  it.each([
    [
      "alway",
      'restart: expected always, on-failure, never or a mapping, got the string "alway"; did you mean "always"?',
    ],
    [
      "{ policy: alway }",
      'restart.policy: expected always, on-failure or never, got the string "alway"; did you mean "always"?',
    ],
    ["{ backoff-min: 2s, backoff-max: 1s }", "restart.backoff-min: expected at most backoff-max"],
    [
      "{ crash-loop-after: 0 }",
      "restart.crash-loop-after: expected a whole number from 1 to 1000, got the number 0",
    ],
  ])("refuses %s", (written, problem) => {
    expect(unitProblems(`restart: ${written}`)).toEqual([problem]);
  });
});

describe("stop", () => {
  it("takes signals with or without SIG, and waits", () => {
    expect(parseUnit("stop: [TSTP, SIGTERM, 30s, KILL]").stop).toEqual([
      { kind: "signal", signal: "SIGTSTP" },
      { kind: "signal", signal: "SIGTERM" },
      { kind: "wait", ms: 30_000 },
      { kind: "signal", signal: "SIGKILL" },
    ]);
  });

  it.each([
    ["[]", "stop: expected at least one step"],
    [
      "[INT, 60s, TERM]",
      "stop: expected a wait after the last signal: what is left after the last step is killed at once",
    ],
    [
      "[TRM, 30s]",
      'stop[0]: expected a signal such as TERM or a wait such as 30s, got the string "TRM"; did you mean "TERM"?',
    ],
    [
      "[TERM, 30]",
      "stop[1]: expected a signal such as TERM or a wait such as 30s, got the number 30",
    ],
    [
      "[TERM, 2h]",
      'stop[1]: expected a time from 1ms to 1h (units ms, s, m, h), got the string "2h"',
    ],
    ["TERM", "stop: expected a list, got a string"],
  ])("refuses %s", (written, problem) => {
    expect(unitProblems(`stop: ${written}`)).toEqual([problem]);
  });
});

describe("clean exits", () => {
  it("takes codes and signals", () => {
    expect(parseUnit("clean-exits: [0, 143, TERM]").cleanExits).toEqual([0, 143, "SIGTERM"]);
  });

  it.each([
    ["[256]", "clean-exits[0]: expected a whole number from 0 to 255, got the number 256"],
    ["[-1]", "clean-exits[0]: expected a whole number from 0 to 255, got the number -1"],
    [
      "[term]",
      'clean-exits[0]: expected a signal such as TERM or an exit code from 0 to 255, got the string "term"; did you mean "TERM"?',
    ],
  ])("refuses %s", (written, problem) => {
    expect(unitProblems(`clean-exits: ${written}`)).toEqual([problem]);
  });
});
