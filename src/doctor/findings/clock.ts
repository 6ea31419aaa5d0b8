// Judges the host's clock: certificates, logs and the order of events lean on it. Pure.

import type { Probed } from "../../kernel/port.js";
import type { Finding } from "../port.js";
import { degraded, ok } from "./verdict.js";

const CLOCK_FLOOR_MS = Date.UTC(2026, 0, 1);
const MAX_ERROR_US = 1_000_000;
const HINT =
  "Keep it set: apt-get install systemd-timesyncd (or chrony) and timedatectl set-ntp true; timedatectl timesync-status tells of its servers.";

/** `probed` is what adjtimex(2) said; absent when it was not asked. */
export function judgeClock(nowMs: number, probed: Probed | undefined): Finding {
  const now = new Date(nowMs).toISOString();
  if (nowMs < CLOCK_FLOOR_MS) return degraded("clock", `it is not ${now}`, HINT);
  if (probed === undefined) return ok("clock", now);
  const state = parseClock(probed.detail);
  if (probed.errno !== undefined || state === undefined)
    return degraded("clock", `${now}; cannot tell how good it is: ${probed.errno ?? "?"}`, HINT);
  const error = `at most ${milliseconds(state.maxErrorUs)} ms wrong`;
  if (state.isUnsynchronised) return degraded("clock", `${now}, but nothing keeps it set`, HINT);
  if (state.maxErrorUs > MAX_ERROR_US) return degraded("clock", `${now}, ${error}`, HINT);
  const offset = `offset ${milliseconds(state.offsetUs)} ms`;
  return ok("clock", `${now}, kept set, ${offset}, ${error}`);
}

function parseClock(
  detail: string,
):
  | { readonly isUnsynchronised: boolean; readonly offsetUs: number; readonly maxErrorUs: number }
  | undefined {
  const [, unsync, offset, maxError] =
    /^unsync=([01]) offset_us=(-?\d+) maxerror_us=(\d+)$/.exec(detail) ?? [];
  if (unsync === undefined) return undefined;
  return {
    isUnsynchronised: unsync === "1",
    offsetUs: Number(offset),
    maxErrorUs: Number(maxError),
  };
}

function milliseconds(us: number): string {
  return (us / 1000).toFixed(1);
}
