import type { Control } from "../../reconcile/control.js";
import { progressOf } from "../progress.js";
import { cellFromProto, requestIdFromProto } from "../requests.js";
import type { Handler } from "../service.js";

export function free(control: Control): Handler<"Free"> {
  return (request, signal) => {
    const cell = cellFromProto(request.cell);
    const options = {
      destroyData: request.destroyData,
      requestId: requestIdFromProto(request.requestId),
    };
    return progressOf((report) => control.free(cell, options, report, signal));
  };
}
