import type { Control } from "../../reconcile/control.js";
import { sourceFromProto } from "../requests.js";
import type { Handler } from "../service.js";

export function validate(control: Control): Handler<"Validate"> {
  return async (request) => {
    await control.validate(sourceFromProto(request.manifest));
    return {};
  };
}
