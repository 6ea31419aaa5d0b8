import { chmod, mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";

import { expect, it, onTestFinished } from "vitest";

import { CommandError, ERROR_CODES, HengeError, ManifestError } from "../../src/errors.js";
import type { ErrorCode } from "../../src/errors.js";
import { changing } from "../fake/control.js";
import { temporaryDirectory } from "../fixture/directory.js";
import { henge } from "../fixture/cli.js";
import { startDaemon } from "./harness.js";

const EXITS: Record<ErrorCode, number> = {
  USAGE: 64,
  INVALID_REQUEST: 64,
  MANIFEST_INVALID: 65,
  CELL_NOT_FOUND: 66,
  UNIT_NOT_FOUND: 66,
  SNAPSHOT_NOT_FOUND: 66,
  CELL_EXISTS: 73,
  SNAPSHOT_EXISTS: 73,
  OPERATION_NOT_FOUND: 66,
  OPERATION_EXISTS: 73,
  CANCELLED: 130,
  WRONG_STATE: 1,
  BUSY: 75,
  DEADLINE: 75,
  PEER_DENIED: 77,
  UNREACHABLE: 69,
  OVER_CAPACITY: 71,
  KERNEL_REFUSED: 71,
  INTERNAL: 70,
};

it.each(ERROR_CODES.filter((code) => code !== "INTERNAL"))(
  "carries %s with its message and hint to the user, from a reply and from a stream",
  async (code) => {
    const error = new HengeError(code, "cannot do «it»: 100 % no", { hint: "do that" });
    const daemon = await startDaemon({
      get: () => Promise.reject(error),
      ...changing({ stop: () => Promise.reject(error) }),
    });
    const shown = { code, message: "cannot do «it»: 100 % no", problems: [], hint: "do that" };
    for (const argv of [
      ["get", "shop"],
      ["stop", "shop"],
    ]) {
      const json = await henge(daemon.root, [...argv, "-o", "json"]);
      expect({ ...json, stderr: JSON.parse(json.stderr) as unknown }).toEqual({
        exit: EXITS[code],
        stdout: "",
        stderr: shown,
      });
      const text = await henge(daemon.root, argv);
      const usage = code === "USAGE" ? `usage: henge ${argv[0] ?? ""} [^\n]*\n` : "";
      expect(text.stderr).toMatch(
        new RegExp(`^henge: cannot do «it»: 100 % no\n${usage}hint: do that\n$`),
      );
    }
  },
);

const BUGS: readonly [string, unknown][] = [
  ["an Error", new TypeError("secret internals")],
  ["a HengeError INTERNAL", new HengeError("INTERNAL", "secret internals")],
  ["a string", "secret internals"],
  ["undefined", undefined],
  ["an object that looks like a status", { code: 5, details: "secret internals" }],
];

it.each(BUGS)(
  "answers «internal error» and lives on when a handler throws %s, now or later",
  async (_what, thrown) => {
    const bug = (): never => {
      throw thrown as Error;
    };
    const later = async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return bug();
    };
    const daemon = await startDaemon({
      get: bug,
      list: later,
      ...changing({ stop: bug, start: later }),
      logs: bug,
      exec: bug,
      version: bug,
    });
    const calls = [
      ["get", "shop"],
      ["ps"],
      ["stop", "shop"],
      ["start", "shop"],
      ["logs", "shop"],
      ["exec", "shop", "ls"],
      ["version"],
    ];
    for (const argv of calls) {
      const { exit, stderr } = await henge(daemon.root, argv);
      expect({ argv, exit, stderr }).toEqual({
        argv,
        exit: 70,
        stderr: "henge: internal error\nhint: the log of henged has it in full\n",
      });
    }
    expect(daemon.log).toHaveLength(calls.length);
    expect((await henge(daemon.root, ["doctor"])).exit).toBe(0);
  },
);

it("logs an internal error with its causes, and what the kernel refused", async () => {
  const daemon = await startDaemon({
    get: () => Promise.reject(new Error("outer", { cause: new Error("inner") })),
    list: () => Promise.reject(new CommandError(["nft", "-f", "-"], 1, "syntax error")),
  });
  await henge(daemon.root, ["get", "shop"]);
  await henge(daemon.root, ["ps"]);
  expect(daemon.log[0]).toContain("outer");
  expect(daemon.log[0]).toContain("inner");
  expect(daemon.log[1]).toContain("syntax error");
});

