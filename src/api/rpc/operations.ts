import { HengeError } from "../../errors.js";
import type { Control } from "../../reconcile/control.js";
import { operationToProto } from "../convert.js";
import { progressOf } from "../progress.js";
import type { Handler } from "../service.js";

export function operations(control: Control): Handler<"Operations"> {
  return ({ id }) => {
    const found = id === undefined ? control.operations() : [control.operation(id)];
    return Promise.resolve({ operations: found.map(operationToProto) });
  };
}

/** It is an operation that has failed, not this call: its failure comes as the status all the same, once it was followed. */
export function follow(control: Control): Handler<"Follow"> {
  return ({ id }, signal) => progressOf((report) => control.follow(id, report, signal));
}

export function cancel(control: Control): Handler<"Cancel"> {
  return ({ id }, _signal, { caller }) => {
    if (id === "") throw new HengeError("INVALID_REQUEST", "cannot cancel: which operation?");
    control.cancel(id, caller);
    return Promise.resolve({});
  };
}
