import type { Control } from "../../reconcile/control.js";
import { budgetToProto, stepToProto } from "../convert.js";
import { sourceFromProto } from "../requests.js";
import type { Handler } from "../service.js";

export function plan(control: Control): Handler<"Plan"> {
  return async ({ manifest, allowMissingControllers }) => {
    const options = { allowMissingControllers };
    const { steps, budgets } = await control.plan(sourceFromProto(manifest), options);
    return { steps: steps.map(stepToProto), budgets: budgets.map(budgetToProto) };
  };
}
