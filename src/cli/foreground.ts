// A command in a cell as if it ran here: its standard input and output, its terminal, its exit.

import { randomUUID } from "node:crypto";
import { constants } from "node:os";

import type { ClientDuplexStream } from "@grpc/grpc-js";
import type { Command } from "commander";

import type { ExecReply, ExecRequest, Exit } from "../api/gen/henge/v1/henge.js";
import { parseTarget, parseVariables, usage } from "./arguments.js";
import type { Client } from "./client.js";
import type { Context } from "./context.js";
import { DaemonError, describeFailure } from "./failure.js";
import { writeOut } from "./io.js";
import type { Io } from "./io.js";

type Call = ClientDuplexStream<ExecRequest, ExecReply>;
type Start = NonNullable<ExecRequest["start"]>;

export interface CommandOptions {
  readonly tty?: boolean;
  readonly user?: string;
  readonly cwd?: string;
  readonly env: readonly string[];
  /** Counted in the budgets of the target's unit. */
  readonly oneOff?: boolean;
}

export function addCommandOptions(command: Command): Command {
  return command
    .option("-t, --tty", "give it this terminal")
    .option(
      "--env <NAME=VALUE>",
      "set a variable; may be repeated",
      (text, all: string[]) => [...all, text],
      [],
    )
    .passThroughOptions();
}

/** @param words what follows the target */
export async function runInForeground(
  context: Context,
  options: CommandOptions,
  text: string,
  words: readonly string[],
): Promise<void> {
  const { io } = context;
  if (options.tty === true && io.stdin.isTTY !== true)
    throw usage("cannot use -t: standard input is no terminal");
  const argv = commandOf(words, options.oneOff === true ? "run" : "exec");
  const start = startOf(options, text, argv, io);
  await context.withDaemon(async (daemon) => {
    context.exitWith(await runStart(daemon, start, io, context.form));
  });
}

/** What follows the target is the command's, options too; `--` may stand between them. */
function commandOf(words: readonly string[], verb: string): readonly string[] {
  const argv = words[0] === "--" ? words.slice(1) : words;
  if (argv.length === 0) throw usage("cannot run an empty command");
  if (words[0] !== "--" && words[0]?.startsWith("-") === true) {
    throw usage(`cannot run ${words[0]}: options of ${verb} come before the target`);
  }
  return argv;
}

function startOf(options: CommandOptions, text: string, argv: readonly string[], io: Io): Start {
  const tty = options.tty === true;
  const term = io.env["TERM"];
  const env = {
    ...(tty && term !== undefined ? { TERM: term } : {}),
    ...parseVariables(options.env),
  };
  const terminal = tty ? sizeOf(io) : undefined;
  const { user, cwd } = options;
  const oneOff = options.oneOff === true ? { requestId: randomUUID() } : undefined;
  return { target: parseTarget(text), argv, env, user, cwd, terminal, oneOff };
}

function sizeOf(io: Io): { rows: number; columns: number } {
  return { rows: io.stdout.rows ?? 24, columns: io.stdout.columns ?? 80 };
}

async function runStart(
  daemon: Client,
  start: Start,
  io: Io,
  form: "text" | "json",
): Promise<number> {
  const call = daemon.exec();
  const leave = start.terminal === undefined ? () => undefined : enterTerminal(call, io);
  try {
    call.write({ start });
    feed(call, io).catch(() => undefined); // The call has ended; its replies say how.
    for await (const { stdout, stderr, exit } of daemon.replies(call)) {
      if (stdout !== undefined) await writeOut(io.stdout, stdout);
      if (stderr !== undefined) await writeOut(io.stderr, stderr);
      if (exit !== undefined) return exitOf(exit);
    }
    throw new DaemonError(
      "INTERNAL",
      "cannot tell how the command ended: the daemon did not say",
      {},
    );
  } catch (error) {
    const exit = notRun(error);
    if (exit === undefined) throw error;
    io.stderr.write(describeFailure(error, form).text);
    return exit;
  } finally {
    leave();
  }
}

/** Standard input until it ends, as fast as the command reads it. */
async function feed(call: Call, io: Io): Promise<void> {
  for await (const chunk of io.stdin) {
    const room = call.write({ stdin: Buffer.from(chunk) });
    if (!room) await new Promise<void>((resolve) => call.once("drain", resolve));
  }
  call.end();
}

/** Hands every key and every change of size to the command. @returns gives the terminal back */
function enterTerminal(call: Call, io: Io): () => void {
  const resize = () => {
    call.write({ resize: sizeOf(io) });
  };
  io.stdin.setRawMode?.(true);
  io.stdout.on("resize", resize);
  return () => {
    io.stdout.off("resize", resize);
    io.stdin.setRawMode?.(false);
  };
}

/** As a shell says it: 127 for a command that is not there, 126 for one that cannot be executed. */
const NOT_RUN: Partial<Record<string, number>> = {
  ...{ ENOENT: 127, ENOTDIR: 127 },
  ...{ EACCES: 126, EPERM: 126, ENOEXEC: 126, EISDIR: 126, ELOOP: 126, E2BIG: 126 },
};

function notRun(error: unknown): number | undefined {
  const ofExec = error instanceof DaemonError && error.op?.startsWith("exec") === true;
  return ofExec ? NOT_RUN[error.errno ?? ""] : undefined;
}

function exitOf(exit: Exit): number {
  if (exit.signal === undefined) return exit.code ?? 0;
  const signals: Partial<Record<string, number>> = constants.signals;
  return 128 + (signals[exit.signal] ?? 0);
}
