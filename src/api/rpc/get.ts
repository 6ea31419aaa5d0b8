import type { Control } from "../../reconcile/control.js";
import { cellToProto } from "../convert.js";
import { cellFromProto } from "../requests.js";
import type { Handler } from "../service.js";

export function get(control: Control): Handler<"Get"> {
  return async (request) => cellToProto(await control.get(cellFromProto(request.cell)));
}
