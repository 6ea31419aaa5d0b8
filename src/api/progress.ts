// A change as the stream its RPC answers with: the operation, its steps, and its failure as the status.

import type { Control, Progress, Request } from "../reconcile/control.js";
import type { Asker } from "./asker.js";
import { collect } from "./collect.js";
import { progressToProto } from "./convert.js";
import type * as proto from "./gen/henge/v1/henge.js";

/** The call as its stream; when its client is gone, the operation goes on. */
export function changeAsStream(
  control: Pick<Control, "change">,
  id: string,
  request: Request,
  signal: AbortSignal,
  asker: Asker,
): AsyncIterable<proto.Progress> {
  return progressOf((report) => control.change({ id, request, report, signal, ...asker }));
}

export function progressOf(
  run: (report: (progress: Progress) => void) => Promise<void>,
): AsyncIterable<proto.Progress> {
  return collect((report) =>
    run((progress) => {
      report(progressToProto(progress));
    }),
  );
}
