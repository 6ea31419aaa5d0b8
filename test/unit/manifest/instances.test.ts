import { describe, expect, it } from "vitest";

import { HEAD, parse, problemsOf } from "./fixture.js";

const STREAMING = `${HEAD}budgets: { connections: { limit: 30 } }
units:
  proxy: { argv: [/bin/proxy], after: ["live:streaming", "live:other", "live:streaming"] }
cells:
  live:
    units:
      other: { argv: [/bin/other, "\${instance}"] }
      streaming:
        instances: [4000, 4001]
        argv: [/bin/node, ./streaming, "--port=\${instance}", "\${HOME}"]
        env: { PORT: "\${instance}", SOCKET: "/run/s\${instance}-\${instance}.sock" }
        listen: { web: "127.0.0.1:\${instance}" }
        readiness: { http: { port: "\${instance}", headers: { Host: "h\${instance}" } } }
        liveness: { tcp: "\${instance}" }
        after: [other]
        uses: { connections: 10 }
      watcher: { argv: [/bin/watch], after: [streaming] }
`;

function problemsWith(from: string, to: string): readonly string[] {
  if (STREAMING.split(from).length !== 2) throw new Error(`${from} does not stand once in it`);
  return problemsOf(STREAMING.replace(from, to));
}

function unitsOf(text: string) {
  return parse(text).cells.flatMap((cell) =>
    cell.units.map((unit) => ({ in: cell.name, ...unit })),
  );
}

describe("a unit with instances", () => {
  it("is a unit for each, with its instance in argv, environment, sockets and probes", () => {
    const units = unitsOf(STREAMING);
    expect(units.map(({ name }) => name)).toEqual([
      ...["proxy", "other", "streaming-4000", "streaming-4001", "watcher"],
    ]);
    expect(units[3]).toMatchObject({
      argv: ["/bin/node", "./streaming", "--port=4001", "${HOME}"],
      env: { PORT: "4001", SOCKET: "/run/s4001-4001.sock" },
      listen: [{ name: "web", address: "127.0.0.1", port: 4001 }],
      readiness: { kind: "http", port: 4001, headers: { Host: "h4001" } },
      liveness: { probe: { kind: "tcp", port: 4001 } },
    });
  });

  it("is waited for as a whole by who names it, also from another cell", () => {
    const units = unitsOf(STREAMING);
    const afterOf = (wanted: string) =>
      units.find(({ name }) => name === wanted)?.after.map(({ cell, unit }) => `${cell}:${unit}`);
    expect(afterOf("watcher")).toEqual(["shop/live:streaming-4000", "shop/live:streaming-4001"]);
    expect(afterOf("proxy")).toEqual([
      ...["shop/live:streaming-4000", "shop/live:streaming-4001", "shop/live:other"],
    ]);
    expect(afterOf("streaming-4001")).toEqual(["shop/live:other"]);
  });

  it("can be named one by one", () => {
    const one = STREAMING.replace("after: [streaming]", "after: [streaming-4001]");
    expect(unitsOf(one).at(-1)?.after).toEqual([{ cell: "shop/live", unit: "streaming-4001" }]);
  });

  it("takes of a budget as often as there are instances", () => {
    expect(parse(STREAMING).budgets?.[0]?.uses).toEqual([
      { unit: { cell: "shop/live", unit: "streaming-4000" }, amount: 10 },
      { unit: { cell: "shop/live", unit: "streaming-4001" }, amount: 10 },
    ]);
  });

  it("may have names for instances, where no number is asked for", () => {
    const text = `${HEAD}units: { job: { instances: [pull, push], argv: [/bin/job, "-q\${instance}"] } }\n`;
    expect(unitsOf(text).map(({ name, argv }) => [name, argv[1]])).toEqual([
      ["job-pull", "-qpull"],
      ["job-push", "-qpush"],
    ]);
    expect(problemsWith("[4000, 4001]", "[a]")).toEqual([
      '15:24 cells.live.units.streaming.listen.web: expected IPV4-ADDRESS:PORT with a port from 1 to 65535, got the string "127.0.0.1:a"',
      '16:36 cells.live.units.streaming.readiness.http.port: expected a whole number from 1 to 65535, got the string "a"',
      '17:26 cells.live.units.streaming.liveness.tcp: expected a whole number from 1 to 65535, got the string "a"',
    ]);
  });
});

