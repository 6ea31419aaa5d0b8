// `npm run bench -- start`: runs a benchmark and prints what it measured as tables, or with -o json as JSON.

import Table from "cli-table3";
import { Command, InvalidArgumentError } from "commander";

import { judge } from "./goals.js";
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
  .description("a unit's start and a cell's whole life, beside crun, runc and bwrap")
  .option("-o, --output <form>", "table or json", "table")
  .option("-n, --runs <count>", "runs of each subject", count, 200)
  .option("--cells <count>", "idle cells (and conmons) whose memory is measured", count, 100)
  .option("--idle-seconds <count>", "how long the idle daemon is watched", count, 30)
  .action(async (options: Options) => {
    const report = await benchStart({ ...options, tell, signal: interrupted() });
    process.stdout.write(options.output === "json" ? asJson(report) : asTables(report));
  });
await program.parseAsync();

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
    table(
      ["goal", "measured", "met"],
      judge(report).map(({ goal, measured, met }) => [goal, measured, met ? "yes" : "no"]),
    ),
    `Idle: ${String(idle.cpuMs)} ms of CPU in ${String(idle.seconds)} s with ${String(idle.cells)} cells.`,
    `Host: Linux ${host.kernel}, ${String(host.cpus)} × ${host.cpu}, ${String(host.memoryGiB)} GiB, cgroup2 at ${host.cgroup2}.`,
    "",
  ].join("\n");
}

function table(head: string[], rows: readonly (string | number)[][]): string {
  const result = new Table({ head, style: { head: [], border: [] } });
  result.push(...rows);
  return result.toString();
}
