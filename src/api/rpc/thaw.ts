import type { Control } from "../../reconcile/control.js";
import { cellFromProto, requestIdFromProto } from "../requests.js";
import type { Handler } from "../service.js";

export function thaw(control: Control): Handler<"Thaw"> {
  return async (request, signal) => {
    await control.thaw(cellFromProto(request.cell), requestIdFromProto(request.requestId), signal);
    return {};
  };
}
