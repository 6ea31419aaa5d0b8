import type { Control } from "../../reconcile/control.js";
import { cellToProto } from "../convert.js";
import type { Handler } from "../service.js";

export function list(control: Control): Handler<"List"> {
  return async () => ({ cells: (await control.list()).map(cellToProto) });
}
