import type { Control } from "../../reconcile/control.js";
import { progressOf } from "../progress.js";
import { requestIdFromProto, sourceFromProto } from "../requests.js";
import type { Handler } from "../service.js";

export function upgrade(control: Control): Handler<"Upgrade"> {
  return (request, signal) => {
    const source = sourceFromProto(request.manifest);
    const options = {
      allowMissingControllers: request.allowMissingControllers,
      requestId: requestIdFromProto(request.requestId),
    };
    return progressOf((report) => control.upgrade(source, options, report, signal));
  };
}
