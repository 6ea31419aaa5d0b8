import type { Control } from "../../reconcile/control.js";
import { progressOf } from "../progress.js";
import { cloneFromProto, requestIdFromProto } from "../requests.js";
import type { Handler } from "../service.js";

export function clone(control: Control): Handler<"Clone"> {
  return (request, signal) => {
    const options = cloneFromProto(request);
    const requestId = requestIdFromProto(request.requestId);
    return progressOf((report) => control.clone(options, requestId, report, signal));
  };
}
