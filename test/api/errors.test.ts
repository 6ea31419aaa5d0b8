// An error of the daemon's on its way to the user.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, it } from "vitest";

import { CommandError, ERROR_CODES, HengeError, ManifestError } from "../../src/errors.js";
import type { ErrorCode } from "../../src/errors.js";
import { changing } from "../fake/control.js";
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
