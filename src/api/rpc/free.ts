import type { Control } from "../../reconcile/control.js";
import { changeAsStream } from "../progress.js";
import { cellFromProto, requestIdFromProto } from "../requests.js";
import type { Handler } from "../service.js";

export function free(control: Control): Handler<"Free"> {
  return ({ cell, destroyData, requestId }, signal, asker) => {
    const request = { verb: "down", cell: cellFromProto(cell), destroyData } as const;
    return changeAsStream(control, requestIdFromProto(requestId), request, signal, asker);
  };
}
