// `henge exec`: standard input, output and exit of a command in a cell, as if it ran here.

import { constants } from "node:os";

import type { ClientDuplexStream } from "@grpc/grpc-js";
import type { Command } from "commander";

import type { ExecReply, ExecRequest, Exit } from "../../api/gen/henge/v1/henge.js";
import { parseTarget, parseVariables, usage } from "../arguments.js";
import type { Client } from "../client.js";
import { DaemonError, describeFailure } from "../failure.js";
import { writeOut } from "../io.js";
import type { Io } from "../io.js";
import { addVerb } from "../verb.js";
import type { Act } from "../verb.js";

type Call = ClientDuplexStream<ExecRequest, ExecReply>;

interface ExecOptions {
  readonly tty?: boolean;
  readonly user?: string;
  readonly cwd?: string;
  readonly env: readonly string[];
}

export function addExec(program: Command, act: Act): void {
  addVerb(
    program,
    "exec <target> <command...>",
    "run a command in a cell (CELL or CELL:UNIT)",
    "henge exec -t redmine/postgres psql",
  )
    .option("-t, --tty", "give it this terminal")
    .option("--user <user>", "a name of the cell's /etc/passwd, or a number")
    .option("--cwd <directory>", "absolute, in the cell")
    .option(
      "--env <NAME=VALUE>",
      "set a variable; may be repeated",
      (text, all: string[]) => [...all, text],
      [],
    )
    .passThroughOptions()
    .action(
      act((context, options: ExecOptions, text: string, words: string[]) => {
        const { io } = context;
        if (options.tty === true && io.stdin.isTTY !== true)
          throw usage("cannot use -t: standard input is no terminal");
        const start = startOf(options, text, commandOf(words), io);
        return context.withDaemon(async (daemon) => {
          context.exitWith(await run(daemon, start, io, context.form));
        });
      }),
    );
}

/** What follows the target is the command's, options too; `--` may stand between them. */
function commandOf(words: readonly string[]): readonly string[] {
  const argv = words[0] === "--" ? words.slice(1) : words;
  if (argv.length === 0) throw usage("cannot run an empty command");
  if (words[0] !== "--" && words[0]?.startsWith("-") === true) {
    throw usage(`cannot run ${words[0]}: options of exec come before the target`);
  }
  return argv;
}

function startOf(
  options: ExecOptions,
  text: string,
  argv: readonly string[],
  io: Io,
): NonNullable<ExecRequest["start"]> {
  const tty = options.tty === true;
  const term = io.env["TERM"];
  const env = {
    ...(tty && term !== undefined ? { TERM: term } : {}),
    ...parseVariables(options.env),
  };
  const terminal = tty ? sizeOf(io) : undefined;
  return { target: parseTarget(text), argv, env, user: options.user, cwd: options.cwd, terminal };
}

function sizeOf(io: Io): { rows: number; columns: number } {
  return { rows: io.stdout.rows ?? 24, columns: io.stdout.columns ?? 80 };
}

async function run(
  daemon: Client,
  start: NonNullable<ExecRequest["start"]>,
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
