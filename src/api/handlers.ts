// Every RPC of the service and what answers it. All handlers pass through the adapters here: there is no other way
// into the server.

import type { UntypedServiceImplementation } from "@grpc/grpc-js";

import type { Logger } from "../log.js";
import type { Control } from "../reconcile/control.js";
import { apply } from "./rpc/apply.js";
import { clone } from "./rpc/clone.js";
import { destroySnapshot } from "./rpc/destroy-snapshot.js";
import { doctor } from "./rpc/doctor.js";
import { events } from "./rpc/events.js";
import { exec } from "./rpc/exec.js";
import { free } from "./rpc/free.js";
import { setFrozen } from "./rpc/freeze.js";
import { get } from "./rpc/get.js";
import { halt } from "./rpc/halt.js";
import { list } from "./rpc/list.js";
import { logs } from "./rpc/logs.js";
import { cancel, follow, operations } from "./rpc/operations.js";
import { plan } from "./rpc/plan.js";
import { resume } from "./rpc/resume.js";
import { rollback } from "./rpc/rollback.js";
import { snapshot } from "./rpc/snapshot.js";
import { snapshots } from "./rpc/snapshots.js";
import { changeUnits } from "./rpc/units.js";
import { validate } from "./rpc/validate.js";
import { version } from "./rpc/version.js";
import type { RpcName } from "./service.js";
import { statusOf } from "./status.js";
import { bidiStream, serverStream } from "./stream.js";
import { unary } from "./unary.js";
import type { ToStatus } from "./unary.js";

export function implementationOf(control: Control, log: Logger): UntypedServiceImplementation {
  const as =
    (rpc: RpcName): ToStatus =>
    (error) =>
      statusOf(error, rpc, log);
  return {
    Apply: serverStream(apply(control, "up"), as("Apply")),
    Upgrade: serverStream(apply(control, "upgrade"), as("Upgrade")),
    Plan: unary(plan(control), as("Plan")),
    Validate: unary(validate(control), as("Validate")),
    List: unary(list(control), as("List")),
    Get: unary(get(control), as("Get")),
    Start: serverStream(changeUnits(control, "start"), as("Start")),
    Stop: serverStream(changeUnits(control, "stop"), as("Stop")),
    Restart: serverStream(changeUnits(control, "restart"), as("Restart")),
    Freeze: unary(setFrozen(control, "freeze"), as("Freeze")),
    Thaw: unary(setFrozen(control, "thaw"), as("Thaw")),
    Free: serverStream(free(control), as("Free")),
    Halt: serverStream(halt(control), as("Halt")),
    Resume: unary(resume(control), as("Resume")),
    Snapshot: unary(snapshot(control), as("Snapshot")),
    Snapshots: unary(snapshots(control), as("Snapshots")),
    DestroySnapshot: unary(destroySnapshot(control), as("DestroySnapshot")),
    Rollback: serverStream(rollback(control), as("Rollback")),
    Clone: serverStream(clone(control), as("Clone")),
    Operations: unary(operations(control), as("Operations")),
    Follow: serverStream(follow(control), as("Follow")),
    Cancel: unary(cancel(control), as("Cancel")),
    Logs: serverStream(logs(control), as("Logs")),
    Events: serverStream(events(control), as("Events")),
    Exec: bidiStream(exec(control), as("Exec")),
    Doctor: unary(doctor(control), as("Doctor")),
    Version: unary(version(control), as("Version")),
  } satisfies Record<RpcName, unknown>;
}
