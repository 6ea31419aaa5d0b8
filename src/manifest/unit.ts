// What a manifest may say of one unit, with the defaults that do not depend on other fields.

import { z } from "zod";

import type { HealthSpec, ProbeSpec } from "../spec/index.js";
import { uses } from "./budget.js";
import { instances } from "./instances.js";
import { colonHint, expectedUntold } from "./problems.js";
import {
  argv,
  cellPath,
  duration,
  eitherSignalOr,
  envName,
  exactText,
  label,
  notation,
  oneOf,
  port,
  secretNotation,
  size,
  socketAddress,
  unitReference,
  user,
  wholeNumber,
  wordOrMapping,
} from "./values.js";

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const PROBES = ["exec", "tcp", "http"] as const;

const http = z.strictObject({
  port,
  path: notation(/^\/[!-~]*$/, "a path that begins with / and holds no spaces")
    .prefault("/")
    .describe("Path and query of the GET request."),
  headers: z
    .record(
      notation(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, "the name of an HTTP header"),
      secretNotation(/^[\t -~]*$/, "a header's value: printable ASCII on one line"),
    )
    .prefault({})
    .describe("Sent as they are, e.g. Host."),
  status: z
    .array(wholeNumber(100, 599))
    .prefault([])
    .describe("Accepted status codes; none given means 200 to 399."),
});

const probeFields = {
  exec: argv.optional().describe("A program run in the cell; ready when it exits 0."),
  tcp: port.optional().describe("A port of the cell that must accept a connection."),
  http: http.optional().describe("A GET request the cell must answer."),
  timeout: duration(10, HOUR).prefault("5s").describe("How long one probe may take."),
};

// Looked at even when a field of the probe is wrong, so that everything is told at once.
const oneProbe = {
  error: `expected exactly one of ${PROBES.join(", ")}`,
  when: ({ value }: { readonly value: unknown }): boolean =>
    typeof value === "object" && value !== null && !Array.isArray(value),
};

function hasOneProbe(given: object): boolean {
  return PROBES.filter((kind) => kind in given).length === 1;
}

type ProbeFields = z.output<z.ZodObject<typeof probeFields>>;

function toProbe({ exec, tcp, http: request, timeout }: ProbeFields): ProbeSpec {
  if (exec !== undefined) return { kind: "exec", argv: exec, timeoutMs: timeout };
  if (tcp !== undefined) return { kind: "tcp", port: tcp, timeoutMs: timeout };
  if (request !== undefined) return { kind: "http", ...request, timeoutMs: timeout };
  throw new Error("a probe passed its schema without a kind");
}

function toRepeated(
  given: ProbeFields & { readonly interval: number; readonly failures: number },
): HealthSpec {
  const { interval, failures, ...probe } = given;
  return { intervalMs: interval, failures, probe: toProbe(probe) };
}

const readinessProbe = z
  .strictObject({
    ...probeFields,
    interval: duration(50, HOUR).prefault("500ms").describe("Time between two probes."),
  })
  .refine(hasOneProbe, oneProbe)
  .transform(({ interval, ...probe }) => ({ intervalMs: interval, readiness: toProbe(probe) }));

// Nothing is probed, but the field is there for every kind.
const NO_PROBE_INTERVAL_MS = 500;

const readiness = wordOrMapping(["none", "notify"], readinessProbe).transform((given) =>
  typeof given === "string"
    ? { intervalMs: NO_PROBE_INTERVAL_MS, readiness: { kind: given } as const }
    : given,
);

const liveness = z
  .strictObject({
    ...probeFields,
    interval: duration(50, HOUR).prefault("10s").describe("Time between two probes."),
    failures: wholeNumber(1, 100).prefault(3).describe("Failures in a row that restart the unit."),
  })
  .refine(hasOneProbe, oneProbe)
  .transform(toRepeated);

const healthMapping = z
  .strictObject({
    ...probeFields,
    interval: duration(50, HOUR).prefault("15s").describe("Time between two probes."),
    failures: wholeNumber(1, 100)
      .prefault(2)
      .describe("Failures in a row that show it as degraded."),
  })
  .refine(hasOneProbe, oneProbe)
  .transform(toRepeated);

const health = wordOrMapping(["readiness"], healthMapping);

/** Of a `health` that asks the probe of `readiness` again. */
export const HEALTH_DEFAULTS = { intervalMs: 15 * SECOND, failures: 2 };

const POLICIES = ["always", "on-failure", "never"] as const;

