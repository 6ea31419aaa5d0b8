// What the CLI answers and refuses by itself, and a daemon that it cannot reach.

import { chmod, mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";

import { expect, it, onTestFinished } from "vitest";

import { henge } from "../fixture/cli.js";
import { temporaryDirectory } from "../fixture/directory.js";
import { startDaemon } from "./harness.js";

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

it("finds the daemon by --root before HENGE_ROOT", async () => {
  const daemon = await startDaemon();
  const env = { HENGE_ROOT: "/nonexistent" };
  expect((await henge(daemon.root, ["version", "--root", daemon.root], { env })).exit).toBe(0);
  expect((await henge(daemon.root, ["--root", daemon.root, "version"], { env })).exit).toBe(0);
  expect((await henge(daemon.root, ["version"], { env })).exit).toBe(69);
});
