// Runs one probe against a unit, from inside its cell; the answer is a reason to doubt it, or none.

import { request } from "node:http";
import type { Duplex } from "node:stream";

import type { ProbeSpec, UnitSpec } from "../../spec/index.js";
import type { Warden } from "../../warden/port.js";

import type { Clock } from "../clock.js";
import { withDeadline } from "../clock.js";

const BODY_MAX_BYTES = 200;

/** @returns undefined when the probe succeeds, else what it saw, in words */
export function runProbe(
  clock: Clock,
  warden: Warden,
  unit: UnitSpec,
  probe: ProbeSpec,
  stop: AbortSignal,
): Promise<string | undefined> {
  const ask = async (signal: AbortSignal): Promise<string | undefined> => {
    try {
      return await askOnce(warden, unit, probe, signal);
    } catch (error) {
      if (signal.aborted) return `${probe.kind} probe: no answer in ${String(probe.timeoutMs)} ms`;
      return `${probe.kind} probe: ${error instanceof Error ? error.message : String(error)}`;
    }
  };
  return withDeadline(clock, probe.timeoutMs, ask, stop);
}

async function askOnce(
  warden: Warden,
  unit: UnitSpec,
  probe: ProbeSpec,
  signal: AbortSignal,
): Promise<string | undefined> {
  switch (probe.kind) {
    case "exec":
      return probeExec(warden, unit, probe.argv, signal);
    case "tcp":
      (await warden.dial(probe.port, signal)).destroy();
      return undefined;
    case "http":
      return probeHttp(await warden.dial(probe.port, signal), probe, signal);
  }
}

async function probeExec(
  warden: Warden,
  unit: UnitSpec,
  argv: readonly string[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const { env, envFiles, cwd, user } = unit;
  const session = await warden.exec({ argv, env, envFiles, cwd, user }, signal);
  let said = "";
  session.onOutput((_, chunk) => {
    if (said.length < BODY_MAX_BYTES) said += chunk.toString("utf8");
  });
  session.end();
  const exit = await session.exit;
  if (exit.code === 0) return undefined;
  const how = exit.code === undefined ? (exit.signal ?? "killed") : `exit ${String(exit.code)}`;
  return `exec probe: ${how} ${said.trim().slice(0, BODY_MAX_BYTES)}`.trim();
}

function probeHttp(
  connection: Duplex,
  probe: Extract<ProbeSpec, { kind: "http" }>,
  signal: AbortSignal,
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const call = request({
      createConnection: () => connection,
      path: probe.path,
      headers: { host: `127.0.0.1:${String(probe.port)}`, ...probe.headers, connection: "close" },
      signal,
    });
    call.once("error", reject);
    // It comes paused, so that no byte is lost before the parser is attached, as it is now.
    call.once("socket", (socket) => socket.resume());
    call.once("response", (response) => {
      const status = response.statusCode ?? 0;
      connection.destroy();
      const accepted =
        probe.status.length === 0 ? status >= 200 && status < 400 : probe.status.includes(status);
      resolve(accepted ? undefined : `http probe: status ${String(status)} of ${probe.path}`);
    });
    call.end();
  });
}
