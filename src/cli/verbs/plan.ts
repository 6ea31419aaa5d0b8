import type { Command } from "commander";

import { budgetToJson, budgetsText } from "../budgets.js";
import { stepToJson, stepsText } from "../cells.js";
import { withManifest } from "../manifest-file.js";
import { addVerb } from "../verb.js";
import type { Act } from "../verb.js";

export function addPlan(program: Command, act: Act): void {
  addVerb(
    program,
    "plan <file>",
    "show what up would do, and why, and what is asked of each budget",
    "henge plan examples/redmine/henge.yaml",
  )
    .option("--allow-missing-controllers", "go without limits this host cannot set")
    .action(
      act((context, options: { allowMissingControllers?: boolean }, file: string) =>
        withManifest(file, context.io.cwd, (manifest) =>
          context.withDaemon(async (daemon) => {
            const allowMissingControllers = options.allowMissingControllers ?? false;
            const { steps, budgets } = await daemon.call("Plan", {
              manifest,
              allowMissingControllers,
            });
            context.print(
              { steps: steps.map(stepToJson), budgets: budgets.map(budgetToJson) },
              () => `${stepsText(steps)}${budgetsText(budgets)}`,
            );
          }),
        ),
      ),
    );
}
