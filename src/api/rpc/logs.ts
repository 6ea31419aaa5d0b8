import type { Control, LogCursor, LogLine } from "../../reconcile/control.js";
import type * as proto from "../gen/henge/v1/henge.js";
import { logQueryFromProto } from "../requests.js";
import type { Handler } from "../service.js";

export function logs(control: Control): Handler<"Logs"> {
  return async function* (request, signal) {
    for await (const item of control.logs(logQueryFromProto(request), signal)) {
      if (request.cursors) yield lineToProto(item);
      else if ("text" in item) yield { ...lineToProto(item), cursor: undefined };
    }
  };
}

function lineToProto(item: LogLine | LogCursor): proto.LogLine {
  const { cell, unit, cursor } = item;
  if ("text" in item) return { ...item, onlyCursor: false };
  return { cell, unit, cursor, atMs: 0, stream: "stdout", text: "", onlyCursor: true };
}