it("prints each problem of a manifest at its place", async () => {
  const problems = [
    { path: "cells.web.root", line: 3, column: 5, text: "must be image or host" },
    { path: "", line: 9, column: 1, text: "is cut off\u001b[2J" },
  ];
  const daemon = await startDaemon({
    plan: () => Promise.reject(new ManifestError("shop.yaml", problems)),
  });
  await writeFile(join(daemon.root, "shop.yaml"), "x");
  const text = await henge(daemon.root, ["plan", "shop.yaml"]);
  const json = await henge(daemon.root, ["plan", "shop.yaml", "-o", "json"]);
  expect(text).toEqual({
    exit: 65,
    stdout: "",
    stderr: [
      "shop.yaml:3:5 cells.web.root: must be image or host",
      "shop.yaml:9:1: is cut off\\x1b[2J",
      "henge: cannot use shop.yaml: 2 problems\n",
    ].join("\n"),
  });
  expect(JSON.parse(json.stderr)).toEqual({
    code: "MANIFEST_INVALID",
    message: "cannot use shop.yaml: 2 problems",
    problems,
    hint: null,
  });
});

it("tells as many problems as a reply can hold, and how many more there are", async () => {
  const problems = Array.from({ length: 5_000 }, (_, index) => ({
    ...{ path: `cells.c${String(index)}`, line: index + 1, column: 1, text: "\ud800 is «wrong»" },
  }));
  const daemon = await startDaemon({
    plan: () => Promise.reject(new ManifestError("shop.yaml", problems)),
  });
  await writeFile(join(daemon.root, "shop.yaml"), "x");
  const { exit, stderr } = await henge(daemon.root, ["plan", "shop.yaml", "-o", "json"]);
  const told = (JSON.parse(stderr) as { problems: { text: string }[] }).problems;
  expect(exit).toBe(65);
  expect(told.length).toBeGreaterThan(100);
  expect(told.at(-1)?.text).toBe(`and ${String(5_001 - told.length)} more problems`);
});

it("delivers a message of any length and of half characters", async () => {
  const message = `cannot ${"\ud800ж".repeat(100_000)}`;
  const daemon = await startDaemon({
    get: () => Promise.reject(new HengeError("BUSY", message, { hint: message })),
  });
  const { exit, stderr } = await henge(daemon.root, ["get", "shop"]);
  expect(exit).toBe(75);
  expect(stderr).toMatch(/^henge: cannot \ufffdж/);
});

it("checks a manifest and prints the schema without a daemon", async () => {
  const root = await temporaryDirectory();
  await writeFile(join(root, "bad.yaml"), "henge: 1\nname: shop\ncolour: red\n");
  const bad = await henge(root, ["validate", "bad.yaml", "-o", "json"]);
  const failure = JSON.parse(bad.stderr) as { code: string; problems: { line: number }[] };
  expect([bad.exit, failure.code]).toEqual([65, "MANIFEST_INVALID"]);
  expect(failure.problems.map(({ line }) => line)).toContain(3);
  const schema = await henge(root, ["schema"]);
  expect(schema.exit).toBe(0);
  expect(JSON.parse(schema.stdout)).toHaveProperty("$schema");
});

it.each([
  ["is not there", undefined, /cannot read m.yaml: there is no such file or directory \(ENOENT\)/],
  ["is not UTF-8", Buffer.from([0x80, 0x81]), /not UTF-8/],
  ["is too large", Buffer.alloc(1024 * 1024, "a"), /larger than any manifest/],
])("refuses a manifest that %s", async (_case, bytes, message) => {
  const root = await temporaryDirectory();
  if (bytes !== undefined) await writeFile(join(root, "m.yaml"), bytes);
  for (const verb of ["up", "plan", "validate"]) {
    const { exit, stderr } = await henge(root, [verb, "m.yaml"]);
    expect([verb, exit]).toEqual([verb, 65]);
    expect(stderr).toMatch(message);
  }
});

it("says within a second, and how to start it, that no daemon is there", async () => {
  const root = await temporaryDirectory();
  await mkdir(join(root, "run"));
  await writeFile(join(root, "shop.yaml"), "henge: 1\n");
  const before = performance.now();
  const none = await henge(root, ["ps", "-o", "json"]);
  expect(performance.now() - before).toBeLessThan(1_000);
  expect(none.exit).toBe(69);
  expect(JSON.parse(none.stderr)).toMatchObject({
    code: "UNREACHABLE",
    hint: `start it as root: henged --root ${root} (in a checkout: npm run up)`,
  });
  const dead = await startDaemon();
  await dead.close();
  for (const argv of [
    ["ps"],
    ["up", "shop.yaml"],
    ["logs", "shop"],
    ["exec", "shop", "ls"],
    ["down", "shop"],
  ]) {
    expect((await henge(dead.root, argv, { cwd: root })).exit).toBe(69);
  }
});

