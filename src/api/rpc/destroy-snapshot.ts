import type { Control, RequestOf } from "../../reconcile/control.js";
import { cellFromProto, requestIdFromProto, snapshotFromProto } from "../requests.js";
import type { Handler } from "../service.js";

export function destroySnapshot(control: Control): Handler<"DestroySnapshot"> {
  return async ({ cell, name, requestId }, signal, asker) => {
    const request: RequestOf<"destroy-snapshot"> = {
      verb: "destroy-snapshot",
      cell: cellFromProto(cell),
      name: snapshotFromProto(name),
    };
    const id = requestIdFromProto(requestId);
    await control.change({ id, request, report: () => undefined, signal, ...asker });
    return {};
  };
}
