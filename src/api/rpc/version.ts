import type { Control } from "../../reconcile/control.js";
import type { Handler } from "../service.js";

export function version(control: Control): Handler<"Version"> {
  return () => Promise.resolve(control.version());
}
