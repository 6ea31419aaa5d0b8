import type { Control } from "../../reconcile/control.js";
import { changeAsStream } from "../progress.js";
import { cloneFromProto, requestIdFromProto } from "../requests.js";
import type { Handler } from "../service.js";

export function clone(control: Control): Handler<"Clone"> {
  return (request, signal, asker) => {
    const id = requestIdFromProto(request.requestId);
    return changeAsStream(control, id, cloneFromProto(request), signal, asker);
  };
}
