// A load of HTTP requests over loopback at a steady rate, one connection each, while something is done to the server.

import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

export interface Load {
  readonly url: string;
  readonly perSecond: number;
  /** Before it is done, and after. */
  readonly aroundMs: number;
}

interface Sample {
  /** From sent to answered in full. */
  readonly ms: number;
  /** Sent before it was begun to be done. */
  readonly isBefore: boolean;
  readonly failure?: string;
}

export interface LoadResult {
  readonly requests: number;
  /** Of all, why each failed. */
  readonly failures: readonly string[];
  /** Median of the requests sent before, and what was beyond it of each sent after. */
  readonly medianMs: number;
  readonly addedMs: readonly number[];
}

const DEADLINE_MS = 30_000;
// Those that wait for a server that is away pile up; more than that is no load but an attack.
const IN_FLIGHT_MAX = 500;

/** Requests are sent at their times whether or not those before were answered, as clients do. */
export async function underLoad(load: Load, act: () => Promise<unknown>): Promise<LoadResult> {
  const samples: Promise<Sample>[] = [];
  let inFlight = 0;
  let isBefore = true;
  const ending = new AbortController();
  const sending = (async (): Promise<void> => {
    for (let dueMs = performance.now(); !ending.signal.aborted; dueMs += 1000 / load.perSecond) {
      await sleep(Math.max(0, dueMs - performance.now()));
      if (inFlight >= IN_FLIGHT_MAX) continue;
      inFlight += 1;
      samples.push(ask(load.url, isBefore).finally(() => (inFlight -= 1)));
    }
  })();
  try {
    await sleep(load.aroundMs);
    isBefore = false;
    await act();
    await sleep(load.aroundMs);
  } finally {
    ending.abort();
    await sending;
  }
  return summarise(await Promise.all(samples));
}

function summarise(samples: readonly Sample[]): LoadResult {
  const before = samples.filter(({ isBefore }) => isBefore).map(({ ms }) => ms);
  const medianMs = before.toSorted((a, b) => a - b)[Math.floor(before.length / 2)] ?? Number.NaN;
  return {
    requests: samples.length,
    failures: samples.flatMap(({ failure }) => (failure === undefined ? [] : [failure])),
    medianMs,
    addedMs: samples
      .filter(({ isBefore }) => !isBefore)
      .map(({ ms }) => Math.max(0, ms - medianMs)),
  };
}

function ask(url: string, isBefore: boolean): Promise<Sample> {
  const begun = performance.now();
  return new Promise((resolve) => {
    const end = (failure?: string): void => {
      const ms = performance.now() - begun;
      resolve({ ms, isBefore, ...(failure === undefined ? {} : { failure }) });
    };
    const sent = request(url, { agent: false, timeout: DEADLINE_MS }, (answer) => {
      answer.on("error", (error) => {
        end(error.message);
      });
      answer.on("end", () => {
        const isWhole = answer.complete && answer.statusCode === 200;
        end(isWhole ? undefined : `status ${String(answer.statusCode)}`);
      });
      answer.resume();
    });
    sent.on("error", (error) => {
      end(error.message);
    });
    sent.on("timeout", () => {
      sent.destroy(new Error("no answer in time"));
    });
    sent.end();
  });
}
