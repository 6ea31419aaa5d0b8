// The units of packaging/systemd in a guest, over the checkout there instead of a package.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "vitest";

import type { Ended, RigHost } from "./fixture.js";

/** @param options of henged */
const install = (options: string): string => `
set -e
cp /srv/henge/packaging/systemd/* /etc/systemd/system/
for program in henge:cli/main henged:main; do
	printf '#!/bin/sh\\nexec node /srv/henge/dist/src/%s.js "$@"\\n' "\${program#*:}" >"/usr/bin/\${program%%:*}"
	chmod 755 "/usr/bin/\${program%%:*}"
done
ln -sfT /srv/henge /usr/lib/henge
echo 'HENGED_OPTIONS="${options}"' >/etc/default/henged
systemctl daemon-reload
systemctl --quiet enable henged.socket henged.service henge-monoliths.service
`;

/**
 * Installs and enables them.
 *
 * @param options of henged
 */
export async function installUnits(host: RigHost, options = "--pool-size 1"): Promise<void> {
  await host.must(install(options));
}

/** Starts them; returns when the daemon has said that it is ready. */
export async function startUnits(host: RigHost): Promise<void> {
  await host.must("systemctl start henged.socket henged.service henge-monoliths.service");
}

/** `henge up` of a manifest's text. Returns what it said. */
export async function upFromText(host: RigHost, manifest: string): Promise<string> {
  return withFile(manifest, (file) => host.mustHenge("up", file));
}

/** A verb that takes a manifest: its file is read on this machine. */
export async function hengeOfText(
  host: RigHost,
  manifest: string,
  ...words: readonly string[]
): Promise<Ended> {
  return withFile(manifest, (file) => host.henge(...words, file));
}

async function withFile<T>(text: string, act: (file: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), "henge-rig-"));
  try {
    const file = join(directory, "henge.yaml");
    await writeFile(file, text);
    return await act(file);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/**
 * Waits until all units are up and these are the units of all cells, each with its state; nobody asks for it.
 *
 * @param units sorted, e.g. `postgres running`
 */
export async function untilUp(host: RigHost, units: readonly string[]): Promise<void> {
  await host.must(
    "until systemctl --quiet is-active henged henge-monoliths; do " +
      '[ "$((waited += 1))" -lt 240 ] || exit 1; sleep 1; done',
  );
  const states = async (): Promise<readonly string[]> => {
    const cells = JSON.parse(await host.mustHenge("ps", "-o", "json")) as readonly PsCell[];
    return cells.flatMap((cell) => cell.units.map(({ name, state }) => `${name} ${state}`)).sort();
  };
  await expect.poll(states, { timeout: 240_000, interval: 500 }).toEqual(units);
}

interface PsCell {
  readonly units: readonly { readonly name: string; readonly state: string }[];
}
