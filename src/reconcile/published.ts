// Which ports the manifests on record publish, and which of them Henge's rules hold.

import { HengeError } from "../errors.js";
import type { PublishedPort } from "../doctor/port.js";
import type { CellName, CellSpec, PublishSpec } from "../spec/index.js";

import type { Ports } from "./ports.js";

export async function publishedPorts(ports: Ports): Promise<readonly PublishedPort[]> {
  const stored = await ports.store.list();
  const cells = stored.flatMap((one) => ("corrupt" in one ? [] : one.desired.spec.cells));
  return (await Promise.all(cells.map((cell) => portsOf(ports, cell)))).flat();
}

async function portsOf(
  ports: Ports,
  { name, publish }: CellSpec,
): Promise<readonly PublishedPort[]> {
  if (publish.length === 0) return [];
  const held = await readHeld(ports, name);
  return publish.map((port) => ({
    ...port,
    cell: name,
    isHeld: held.some(
      ({ hostAddress, hostPort }) => hostAddress === port.hostAddress && hostPort === port.hostPort,
    ),
  }));
}

/** What is wrong with the tools that tell it is told on lines of their own. */
async function readHeld(ports: Ports, cell: CellName): Promise<readonly PublishSpec[]> {
  try {
    return (await ports.network.readPublished(cell)) ?? [];
  } catch (error) {
    if (error instanceof HengeError) return [];
    throw error;
  }
}