const restartMapping = z
  .strictObject({
    policy: oneOf(POLICIES).optional().describe("Default always; never for a one-shot."),
    "backoff-min": duration(1, HOUR).prefault("1s").describe("Pause before the first restart."),
    "backoff-max": duration(1, HOUR)
      .prefault("60s")
      .describe("Longest pause; it doubles up to this."),
    "reset-after": duration(1, 24 * HOUR)
      .prefault("60s")
      .describe("Up this long, pauses start anew."),
    "crash-loop-after": wholeNumber(1, 1_000)
      .prefault(5)
      .describe("Failed starts in a row that are shown as a crash loop."),
    stagger: duration(1, HOUR)
      .optional()
      .describe(
        "Restarted in its turn when several units are: once those before are ready, after a random pause up to this.",
      ),
  })
  .refine((given) => given["backoff-min"] <= given["backoff-max"], {
    path: ["backoff-min"],
    error: "expected at most backoff-max",
  })
  .transform((given) => ({
    policy: given.policy,
    backoffMinMs: given["backoff-min"],
    backoffMaxMs: given["backoff-max"],
    resetAfterMs: given["reset-after"],
    crashLoopAfter: given["crash-loop-after"],
    ...(given.stagger === undefined ? {} : { staggerMs: given.stagger }),
  }));

const restart = wordOrMapping(POLICIES, restartMapping).transform((given) =>
  typeof given === "string" ? restartMapping.parse({ policy: given }) : given,
);

const wait = duration(1, HOUR).transform((ms) => ({ kind: "wait", ms }) as const);

const stop = z
  .array(eitherSignalOr(wait, "a wait such as 30s"))
  .min(1, { error: "expected at least one step" })
  .max(16, { error: "expected at most 16 steps" })
  .refine((steps) => typeof steps.at(-1) !== "string" || steps.at(-1) === "SIGKILL", {
    error:
      "expected a wait after the last signal: what is left after the last step is killed at once",
  });

const log = z.strictObject({
  "max-size": size(4096, 2 ** 30)
    .prefault("10MiB")
    .describe("Size at which the log is rotated."),
  keep: wholeNumber(0, 100).prefault(5).describe("Rotated files kept."),
});

export const environment = z.record(envName, exactText, {
  error: expectedUntold("a mapping of names to strings", (input) =>
    Array.isArray(input) ? "; write NAME: VALUE lines, without -" : colonHint(input),
  ),
});

/** One unit, as written; defaults that depend on `one-shot` are filled in later. */
export const unit = z.strictObject({
  argv: argv.describe("The program's absolute path and its arguments; no shell is involved."),
  instances: instances
    .optional()
    .describe(
      "One unit for each, UNIT-INSTANCE; ${instance} stands for it in argv, env and ports.",
    ),
  "one-shot": z.boolean().prefault(false).describe("Runs to its end once, then counts as done."),
  user: user.prefault("0").describe("User of the cell it runs as."),
  cwd: cellPath.prefault("/").describe("Working directory; PWD is set to it."),
  env: environment.prefault({}).describe("Environment, passed on byte for byte."),
  "env-files": z
    .array(cellPath)
    .prefault([])
    .describe("Files of NAME=VALUE lines; env wins over them."),
  readiness: readiness.prefault("none").describe("When the unit counts as ready."),
  liveness: liveness.optional().describe("A probe that restarts a unit which no longer answers."),
  health: health
    .optional()
    .describe("A probe that shows a unit as degraded; `readiness` asks that one again."),
  "start-timeout": duration(100, 24 * HOUR)
    .optional()
    .describe("From start to ready, or to the end of a one-shot. Default 60s; 10m for a one-shot."),
  after: z
    .array(unitReference)
    .prefault([])
    .describe("Units that must be ready, or done, before this one starts."),
  restart: restart.prefault({}).describe("always, on-failure, never, or a mapping that says more."),
  stop: stop
    .prefault(["TERM", "30s"])
    .describe("Signals and waits; the kernel kills what is left."),
  "clean-exits": z
    .array(eitherSignalOr(wholeNumber(0, 255), "an exit code from 0 to 255"))
    .prefault([0])
    .describe("Exit codes and signals that count as success."),
  listen: z
    .record(label, socketAddress)
    .prefault({})
    .describe("Sockets held across restarts and passed from descriptor 3 on (LISTEN_FDS)."),
  "stale-sockets": z
    .array(cellPath)
    .prefault([])
    .describe("Unix sockets a run that was killed leaves behind; removed before each start."),
  handover: z
    .boolean()
    .prefault(false)
    .describe("Restarted by a run beside the old one, which ends when the new one is ready."),
  nofile: wholeNumber(16, 2 ** 20)
    .optional()
    .describe("RLIMIT_NOFILE, soft and hard."),
  uses: uses.prefault({}).describe("How much it takes at most of each budget."),
  owns: z.array(label).prefault([]).describe("What is exclusive and this unit's."),
  log: log.prefault({}),
});

export type UnitFields = z.output<typeof unit>;
