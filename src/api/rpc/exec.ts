// The bidirectional call: the first request starts the command, later ones feed it, replies carry what it says.

import type { Control } from "../../reconcile/control.js";
import { collect } from "../collect.js";
import { exitToProto } from "../convert.js";
import type * as proto from "../gen/henge/v1/henge.js";
import { execOptionsFromProto, invalid, terminalFromProto } from "../requests.js";
import type { Handler } from "../service.js";

// What a command may have said that its client has not taken yet.
const UNTAKEN_MAX_BYTES = 1024 * 1024;

type Session = Awaited<ReturnType<Control["exec"]>>;

export function exec(control: Control): Handler<"Exec"> {
  return async function* (requests, signal, asker) {
    const input = requests[Symbol.asyncIterator]();
    const first = await input.next();
    if (first.done === true || first.value.start === undefined)
      throw invalid("cannot run before a start");
    const ended = new AbortController();
    try {
      const options = execOptionsFromProto(first.value.start, asker);
      const session = await control.exec(options, AbortSignal.any([signal, ended.signal]));
      yield* paced(session, (report) => relay(session, input, report));
    } finally {
      ended.abort(); // Whatever ended the call, the command ends with it.
    }
  };
}

/** Holds the command up while its client does not read. */
async function* paced(
  session: Session,
  run: (report: (reply: proto.ExecReply) => void) => Promise<void>,
): AsyncGenerator<proto.ExecReply> {
  let untaken = 0;
  const replies = collect<proto.ExecReply>((report) =>
    run((reply) => {
      untaken += bytesOf(reply);
      if (untaken > UNTAKEN_MAX_BYTES) session.pause();
      report(reply);
    }),
  );
  for await (const reply of replies) {
    yield reply; // Comes back when the client has room for more.
    untaken -= bytesOf(reply);
    if (untaken <= UNTAKEN_MAX_BYTES / 2) session.resume();
  }
}

function bytesOf({ stdout, stderr }: proto.ExecReply): number {
  return (stdout ?? stderr)?.length ?? 0;
}

/** Ends with the command; fails when it was fed what no command takes. */
async function relay(
  session: Session,
  input: AsyncIterator<proto.ExecRequest>,
  report: (reply: proto.ExecReply) => void,
): Promise<void> {
  session.onOutput((stream, chunk) => {
    report(stream === "stdout" ? { stdout: chunk } : { stderr: chunk });
  });
  const misfed = new Promise<never>((_, reject) => {
    feed(session, input).catch(reject);
  });
  report({ exit: exitToProto(await Promise.race([session.exit, misfed])) });
}

async function feed(session: Session, input: AsyncIterator<proto.ExecRequest>): Promise<void> {
  let resume = () => {};
  session.onDrain(() => {
    resume();
  });
  for (let next = await input.next(); next.done !== true; next = await input.next()) {
    const { start, stdin, resize } = next.value;
    if (start !== undefined) throw invalid("cannot start twice in one call");
    if (resize !== undefined) {
      const { rows, columns } = terminalFromProto(resize);
      session.resize(rows, columns);
    }
    if (stdin !== undefined && !session.write(stdin))
      await new Promise<void>((resolve) => (resume = resolve));
  }
  session.end();
}
