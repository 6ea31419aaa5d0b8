// A host with 8 GiB of memory and the kernel's default of descriptors.

import type { HostPort } from "../../src/kernel/port.js";

export function createFakeHost(over: Partial<HostPort> = {}): HostPort {
  return {
    bootId: () => Promise.resolve("boot"),
    capacity: () =>
      Promise.resolve({
        memoryBytes: 8 * 1024 ** 3,
        nofileMax: 1_048_576,
        nofileFrom: "fs.nr_open of this host",
        nofileDefault: 65_536,
      }),
    listeningPorts: () => Promise.resolve(new Set([8081])),
    ...over,
  };
}
