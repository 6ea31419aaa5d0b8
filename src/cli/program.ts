// The whole command line: reads it, runs one verb, gives its exit.

import { Command, CommanderError } from "commander";

import { readPackageVersion } from "../package.js";
import { makeContext } from "./context.js";
import type { Form } from "./context.js";
import { describeFailure } from "./failure.js";
import type { Io } from "./io.js";
import { usage } from "./arguments.js";
import { withCommonOptions } from "./verb.js";
import type { Act, CommonOptions } from "./verb.js";
import { addClone } from "./verbs/clone.js";
import { addDestroySnapshot } from "./verbs/destroy-snapshot.js";
import { addDoctor } from "./verbs/doctor.js";
import { addDown } from "./verbs/down.js";
import { addEvents } from "./verbs/events.js";
import { addExec } from "./verbs/exec.js";
import { addFreeze } from "./verbs/freeze.js";
import { addGet } from "./verbs/get.js";
import { addHalt } from "./verbs/halt.js";
import { addLogs } from "./verbs/logs.js";
import { addPlan } from "./verbs/plan.js";
import { addPs } from "./verbs/ps.js";
import { addRestart } from "./verbs/restart.js";
import { addResume } from "./verbs/resume.js";
import { addRollback } from "./verbs/rollback.js";
import { addRun } from "./verbs/run.js";
import { addSchema } from "./verbs/schema.js";
import { addSnapshot } from "./verbs/snapshot.js";
import { addSnapshots } from "./verbs/snapshots.js";
import { addStart } from "./verbs/start.js";
import { addStop } from "./verbs/stop.js";
import { addThaw } from "./verbs/thaw.js";
import { addUp } from "./verbs/up.js";
import { addUpgrade } from "./verbs/upgrade.js";
import { addValidate } from "./verbs/validate.js";
import { addVersion } from "./verbs/version.js";

const VERBS = [
  ...[
    addUp,
    addUpgrade,
    addPlan,
    addValidate,
    addSchema,
    addPs,
    addGet,
    addStart,
    addStop,
    addRestart,
  ],
  ...[
    addFreeze,
    addThaw,
    addDown,
    addHalt,
    addResume,
    addSnapshot,
    addSnapshots,
    addRollback,
    addClone,
    addDestroySnapshot,
    addLogs,
    addEvents,
    addExec,
    addRun,
    addDoctor,
    addVersion,
  ],
];

/** @param argv without node and the script. Never throws; what went wrong is on `io.stderr`. */
export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  let exit = 0;
  let form = guessForm(argv);
  const act: Act =
    (run) =>
    async (...values) => {
      const command = values.at(-1) as Command;
      const { output, root } = command.optsWithGlobals<CommonOptions>();
      form = output ?? "text";
      const context = makeContext(io, form, root, (code) => (exit = code));
      await run(context, command.opts<never>(), ...(values.slice(0, -2) as never[]));
    };
  try {
    await makeProgram(io, act).parseAsync(argv, { from: "user" });
    return exit;
  } catch (error) {
    return report(error, form, io);
  }
}

/** The command line as data: what the manual and the completions are made of, too. */
export function makeProgram(io: Pick<Io, "stdout">, act: Act): Command {
  const program = withCommonOptions(new Command("henge"))
    .description("Runs stateful monoliths in cells.")
    .version(readPackageVersion())
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: () => undefined, // Told by `report`, in the form that was asked for.
    });
  for (const add of VERBS) add(program, act);
  return program;
}

function report(error: unknown, form: Form, io: Io): number {
  if (error instanceof CommanderError && error.exitCode === 0) return 0;
  const { exit, text } = describeFailure(fromCommander(error), form);
  io.stderr.write(text);
  return exit;
}

function fromCommander(error: unknown): unknown {
  if (!(error instanceof CommanderError)) return error;
  const message =
    error.code === "commander.help" ? "which verb?" : error.message.replace(/^error: /, "");
  return usage(
    message.replaceAll("\n", " "),
    "henge --help lists the verbs, henge VERB --help tells of one",
  );
}

/** For a command line that cannot be read. */
function guessForm(argv: readonly string[]): Form {
  return /(?:^|\s)(?:-o|--output)[ =]?json(?:\s|$)/.test(argv.join(" ")) ? "json" : "text";
}
