// Shows the steps of a verb while they are taken: a line for each that is done and, on a terminal, one that changes.

import type { Progress, Step } from "../api/gen/henge/v1/henge.js";
import type { Context } from "./context.js";
import type { Terminal } from "./io.js";
import { age, printable } from "./text.js";

const ERASE_LINE = "\r\u001b[K";
const REDRAW_MS = 1_000;
const REMIND_MS = 10_000;

/** Shows progress to its end, and tells it. */
export async function follow(
  context: Context,
  stream: AsyncIterable<Progress>,
  heard: (progress: Progress) => void,
): Promise<void> {
  const show = context.form === "json" ? undefined : makeView(context.io.stdout);
  try {
    for await (const progress of stream) {
      show?.progress(progress);
      heard(progress);
    }
  } finally {
    show?.close();
  }
}

/** What a step does to what, in one line. */
export function describeStep(step: Step): string {
  const unit = step.unit === undefined ? "" : `:${step.unit}`;
  const subject = [step.cell === undefined ? "" : `${step.cell}${unit}`, step.object ?? ""].filter(
    (word) => word !== "",
  );
  return printable([step.kind, ...subject].join(" "));
}

interface View {
  progress(progress: Progress): void;
  close(): void;
}

function makeView(output: Terminal): View {
  const running = new Map<number, { readonly text: string; readonly sinceMs: number }>();
  let total = 0;
  let done = 0;
  const say = (line: string) => {
    output.write(`${output.isTTY === true ? ERASE_LINE : ""}${line}\n`);
  };
  const draw = () => {
    const [first] = running.values();
    if (output.isTTY !== true || first === undefined) return;
    const more = running.size > 1 ? ` and ${String(running.size - 1)} more` : "";
    const line = `[${String(done)}/${String(total)}] ${first.text} … ${age(performance.now() - first.sinceMs)}${more}`;
    output.write(`${ERASE_LINE}${line.slice(0, (output.columns ?? 80) - 1)}`);
  };
  /** A pipe hears now and then what is waited for. */
  const remind = () => {
    for (const { text, sinceMs } of running.values())
      say(`[${String(done)}/${String(total)}] ${text} … ${age(performance.now() - sinceMs)}`);
  };
  const timer =
    output.isTTY === true ? setInterval(draw, REDRAW_MS) : setInterval(remind, REMIND_MS);
  return {
    progress({ plan, begin, end, note }) {
      total += plan?.steps.length ?? 0;
      if (plan?.steps.length === 0) say("nothing to change");
      if (note !== undefined) say(printable(note));
      if (begin?.step !== undefined) {
        running.set(begin.index, { text: describeStep(begin.step), sinceMs: performance.now() });
      }
      if (end?.step !== undefined) {
        running.delete(end.index);
        done += 1;
        say(
          `[${String(done)}/${String(total)}] ${describeStep(end.step)} (${seconds(end.tookMs)})`,
        );
      }
      draw();
    },
    close() {
      clearInterval(timer);
      for (const { text } of running.values()) say(`not done: ${text}`);
    },
  };
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
