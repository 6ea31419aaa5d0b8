import type { Control } from "../../reconcile/control.js";
import { eventToProto } from "../convert.js";
import { cellFromProto, countFromProto } from "../requests.js";
import type { Handler } from "../service.js";

export function events(control: Control): Handler<"Events"> {
  return async function* (request, signal) {
    const query = {
      follow: request.follow,
      sinceSeq: countFromProto("since_seq", request.sinceSeq),
      ...(request.cell === undefined ? {} : { cell: cellFromProto(request.cell) }),
    };
    for await (const event of control.events(query, signal)) yield eventToProto(event);
  };
}
