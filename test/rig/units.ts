// The units of packaging/systemd in a guest, over the checkout there instead of a package.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { RigHost } from "./fixture.js";

const POOL_GIB = 1;

const INSTALL = `
set -e
cp /srv/henge/packaging/systemd/* /etc/systemd/system/
for program in henge:cli/main henged:main; do
	printf '#!/bin/sh\\nexec node /srv/henge/dist/src/%s.js "$@"\\n' "\${program#*:}" >"/usr/bin/\${program%%:*}"
	chmod 755 "/usr/bin/\${program%%:*}"
done
echo 'HENGED_OPTIONS="--pool-size ${String(POOL_GIB)}"' >/etc/default/henged
systemctl daemon-reload
systemctl --quiet enable --now henged.socket henged.service henge-monoliths.service
`;

/** Installs, enables and starts them; returns when the daemon has said that it is ready. */
export async function installUnits(host: RigHost): Promise<void> {
  await host.must(INSTALL);
}

/** `henge up` of a manifest's text: its file is read on this machine. */
export async function upFromText(host: RigHost, manifest: string): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "henge-rig-"));
  try {
    await writeFile(join(directory, "henge.yaml"), manifest);
    await host.mustHenge("up", join(directory, "henge.yaml"));
  } finally {
    await rm(directory, { recursive: true });
  }
}
