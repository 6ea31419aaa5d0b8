import type { Control } from "../../reconcile/control.js";
import { progressOf } from "../progress.js";
import { requestIdFromProto } from "../requests.js";
import type { Handler } from "../service.js";

export function halt(control: Control): Handler<"Halt"> {
  return (request, signal) => {
    const requestId = requestIdFromProto(request.requestId);
    return progressOf((report) => control.halt(requestId, report, signal));
  };
}
