import type { Control } from "../../reconcile/control.js";
import { cellFromProto, requestIdFromProto } from "../requests.js";
import type { Handler } from "../service.js";

/** Freeze and Thaw. */
export function setFrozen(control: Control, verb: "freeze" | "thaw"): Handler<"Freeze" | "Thaw"> {
  return async ({ cell, requestId }, signal, asker) => {
    const request = { verb, cell: cellFromProto(cell) };
    const id = requestIdFromProto(requestId);
    await control.change({ id, request, report: () => undefined, signal, ...asker });
    return {};
  };
}
