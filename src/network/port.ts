// What the core asks of the host's network for root cells with a network namespace of their own.

import type { CellName, PublishSpec } from "../spec/index.js";

export interface NetworkPort {
  /**
   * Whether `attach` and `publish` would take these ports of the cell now. Changes nothing.
   * @throws {HengeError} WRONG_STATE: another cell has one, a process of the host listens there, it is no address of the host
   */
  admit(cell: CellName, ports: readonly PublishSpec[]): Promise<void>;
  /**
   * Gives the network namespace of process `initPid` a veth with an address, and publishes ports. Idempotent.
   * Denied by default: anything that does not come from the host itself through a published port.
   */
  attach(cell: CellName, initPid: number, ports: readonly PublishSpec[]): Promise<void>;
  /** Replaces the published ports of an attached cell in one transaction. */
  publish(cell: CellName, ports: readonly PublishSpec[]): Promise<void>;
  /** The published ports as the kernel has them; undefined when the cell is not attached. */
  readPublished(cell: CellName): Promise<readonly PublishSpec[] | undefined>;
  /** Removes the cell's veth and rules. Idempotent. */
  detach(cell: CellName): Promise<void>;
  /** Removes what belongs to no cell of `keep`, and Henge's table when nothing is left. */
  sweep(keep: readonly CellName[]): Promise<void>;
  /**
   * Takes over what a former daemon attached, and from now on puts the rules back within seconds when somebody else has
   * changed them. `desired` counts for a cell only when all rules are gone.
   * @param told they were put back; `by` is the process that changed them, where that is known
   * @param signal ends it
   */
  guard(
    desired: ReadonlyMap<CellName, readonly PublishSpec[]>,
    told: (by?: string) => void,
    signal: AbortSignal,
  ): Promise<void>;
}
