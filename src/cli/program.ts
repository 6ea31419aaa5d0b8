// The whole command line: reads it, runs one verb, gives its exit.

import { Command, CommanderError } from "commander";

import { readPackageVersion } from "../package.js";
import { makeContext } from "./context.js";
import type { Form } from "./context.js";
import { describeFailure } from "./failure.js";
import type { Io } from "./io.js";
import { usageLine, wordCommanderError } from "./usage.js";
import { withCommonOptions } from "./verb.js";
import type { Act, CommonOptions } from "./verb.js";
import { addClone } from "./verbs/clone.js";
import { addDestroySnapshot } from "./verbs/destroy-snapshot.js";
import { addDoctor } from "./verbs/doctor.js";
import { addDown } from "./verbs/down.js";
import { addEvents } from "./verbs/events.js";
import { addExec } from "./verbs/exec.js";
import { addFreezeVerb } from "./verbs/freeze.js";
import { addGet } from "./verbs/get.js";
import { addHalt } from "./verbs/halt.js";
import { addLogs } from "./verbs/logs.js";
import { addOperations } from "./verbs/operations.js";
import { addPlan } from "./verbs/plan.js";
import { addPs } from "./verbs/ps.js";
import { addResume } from "./verbs/resume.js";
import { addRollback } from "./verbs/rollback.js";
import { addRun } from "./verbs/run.js";
import { addSchema } from "./verbs/schema.js";
import { addSnapshot } from "./verbs/snapshot.js";
import { addSnapshots } from "./verbs/snapshots.js";
import { addUnitVerb } from "./verbs/units.js";
import { addUp } from "./verbs/up.js";
import { addUpgrade } from "./verbs/upgrade.js";
import { addValidate } from "./verbs/validate.js";
import { addVersion } from "./verbs/version.js";

const VERBS = [
  ...[addUp, addUpgrade, addPlan, addValidate, addSchema, addPs, addGet, addOperations],
  ...(["start", "stop", "restart"] as const).map(addUnitVerb),
  ...(["freeze", "thaw"] as const).map(addFreezeVerb),
  ...[addDown, addHalt, addResume, addSnapshot, addSnapshots, addRollback, addClone],
  ...[addDestroySnapshot, addLogs, addEvents, addExec, addRun, addDoctor, addVersion],
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
  const program = makeProgram(io, act);
  try {
    await program.parseAsync(argv, { from: "user" });
    return exit;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    const known =
      error instanceof CommanderError ? wordCommanderError(error, program, argv) : error;
    const failure = describeFailure(known, form, usageLine(program, argv));
    io.stderr.write(failure.text);
    return failure.exit;
  }
}

/** The command line as data: what the manual and the completions are made of, too. */
export function makeProgram(io: Pick<Io, "stdout">, act: Act): Command {
  const program = withCommonOptions(new Command("henge"))
    .description(
      "Runs a stateful monolith (web server, jobs, database) on one Linux host: each part in a cell of its own,\n" +
        "supervised, with snapshots and upgrades that can go back. Talks to henged; runs as root.",
    )
    .version(readPackageVersion())
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: () => undefined, // Told by `report`, in the form that was asked for.
    });
  program.addHelpText(
    "after",
    "\nFirst steps:\n  henge validate shop.yaml   # what is wrong with a manifest\n" +
      "  henge plan shop.yaml       # what up would do\n  henge up shop.yaml         # do it, and wait until it is ready\n" +
      "  henge ps                   # what runs\n" +
      "  henge get shop/web         # why it does not run, and what it said last\n" +
      "  henge operations -f        # what is under way; Ctrl-C leaves or cancels it\n" +
      "\nhenge VERB --help tells of one verb, with an example. The manual: henge(1), henge.yaml(5).",
  );
  for (const add of VERBS) add(program, act);
  return program;
}

/** For a command line that cannot be read. */
function guessForm(argv: readonly string[]): Form {
  return /(?:^|\s)(?:-o|--output)[ =]?json(?:\s|$)/.test(argv.join(" ")) ? "json" : "text";
}
