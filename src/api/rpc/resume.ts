import type { Control } from "../../reconcile/control.js";
import { requestIdFromProto } from "../requests.js";
import type { Handler } from "../service.js";

export function resume(control: Control): Handler<"Resume"> {
  return async ({ requestId }, signal, asker) => {
    const id = requestIdFromProto(requestId);
    const request = { verb: "resume" } as const;
    await control.change({ id, request, report: () => undefined, signal, ...asker });
    return {};
  };
}