it("leaves a unit without instances as it is, byte for byte", () => {
  expect(unitsOf(STREAMING)[1]?.argv).toEqual(["/bin/other", "${instance}"]);
});

describe("instances that cannot be", () => {
  it.each([
    ["[]", "12:20 cells.live.units.streaming.instances: expected at least one instance"],
    ["[4000, 4000]", "12:20 cells.live.units.streaming.instances: expected each instance once"],
    [
      "[4000, 4.5]",
      "12:27 cells.live.units.streaming.instances[1]: expected a number, or at most 15 small letters, digits or -, got the number 4.5",
    ],
    [
      "[-a]",
      '12:21 cells.live.units.streaming.instances[0]: expected a number, or at most 15 small letters, digits or -, got the string "-a"',
    ],
    ["4000", "12:20 cells.live.units.streaming.instances: expected a list, got a number"],
  ])("are told at their place, and once: %s", (written, problem) => {
    expect(problemsWith("[4000, 4001]", written)).toEqual([problem]);
  });

  it("would have a name that is too long", () => {
    const name = "a".repeat(29);
    expect(
      problemsOf(
        `${HEAD}units: { ${name}: { instances: [12], argv: [/bin/x, "\${instance}"] } }\n`,
      ),
    ).toEqual([
      expect.stringMatching(`^4:10 units.${name}: expected a name of at most 31 characters`),
    ]);
  });

  it("would be too many together, however short the manifest is", () => {
    const list = `[${Array.from({ length: 64 }, (_, n) => String(n)).join(", ")}]`;
    const units = Array.from(
      { length: 5 },
      (_, n) =>
        `  u${String(n)}: { instances: ${list}, argv: [/bin/x, "\${instance}"], after: [v, v] }\n`,
    );
    const text = `${HEAD}units:\n  v: { argv: [/bin/v] }\n${units.slice(0, 4).join("")}`;
    expect(problemsOf(text)).toEqual([]);
    expect(problemsOf(`${text}${units[4] ?? ""}`)).toEqual([
      "10:9 units.u4.instances: more than 256 instances in one manifest",
    ]);
  });

  it("would be all the same", () => {
    const text = `${HEAD}units: { job: { instances: [1, 2], argv: [/bin/job] } }\n`;
    expect(problemsOf(text)).toEqual([
      "4:17 units.job.instances: ${instance} stands nowhere in argv, env, listen, stale-sockets, readiness, liveness, health: all of them would be the same",
    ]);
  });

  it("would bear the name of another unit", () => {
    expect(
      problemsWith("      other:", "      streaming-4001: { argv: [/bin/x] }\n      other:"),
    ).toEqual([
      '10:7 cells.live.units.streaming-4001: "streaming-4001" is the name of another unit\'s instance too',
    ]);
  });
});

it("tells what is wrong with such a unit once, by the name it was given", () => {
  expect(problemsWith("after: [other]", "after: [othre]")).toEqual([
    '18:17 cells.live.units.streaming.after[0]: no unit "othre"; did you mean "other"?',
  ]);
  expect(problemsWith("after: [other]", "after: [streaming]")).toEqual([
    "18:17 cells.live.units.streaming.after[0]: a unit cannot wait for itself",
  ]);
  expect(problemsWith('"127.0.0.1:${instance}"', '"127.0.0.1:80"')).toEqual([
    "15:24 cells.live.units.streaming.listen.web: port 80 is listened on already",
  ]);
});
