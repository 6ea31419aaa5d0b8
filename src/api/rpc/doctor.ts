import type { Control } from "../../reconcile/control.js";
import type { Handler } from "../service.js";

export function doctor(control: Control): Handler<"Doctor"> {
  return async () => ({ findings: await control.doctor() });
}
