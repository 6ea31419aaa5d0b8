// henged in a host of the rig, as a transient unit beside a scope of the cells' own: for tests that need no package.

import type { RigHost } from "./fixture.js";

/**
 * Starts henged from the host's copy of the checkout, and returns when it answers. Called again it replaces the daemon;
 * the cells live on.
 *
 * @param options of henged, e.g. `--pool-size 1`
 */
export async function startHenged(host: RigHost, ...options: readonly string[]): Promise<void> {
  await host.must(
    `set -eu
    if ! systemctl --quiet is-active henge-cells.scope; then
      setsid systemd-run --quiet --scope --unit=henge-cells --slice=henge.slice --property=Delegate=yes \\
        sleep infinity </dev/null >/dev/null 2>&1 &
    fi
    systemctl stop henged.service 2>/dev/null || true
    rm -f /run/henge/henged.sock
    until systemctl --quiet is-active henge-cells.scope; do sleep 0.1; done
    systemd-run --quiet --collect --unit=henged --property=Type=exec --property=KillMode=process \\
      "$(command -v node)" /srv/henge/dist/src/main.js \\
      --delegated "$(systemctl show --property=ControlGroup --value henge-cells.scope)" ${options.join(" ")}
    until [ -S /run/henge/henged.sock ]; do
      systemctl --quiet is-active henged || {
        journalctl --unit henged --no-pager --lines 20 >&2
        exit 1
      }
      sleep 0.2
    done`,
  );
  await host.mustHenge("version");
}
