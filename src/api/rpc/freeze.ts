import type { Control } from "../../reconcile/control.js";
import { cellFromProto, requestIdFromProto } from "../requests.js";
import type { Handler } from "../service.js";

export function freeze(control: Control): Handler<"Freeze"> {
  return async (request, signal) => {
    await control.freeze(
      cellFromProto(request.cell),
      requestIdFromProto(request.requestId),
      signal,
    );
    return {};
  };
}
