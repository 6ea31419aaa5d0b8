import type { Control } from "../../reconcile/control.js";
import { progressOf } from "../progress.js";
import { requestIdFromProto, targetFromProto } from "../requests.js";
import type { Handler } from "../service.js";

export function start(control: Control): Handler<"Start"> {
  return (request, signal) => {
    const target = targetFromProto(request.target);
    const requestId = requestIdFromProto(request.requestId);
    return progressOf((report) => control.start(target, requestId, report, signal));
  };
}
