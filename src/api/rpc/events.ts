import type { Control } from "../../reconcile/control.js";
import { eventToProto } from "../convert.js";
import { cellFromProto, countFromProto } from "../requests.js";
import type { Handler } from "../service.js";

export function events(control: Control): Handler<"Events"> {
  return async function* (request, signal) {
    const { sinceMs, untilMs } = request;
    const query = {
      follow: request.follow,
      sinceSeq: countFromProto("since_seq", request.sinceSeq),
      ...(sinceMs === undefined ? {} : { sinceMs: countFromProto("since_ms", sinceMs) }),
      ...(untilMs === undefined ? {} : { untilMs: countFromProto("until_ms", untilMs) }),
      ...(request.cell === undefined ? {} : { cell: cellFromProto(request.cell) }),
    };
    for await (const event of control.events(query, signal)) yield eventToProto(event);
  };
}
