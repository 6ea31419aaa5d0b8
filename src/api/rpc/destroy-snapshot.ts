import type { Control } from "../../reconcile/control.js";
import { cellFromProto, requestIdFromProto, snapshotFromProto } from "../requests.js";
import type { Handler } from "../service.js";

export function destroySnapshot(control: Control): Handler<"DestroySnapshot"> {
  return async (request, signal) => {
    await control.destroySnapshot(
      cellFromProto(request.cell),
      snapshotFromProto(request.name),
      requestIdFromProto(request.requestId),
      signal,
    );
    return {};
  };
}
