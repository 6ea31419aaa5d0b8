// `npm run bench -- start`: runs a benchmark and prints what it measured as tables, or with -o json as JSON.

import Table from "cli-table3";
import { Command, InvalidArgumentError } from "commander";

import { type Verdict, judge, judgeRestart } from "./goals.js";
import { type RestartReport, benchRestart } from "./restart.js";
import { type ScaleReport, benchScale } from "./scale.js";
import { type StartReport, benchStart } from "./start.js";

interface Options {
  readonly output: string;
  readonly runs: number;
  readonly cells: number;
  readonly idleSeconds: number;
}

const program = new Command("bench");
program
  .command("start")
  .description("a unit's start and a cell's whole life, beside crun, runc, bwrap and podman")
  .option("-o, --output <form>", "table or json", "table")
  .option("-n, --runs <count>", "runs of each subject", count, 200)
  .option("--cells <count>", "idle cells (and conmons) whose memory is measured", count, 100)
  .option("--idle-seconds <count>", "how long the idle daemon is watched", count, 30)
  .action(async (options: Options) => {
    const report = await benchStart({ ...options, tell, signal: interrupted() });
    process.stdout.write(options.output === "json" ? asJson(report) : asTables(report));
  });

interface RestartOptions {
  readonly output: string;
  readonly rounds: number;
  readonly rate: number;
}
program
  .command("restart")
  .description("what a restart of Puma costs its clients: Henge, Puma's own USR1, stop and start")
  .option("-o, --output <form>", "table or json", "table")
  .option("-n, --rounds <count>", "restarts of each subject", count, 3)
  .option("--rate <count>", "requests a second", count, 20)
  .action(async ({ output, rounds, rate }: RestartOptions) => {
    const options = { rounds, perSecond: rate, tell, signal: interrupted() };
    const report = await benchRestart(options);
    process.stdout.write(
      output === "json"
        ? `${JSON.stringify({ ...report, goals: judgeRestart(report) }, undefined, 2)}\n`
        : restartTables(report),
    );
  });

interface ScaleCommandOptions {
  readonly output: string;
  readonly cells: readonly number[];
  readonly monoliths: number;
}
program
  .command("scale")
  .description("plan, up, ps and taking over, for more and more cells and monoliths")
  .option("-o, --output <form>", "table or json", "table")
  .option("--cells <counts>", "cells of one monolith, e.g. 10,100,300", counts, [10, 100, 300])
  .option("--monoliths <count>", "among which the most cells are divided as well", count, 20)
  .action(async ({ output, cells, monoliths }: ScaleCommandOptions) => {
    const report = await benchScale({ cells, monoliths, tell, signal: interrupted() });
    process.stdout.write(
      output === "json" ? `${JSON.stringify(report, undefined, 2)}\n` : scaleTables(report),
    );
  });
await program.parseAsync();

function counts(text: string): readonly number[] {
  return text.split(",").map(count);
}

function count(text: string): number {
  if (/^[1-9][0-9]{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It is a whole number from 1.");
}

function interrupted(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => {
      controller.abort(new Error(`ended by ${name}`));
    });
  }
  return controller.signal;
}

function tell(text: string): void {
  process.stderr.write(`bench: ${text}\n`);
}

function asJson(report: StartReport): string {
  return `${JSON.stringify({ ...report, goals: judge(report) }, undefined, 2)}\n`;
}

function asTables(report: StartReport): string {
  const { rows, memory, idle, host } = report;
  return [
    table(
      ["measure", "subject", "p50 ms", "p99 ms", "n"],
      rows.map(({ measure, subject, p50Ms, p99Ms, n }) => [measure, subject, p50Ms, p99Ms, n]),
    ),
    table(
      ["memory", "PSS KiB, mean", "n"],
      memory.map(({ subject, pssKiB, n }) => [subject, pssKiB, n]),
    ),
    goals(judge(report)),
    `Idle: ${String(idle.cpuMs)} ms of CPU in ${String(idle.seconds)} s with ${String(idle.cells)} cells.`,
    `Host: Linux ${host.kernel}, ${String(host.cpus)} × ${host.cpu}, ${String(host.memoryGiB)} GiB, cgroup2 at ${host.cgroup2}.`,
    "",
  ].join("\n");
}

function restartTables(report: RestartReport): string {
  return [
    table(
      ["subject", "requests", "failed", "max added ms", "p99 added ms"],
      [...report.rows, { subject: "(no restart)", ...report.control }].map(
        ({ subject, requests, failed, maxAddedMs, p99AddedMs }) => [
          subject,
          requests,
          failed,
          maxAddedMs,
          p99AddedMs,
        ],
      ),
    ),
    goals(judgeRestart(report)),
    "",
  ].join("\n");
}

function scaleTables({ rows, growth }: ScaleReport): string {
  return [
    table(
      ["cells", "monoliths", "plan ms", "up ms", "ps ms", "adopt ms", "RSS MiB"],
      rows.map((row) => [
        ...[row.cells, row.monoliths, row.planMs, row.upMs, row.psMs],
        ...[row.adoptMs, row.rssMiB],
      ]),
    ),
    `Cost ~ cells^n, n: plan ${String(growth.planMs)}, up ${String(growth.upMs)}, ps ${String(growth.psMs)}, adopt ${String(growth.adoptMs)}.`,
    "",
  ].join("\n");
}

function goals(verdicts: readonly Verdict[]): string {
  return table(
    ["goal", "measured", "met"],
    verdicts.map(({ goal, measured, met }) => [goal, measured, met ? "yes" : "no"]),
  );
}

function table(head: string[], rows: readonly (string | number)[][]): string {
  const result = new Table({ head, style: { head: [], border: [] } });
  result.push(...rows);
  return result.toString();
}
