import type { Control, RequestOf } from "../../reconcile/control.js";
import { changeAsStream } from "../progress.js";
import { cellFromProto, requestIdFromProto, snapshotFromProto } from "../requests.js";
import type { Handler } from "../service.js";

export function rollback(control: Control): Handler<"Rollback"> {
  return ({ cell, name, requestId }, signal, asker) => {
    const request: RequestOf<"rollback"> = {
      verb: "rollback",
      cell: cellFromProto(cell),
      name: snapshotFromProto(name),
    };
    return changeAsStream(control, requestIdFromProto(requestId), request, signal, asker);
  };
}
