// The network port in memory, for tests of the core. The suite in test/system holds it to the promises.

import { HengeError } from "../../src/errors.js";
import type { NetworkPort } from "../../src/network/port.js";
import type { CellName, PublishSpec } from "../../src/spec/index.js";

interface Attached {
  readonly initPid: number;
  readonly ports: readonly PublishSpec[];
}

export interface FakeNetwork extends NetworkPort {
  /** The process whose network the cell's is; undefined when the cell is not attached. */
  initPidOf(cell: CellName): number | undefined;
}

export function createFakeNetwork(): FakeNetwork {
  const cells = new Map<CellName, Attached>();
  const set = (cell: CellName, initPid: number, ports: readonly PublishSpec[]): Promise<void> => {
    for (const port of ports) refuseTaken(cells, cell, port);
    cells.set(cell, { initPid, ports: [...ports] });
    return Promise.resolve();
  };
  return {
    admit: (cell, ports) => {
      for (const port of ports) refuseTaken(cells, cell, port);
      return Promise.resolve();
    },
    attach: async (cell, initPid, ports) => set(cell, initPid, ports),
    publish: async (cell, ports) => {
      const attached = cells.get(cell);
      if (attached === undefined) {
        throw new HengeError(
          "WRONG_STATE",
          `cannot publish ports of cell ${cell}: it is not attached`,
        );
      }
      await set(cell, attached.initPid, ports);
    },
    readPublished: (cell) => Promise.resolve(cells.get(cell)?.ports),
    detach: (cell) => {
      cells.delete(cell);
      return Promise.resolve();
    },
    sweep: (keep) => {
      for (const cell of [...cells.keys()].filter((name) => !keep.includes(name)))
        cells.delete(cell);
      return Promise.resolve();
    },
    guard: () => Promise.resolve(),
    initPidOf: (cell) => cells.get(cell)?.initPid,
  };
}

function refuseTaken(
  cells: ReadonlyMap<CellName, Attached>,
  cell: CellName,
  port: PublishSpec,
): void {
  for (const [other, { ports }] of cells) {
    const taken = ports.some(
      (p) => p.hostAddress === port.hostAddress && p.hostPort === port.hostPort,
    );
    if (other === cell || !taken) continue;
    const at = `${port.hostAddress}:${String(port.hostPort)}`;
    throw new HengeError(
      "WRONG_STATE",
      `cannot publish ${at} for cell ${cell}: cell ${other} has it`,
    );
  }
}
