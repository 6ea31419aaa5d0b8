import type { Control } from "../../reconcile/control.js";
import { logQueryFromProto } from "../requests.js";
import type { Handler } from "../service.js";

export function logs(control: Control): Handler<"Logs"> {
  return (request, signal) => control.logs(logQueryFromProto(request), signal);
}
