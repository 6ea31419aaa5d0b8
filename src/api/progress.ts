// The progress of one verb as the stream its RPC answers with.

import type { Progress } from "../reconcile/control.js";
import { collect } from "./collect.js";
import { progressToProto } from "./convert.js";
import type * as proto from "./gen/henge/v1/henge.js";

export function progressOf(
  run: (report: (progress: Progress) => void) => Promise<void>,
): AsyncIterable<proto.Progress> {
  return collect((report) =>
    run((progress) => {
      report(progressToProto(progress));
    }),
  );
}