it("says that a daemon is there and does not answer", async () => {
  const root = await temporaryDirectory();
  await mkdir(join(root, "run"));
  const mute = createServer(() => undefined).listen(join(root, "run", "henged.sock"));
  onTestFinished(() => void mute.close());
  const { exit, stderr } = await henge(root, ["ps"], { env: { HENGE_PATIENCE: "1" } });
  expect(exit).toBe(69);
  expect(stderr).toMatch(/does not answer/);
}, 15_000);

it("says that the socket is not for this user", async () => {
  const daemon = await startDaemon();
  await chmod(daemon.root, 0o711);
  await chmod(join(daemon.root, "run"), 0o711);
  // Root may open whatever it is; anybody else is refused by the mode.
  const isRoot = process.geteuid?.() === 0;
  await chmod(daemon.socketPath, 0);
  if (isRoot) process.seteuid?.(65_534);
  try {
    const { exit, stderr } = await henge(daemon.root, ["ps"]);
    expect(exit).toBe(77);
    expect(stderr).toMatch(/permission denied\nhint: only root may open it/);
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
});

it.each([
  [[], /missing verb; the verbs are up, .*version/],
  [["dance"], /unknown verb "dance"/],
  [
    ["pss"],
    /unknown verb "pss"; did you mean ps\?\nusage: henge VERB \[options\]\nhint: the verbs are/,
  ],
  [["-o", "text", "log", "shop"], /unknown verb "log"; did you mean logs\?/],
  [
    ["get"],
    /missing argument: <cell>\nusage: henge get \[options\] <cell>\nhint: henge get --help/,
  ],
  [["get", "shop", "shed"], /too many arguments/],
  [["ps", "-o", "xml"], /Allowed choices are text, json/],
  [["ps", "--colour"], /unknown option/],
  [["get", "../shop"], /a cell is named like/],
  [["stop", "shop:"], /a target is CELL or CELL:UNIT/],
  [["logs", "shop", "--tail", "-1"], /whole number/],
  [["logs", "shop", "--since", "yesterday"], /for --since/],
  [["events", "--since-seq", "1e3"], /whole number/],
  [["exec", "--env", "=x", "shop", "ls"], /NAME=VALUE/],
  [["exec", "shop", "-t", "ls"], /options of exec come before the target/],
  [["exec", "shop", "--"], /empty command/],
  [["exec", "shop"], /missing argument: <command>/],
])("refuses the command line %j as a wrong use", async (argv, message) => {
  const { exit, stdout, stderr } = await henge("/nonexistent", argv);
  expect([exit, stdout]).toEqual([64, ""]);
  expect(stderr).toMatch(message);
  const json = await henge("/nonexistent", ["-o", "json", ...argv]);
  if (!argv.includes("-o"))
    expect(JSON.parse(json.stderr)).toMatchObject({ code: "USAGE", problems: [] });
});

it("refuses a root whose socket path is too long", async () => {
  const { exit, stderr } = await henge(`/tmp/${"x".repeat(100)}`, ["ps"]);
  expect(exit).toBe(64);
  expect(stderr).toMatch(
    /121 bytes, 107 are possible\nusage: henge ps \[options\]\nhint: choose a root directory with a shorter path/,
  );
});

it("has a help with an example for every verb", async () => {
  const { stdout } = await henge("/nonexistent", ["--help"]);
  const verbs = [...stdout.matchAll(/^ {2}([a-z-]+) \[options\]/gm)].map(([, verb = ""]) => verb);
  expect(verbs).toEqual(
    "up upgrade plan validate schema ps get operations start stop restart freeze thaw down halt resume snapshot snapshots rollback clone destroy-snapshot logs events exec run doctor version".split(
      " ",
    ),
  );
  for (const verb of verbs) {
    const help = await henge("/nonexistent", [verb, "--help"]);
    expect(help).toMatchObject({ exit: 0, stderr: "" });
    expect(help.stdout).toMatch(new RegExp(`\n\nExample:\n  (?:.* )?henge ${verb} ?`));
  }
  expect(await henge("/nonexistent", ["--version"])).toEqual({
    exit: 0,
    stdout: "0.1.0\n",
    stderr: "",
  });
});
