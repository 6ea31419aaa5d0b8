import type { Control } from "../../reconcile/control.js";
import { changeAsStream } from "../progress.js";
import { requestIdFromProto } from "../requests.js";
import type { Handler } from "../service.js";

export function halt(control: Control): Handler<"Halt"> {
  return ({ requestId }, signal, asker) =>
    changeAsStream(control, requestIdFromProto(requestId), { verb: "halt" }, signal, asker);
}
