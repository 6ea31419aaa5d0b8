import type { Control } from "../../reconcile/control.js";
import { budgetToProto, stepToProto } from "../convert.js";
import { requestIdFromProto, sourceFromProto } from "../requests.js";
import type { Handler } from "../service.js";

export function plan(control: Control): Handler<"Plan"> {
  return async (request) => {
    const options = {
      allowMissingControllers: request.allowMissingControllers,
      requestId: requestIdFromProto(""), // A plan changes nothing: there is nothing to do twice.
    };
    const { steps, budgets } = await control.plan(sourceFromProto(request.manifest), options);
    return { steps: steps.map(stepToProto), budgets: budgets.map(budgetToProto) };
  };
}
