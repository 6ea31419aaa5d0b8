import type { Control } from "../../reconcile/control.js";
import { progressOf } from "../progress.js";
import { cellFromProto, requestIdFromProto, snapshotFromProto } from "../requests.js";
import type { Handler } from "../service.js";

export function rollback(control: Control): Handler<"Rollback"> {
  return (request, signal) => {
    const cell = cellFromProto(request.cell);
    const name = snapshotFromProto(request.name);
    const requestId = requestIdFromProto(request.requestId);
    return progressOf((report) => control.rollBack(cell, name, requestId, report, signal));
  };
}
