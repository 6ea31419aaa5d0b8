import type { Control } from "../../reconcile/control.js";
import { requestIdFromProto } from "../requests.js";
import type { Handler } from "../service.js";

export function resume(control: Control): Handler<"Resume"> {
  return async (request) => {
    await control.resume(requestIdFromProto(request.requestId));
    return {};
  };
}
