import type { Control } from "../../reconcile/control.js";
import { snapshotToProto } from "../convert.js";
import { cellFromProto } from "../requests.js";
import type { Handler } from "../service.js";

export function snapshots(control: Control): Handler<"Snapshots"> {
  return async (request) => ({
    snapshots: (await control.snapshots(cellFromProto(request.cell))).map(snapshotToProto),
  });
}
