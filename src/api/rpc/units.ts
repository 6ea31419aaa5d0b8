import type { Control } from "../../reconcile/control.js";
import { changeAsStream } from "../progress.js";
import { requestIdFromProto, targetFromProto } from "../requests.js";
import type { Handler } from "../service.js";

/** Start, Stop and Restart. */
export function changeUnits(
  control: Control,
  verb: "start" | "stop" | "restart",
): Handler<"Start" | "Stop" | "Restart"> {
  return ({ target, requestId }, signal, asker) => {
    const request = { verb, target: targetFromProto(target) };
    return changeAsStream(control, requestIdFromProto(requestId), request, signal, asker);
  };
}
