import { describe, expect, it } from "vitest";

import { parseUnit, unitProblems } from "./fixture.js";

describe("readiness", () => {
  it.each([
    ["none", { kind: "none" }],
    ["notify", { kind: "notify" }],
    ["{ tcp: 5432 }", { kind: "tcp", port: 5432, timeoutMs: 5_000 }],
    ["{ exec: [/bin/ok], timeout: 1s }", { kind: "exec", argv: ["/bin/ok"], timeoutMs: 1_000 }],
    [
      "{ http: { port: 80 } }",
      { kind: "http", port: 80, path: "/", headers: {}, status: [], timeoutMs: 5_000 },
    ],
    [
      "{ http: { port: 80, path: /a?b, headers: { Host: x.org }, status: [200, 401] } }",
      {
        kind: "http",
        port: 80,
        path: "/a?b",
        headers: { Host: "x.org" },
        status: [200, 401],
        timeoutMs: 5_000,
      },
    ],
  ])("%s", (written, readiness) => {
    expect(parseUnit(`readiness: ${written}`).readiness).toEqual(readiness);
  });

  it("has an interval of its own", () => {
    expect(parseUnit("readiness: { tcp: 1, interval: 2s }").readinessIntervalMs).toBe(2_000);
  });

  it.each([
    [
      "notfy",
      'readiness: expected none, notify or a mapping, got the string "notfy"; did you mean "notify"?',
    ],
    ["{}", "readiness: expected exactly one of exec, tcp, http"],
    ["{ tcp: 1, exec: [/a] }", "readiness: expected exactly one of exec, tcp, http"],
    ["{ tcp: 0 }", "readiness.tcp: expected a whole number from 1 to 65535, got the number 0"],
    [
      "{ tcp: 65536 }",
      "readiness.tcp: expected a whole number from 1 to 65535, got the number 65536",
    ],
    ["{ http: {} }", "readiness.http.port: missing: expected a whole number from 1 to 65535"],
    [
      "{ http: { port: 80, path: login } }",
      'readiness.http.path: expected a path that begins with / and holds no spaces, got the string "login"',
    ],
    [
      '{ http: { port: 80, headers: { Host: "a\\r\\nX: y" } } }',
      "readiness.http.headers.Host: expected a header's value: printable ASCII on one line, " +
        "got another string",
    ],
    [
      "{ http: { port: 80, status: [99] } }",
      "readiness.http.status[0]: expected a whole number from 100 to 599, got the number 99",
    ],
    [
      "{ tcp: 1, interval: 1ms }",
      'readiness.interval: expected a time from 50ms to 1h (units ms, s, m, h), got the string "1ms"',
    ],
  ])("refuses %s", (written, problem) => {
    expect(unitProblems(`readiness: ${written}`)).toEqual([problem]);
  });

  it("tells of a wrong field and of too many kinds at once", () => {
    expect(unitProblems("readiness: { tcp: 0, exec: [/a] }")).toHaveLength(2);
  });
});

describe("liveness", () => {
  it("fills in interval and failures", () => {
    expect(parseUnit("liveness: { tcp: 80 }").liveness).toEqual({
      probe: { kind: "tcp", port: 80, timeoutMs: 5_000 },
      intervalMs: 10_000,
      failures: 3,
    });
  });

  it("names the nearest field", () => {
    expect(unitProblems("liveness: { tcp: 80, failure: 3 }")).toEqual([
      'liveness.failure: unknown field "failure"; did you mean "failures"?; ' +
        "allowed: exec, tcp, http, timeout, interval, failures",
    ]);
  });
});

describe("health", () => {
  it("fills in interval and failures", () => {
    expect(parseUnit("health: { tcp: 80 }").health).toEqual({
      probe: { kind: "tcp", port: 80, timeoutMs: 5_000 },
      intervalMs: 15_000,
      failures: 2,
    });
  });

  it("asks the probe of readiness again when it says so", () => {
    const { health } = parseUnit("readiness: { tcp: 80, timeout: 1s }, health: readiness");
    expect(health).toEqual({
      probe: { kind: "tcp", port: 80, timeoutMs: 1_000 },
      intervalMs: 15_000,
      failures: 2,
    });
  });

  it.each(["health: readiness", "readiness: notify, health: readiness"])("refuses %s", (fields) => {
    expect(unitProblems(fields)).toEqual([
      "health: the readiness of this unit is no probe that could be asked again",
    ]);
  });

  it("refuses another word, and a one-shot", () => {
    expect(unitProblems("health: rediness")).toEqual([
      'health: expected readiness or a mapping, got the string "rediness"; did you mean "readiness"?',
    ]);
    expect(unitProblems("one-shot: true, health: { tcp: 80 }")).toEqual([
      "health: a one-shot has no probes: it is done when it has ended clean",
    ]);
  });
});
