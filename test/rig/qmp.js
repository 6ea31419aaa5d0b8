#!/usr/bin/env node
// qmp.js SOCKET COMMAND [JSON] [-- COMMAND [JSON]]...: sends QMP commands one after another; wait-migrate and
// wait-running wait for that. @see https://www.qemu.org/docs/master/interop/qmp-spec.html

import { connect } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";

const DEADLINE_MS = 120_000;
const [path, ...words] = process.argv.slice(2);
const deadline = AbortSignal.timeout(DEADLINE_MS);

try {
  await main();
} catch (error) {
  process.stderr.write(`qmp: ${error.message}\n`);
  process.exitCode = 1;
}

async function main() {
  const socket = await dial();
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  await lines.next(); // the greeting
  const send = async (execute, json = "{}") => {
    socket.write(`${JSON.stringify({ execute, arguments: JSON.parse(json) })}\n`);
    for (;;) {
      const { value, done } = await lines.next();
      if (done) return {}; // "quit" has no answer
      const message = JSON.parse(value);
      if (message.error) throw new Error(`${execute}: ${message.error.desc}`);
      if ("return" in message) return message.return;
    }
  };
  await send("qmp_capabilities");
  for (const [command, json] of commands()) await act(send, command, json);
  socket.destroy();
}

async function act(send, command, json) {
  if (command === "wait-migrate") await until(async () => migrated(await send("query-migrate")));
  else if (command === "wait-running")
    await until(async () => (await send("query-status")).status === "running");
  else await send(command, json);
}

function migrated({ status, "error-desc": why = "" }) {
  if (status === "failed" || status === "cancelled") throw new Error(`migration ${status} ${why}`);
  return status === "completed";
}

async function until(condition) {
  while (!(await condition())) await setTimeout(20, undefined, { signal: deadline });
}

/** The socket is there a moment after QEMU has started. */
async function dial() {
  for (;;) {
    const socket = connect(path);
    const refused = await new Promise((resolve) => {
      socket.once("connect", () => resolve(undefined));
      socket.once("error", resolve);
    });
    if (refused === undefined) return socket;
    if (deadline.aborted) throw refused;
    await setTimeout(50);
  }
}

function commands() {
  const all = [[]];
  for (const word of words) {
    if (word === "--") all.push([]);
    else all.at(-1).push(word);
  }
  return all;
}
