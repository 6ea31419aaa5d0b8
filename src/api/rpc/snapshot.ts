import type { Control } from "../../reconcile/control.js";
import { snapshotToProto } from "../convert.js";
import { cellFromProto, requestIdFromProto, snapshotFromProto } from "../requests.js";
import type { Handler } from "../service.js";

export function snapshot(control: Control): Handler<"Snapshot"> {
  return async ({ cell: text, name: wanted, requestId }, signal, asker) => {
    const [cell, name] = [cellFromProto(text), snapshotFromProto(wanted)];
    const id = requestIdFromProto(requestId);
    const request = { verb: "snapshot", cell, name } as const;
    await control.change({ id, request, report: () => undefined, signal, ...asker });
    const taken = (await control.snapshots(cell)).find((one) => one.name === name);
    if (taken === undefined) throw new Error(`snapshot ${name} was taken and is gone`);
    return snapshotToProto(taken);
  };
}
