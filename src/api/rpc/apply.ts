import type { Control } from "../../reconcile/control.js";
import { changeAsStream } from "../progress.js";
import { requestIdFromProto, sourceFromProto } from "../requests.js";
import type { Handler } from "../service.js";

/** Apply and Upgrade. */
export function apply(control: Control, verb: "up" | "upgrade"): Handler<"Apply" | "Upgrade"> {
  return ({ manifest, allowMissingControllers, requestId }, signal, asker) => {
    const request = { verb, source: sourceFromProto(manifest), allowMissingControllers };
    return changeAsStream(control, requestIdFromProto(requestId), request, signal, asker);
  };
}
