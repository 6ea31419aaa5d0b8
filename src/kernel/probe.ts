// Has henge-helper try what Henge needs of the kernel, for Node cannot make these calls, and reads its answer.

import type { Run } from "../command.js";
import type { Probed } from "./port.js";

const DEADLINE_MS = 10_000;

/**
 * By the facility's name. Never two at a time: they share a leaf of the subtree.
 * @param helper absolute path of henge-helper
 * @param subtree absolute directory of Henge's cgroup subtree
 * @throws {HengeError} it could not be run, or did not end in time
 */
export async function probeFacilities(
  run: Run,
  helper: string,
  subtree: string | undefined,
): Promise<ReadonlyMap<string, Probed>> {
  return probe(run, [helper, "--probe", "facilities", subtree ?? "-"]);
}

/**
 * @param source a directory of the pool, or its dataset
 * @throws {HengeError} it could not be run, or did not end in time
 */
export async function probeIdMap(
  run: Run,
  helper: string,
  source: string,
): Promise<Probed | undefined> {
  return (await probe(run, [helper, "--probe", "idmap", source])).get("idmap");
}

async function probe(
  run: Run,
  argv: readonly [string, ...string[]],
): Promise<ReadonlyMap<string, Probed>> {
  return parseProbe(await run(argv, { timeoutMs: DEADLINE_MS }));
}

/** Lines of `NAME\tok\tDETAIL` or `NAME\tERRNO\tDETAIL`; others are left out. Pure. */
export function parseProbe(text: string): ReadonlyMap<string, Probed> {
  const found = new Map<string, Probed>();
  for (const line of text.split("\n")) {
    const [name = "", result, detail] = line.split("\t");
    if (result === undefined || detail === undefined) continue;
    found.set(name, result === "ok" ? { detail } : { errno: result, detail });
  }
  return found;
}
