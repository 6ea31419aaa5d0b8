import type { Control } from "../../reconcile/control.js";
import { snapshotToProto } from "../convert.js";
import { cellFromProto, requestIdFromProto, snapshotFromProto } from "../requests.js";
import type { Handler } from "../service.js";

export function snapshot(control: Control): Handler<"Snapshot"> {
  return async (request, signal) =>
    snapshotToProto(
      await control.snapshot(
        cellFromProto(request.cell),
        snapshotFromProto(request.name),
        requestIdFromProto(request.requestId),
        signal,
      ),
    );
}
