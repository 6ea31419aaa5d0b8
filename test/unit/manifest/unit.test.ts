import { describe, expect, it } from "vitest";

import { HEAD, parseUnit, problemsOf, unitProblems } from "./fixture.js";

describe("defaults", () => {
  it("of a unit", () => {
    expect(parseUnit("")).toEqual({
      name: "web",
      oneShot: false,
      argv: ["/bin/web"],
      cwd: "/",
      env: {},
      envFiles: [],
      user: "0",
      readiness: { kind: "none" },
      readinessIntervalMs: 500,
      startTimeoutMs: 60_000,
      after: [],
      restart: {
        policy: "always",
        backoffMinMs: 1_000,
        backoffMaxMs: 60_000,
        resetAfterMs: 60_000,
        crashLoopAfter: 5,
      },
      stop: [
        { kind: "signal", signal: "SIGTERM" },
        { kind: "wait", ms: 30_000 },
      ],
      cleanExits: [0],
      listen: [],
      log: { maxBytes: 10_485_760, keep: 5 },
    });
  });

  it("of a one-shot: never again, and ten minutes", () => {
    const unit = parseUnit("one-shot: true");
    expect(unit.oneShot).toBe(true);
    expect(unit.restart.policy).toBe("never");
    expect(unit.startTimeoutMs).toBe(600_000);
  });

  it("of a restart mapping without a policy", () => {
    expect(parseUnit("restart: { backoff-max: 10s }").restart).toEqual({
      policy: "always",
      backoffMinMs: 1_000,
      backoffMaxMs: 10_000,
      resetAfterMs: 60_000,
      crashLoopAfter: 5,
    });
    expect(parseUnit("one-shot: true, restart: {}").restart.policy).toBe("never");
  });
});

describe("argv", () => {
  const LIST = "argv: expected a list of strings: the program's absolute path, then its arguments";
  const SHELL = "got a string; write [/bin/sh, -c, …] for a line of the shell";

  function argvProblems(argv: string): readonly string[] {
    return problemsOf(`${HEAD}units: { web: { argv: ${argv} } }`).map((line) =>
      line.replace(/^4:\d+ units\.web\./, ""),
    );
  }

  it.each([
    ['""', `${LIST}, ${SHELL}`],
    ["/bin/web -x", `${LIST}, ${SHELL}`],
    ["[]", `${LIST}, got an empty list`],
    ["null", `${LIST}, got nothing`],
    ['[""]', 'argv[0]: expected the program\'s absolute path, got the string ""'],
    ["[web]", 'argv[0]: expected the program\'s absolute path, got the string "web"'],
    [
      "[/bin/../web]",
      'argv[0]: expected the program\'s absolute path, got the string "/bin/../web"',
    ],
    ["[/bin/web, 3000]", "argv[1]: expected a string without NUL, got a number; put it in quotes"],
    [
      "[/bin/web, true]",
      "argv[1]: expected a string without NUL, got a truth value; put it in quotes",
    ],
    ['[/bin/web, "a\\0b"]', "argv[1]: expected a string without NUL, got another string"],
    ['[/bin/web, "\\ud800"]', "argv[1]: expected a string without NUL, got another string"],
  ])("refuses %s", (argv, problem) => {
    expect(argvProblems(argv)).toEqual([problem]);
  });

  it("must be there", () => {
    expect(problemsOf(`${HEAD}units: { web: {} }`)).toEqual([
      `4:10 units.web.argv: missing: ${LIST.replace("argv: ", "")}`,
    ]);
  });

  it("of 200 KiB meets the limit of the whole file", () => {
    expect(argvProblems(`[/bin/web, ${"x".repeat(200 * 1024)}]`)).toEqual([
      "1:1 : manifest is 204869 bytes, limit 65536",
    ]);
  });

  it("keeps newlines and every other byte", () => {
    expect(parseUnit('readiness: { exec: [/bin/sh, -c, "a\\nb\\e[0m"] }').readiness).toMatchObject({
      argv: ["/bin/sh", "-c", "a\nb\u001b[0m"],
    });
  });
});

describe("environment", () => {
  it("passes values on byte for byte", () => {
    const value = "x\nlxc.hook=y\r\u2028%n$()\u001b";
    expect(parseUnit(`env: { A: ${JSON.stringify(value)} }`).env).toEqual({ A: value });
  });

  it.each([
    ["A=B", "; write NAME: VALUE"],
    ["", ""],
    ["A\nB", ""],
    ["1A", ""],
    ["A-B", ""],
    ["A B", ""],
    ["A:B", "; put a space after the colon"],
  ])("refuses the name %j and tells no more of it than is a name", (name, hint) => {
    const at = /^[\w-]+$/.test(name) ? `env.${name}` : "env";
    expect(unitProblems(`env: { ${JSON.stringify(name)}: x }`)).toEqual([
      `${at}: expected the name of an environment variable: letters, digits and _, no digit first, got another string${hint}`,
    ]);
  });

  it("refuses NUL and anything but strings", () => {
    expect(unitProblems('env: { A: "a\\0", B: 0755, C: 2, D: }')).toEqual([
      "env.A: expected a string without NUL, got another string",
      "env.B: this is not a plain decimal number; put it in quotes if it is text",
      "env.C: expected a string without NUL, got a number; put it in quotes",
      "env.D: expected a string without NUL, got nothing",
    ]);
  });

  it("takes files by absolute path", () => {
    expect(parseUnit("env-files: [/etc/a, /etc/b]").envFiles).toEqual(["/etc/a", "/etc/b"]);
    expect(unitProblems("env-files: [a]")).toEqual([
      'env-files[0]: expected an absolute path without . or .. segments, doubled or trailing slashes, got the string "a"',
    ]);
  });
});

describe("user", () => {
  it.each([
    ["root", "root"],
    ["www-data", "www-data"],
    ["_apt", "_apt"],
    ["0", "0"],
    ["65535", "65535"],
    ['"1000"', "1000"],
    ["first.last", "first.last"],
    ["Upper", "Upper"],
    ["machine$", "machine$"],
    ["user@domain", "user@domain"],
    ["two words", "two words"],
    ["müller", "müller"],
    ['"0x0"', "0x0"],
    ['"0;id"', "0;id"],
    ["x".repeat(256), "x".repeat(256)],
  ])("takes %s", (written, user) => {
    expect(parseUnit(`user: ${written}`).user).toBe(user);
  });

  it.each([
    '"4294967296"',
    '"65536"',
    '"-1"',
    '" 0"',
    '"007"',
    '"+0"',
    '"-00"',
    '""',
    '"."',
    '".."',
    '"a:b"',
    '"../root"',
    '"web "',
  ])("refuses %s", (user) => {
    const got = user.startsWith('"') ? user : `"${user}"`;
    expect(unitProblems(`user: ${user}`)).toEqual([
      `user: expected a user's name, without : and / and no blank at its ends, or a number from 0 to 65535, got the string ${got}`,
    ]);
  });

  it.each(["x".repeat(257), String.raw`a\tb`, String.raw`a\nroot`, String.raw`\u0085`])(
    "refuses %j",
    (user) => {
      expect(unitProblems(`user: "${user}"`)).toHaveLength(1);
    },
  );

  it.each(["4294967296", "65536", "-1", "1.5"])("refuses the number %s", (user) => {
    expect(unitProblems(`user: ${user}`)).toEqual([
      `user: expected a user's name, without : and / and no blank at its ends, or a number from 0 to 65535, got the number ${user}`,
    ]);
  });
});

describe("the rest", () => {
  it("takes a socket, a descriptor limit, a directory and a log", () => {
    const unit = parseUnit(
      'listen: { web: "127.0.0.1:80" }, nofile: 65536, cwd: /srv/x, log: { max-size: 1MiB, keep: 0 }',
    );
    expect(unit.listen).toEqual([{ name: "web", address: "127.0.0.1", port: 80 }]);
    expect(unit).toMatchObject({ nofile: 65_536, cwd: "/srv/x" });
    expect(unit.log).toEqual({ maxBytes: 1_048_576, keep: 0 });
  });

  it.each([
    [
      "start-timeout: 60",
      "start-timeout: expected a time from 100ms to 24h (units ms, s, m, h), got the number 60; a time has a unit: 60s",
    ],
    [
      "start-timeout: 25h",
      'start-timeout: expected a time from 100ms to 24h (units ms, s, m, h), got the string "25h"',
    ],
    [
      "start-timeout: 1m30s",
      'start-timeout: expected a time from 100ms to 24h (units ms, s, m, h), got the string "1m30s"',
    ],
    ["one-shot: yes", 'one-shot: expected true or false, got the string "yes"; write true'],
    ["nofile: 1", "nofile: expected a whole number from 16 to 1048576, got the number 1"],
    [
      "listen: { web: 80 }",
      "listen.web: expected IPV4-ADDRESS:PORT with a port from 1 to 65535, got the number 80; put it in quotes",
    ],
    [
      'listen: { web: "127.0.0.1:0" }',
      'listen.web: expected IPV4-ADDRESS:PORT with a port from 1 to 65535, got the string "127.0.0.1:0"',
    ],
    [
      'listen: { web: "127.0.0.256:80" }',
      'listen.web: expected IPV4-ADDRESS:PORT with a port from 1 to 65535, got the string "127.0.0.256:80"',
    ],
    [
      "cwd: /a/../b",
      'cwd: expected an absolute path without . or .. segments, doubled or trailing slashes, got the string "/a/../b"',
    ],
    ["log: { keep: 101 }", "log.keep: expected a whole number from 0 to 100, got the number 101"],
    [
      "usr: x",
      'usr: unknown field "usr"; did you mean "user"?; allowed: argv, instances, one-shot, user, cwd, env, env-files, readiness, liveness, health, start-timeout, after, restart, stop, clean-exits, listen, stale-sockets, handover, nofile, uses, owns, log',
    ],
  ])("refuses %s", (fields, problem) => {
    expect(unitProblems(fields)).toEqual([problem]);
  });
});
