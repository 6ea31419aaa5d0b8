// What systemd did in a boot of a host, by a journal that outlives it.

import type { RigHost } from "./fixture.js";

/** Keeps the journal of this boot on the disk: the rig's hosts keep none. To be called in each boot. */
export async function keepJournal(host: RigHost): Promise<void> {
  await host.must(`set -e
    mkdir -p /var/log/journal
    printf '[Journal]\\nStorage=persistent\\n' >/etc/systemd/journald.conf.d/zz-keep.conf
    systemctl restart systemd-journald
    journalctl --flush`);
}

/** What systemd said that it had done with these units, in its order: e.g. `Stopped henged.service`. */
export async function deedsOfSystemd(
  host: RigHost,
  boot: "this" | "last",
  verbs: RegExp,
  units: RegExp,
): Promise<readonly string[]> {
  const offset = boot === "this" ? "0" : "-1";
  const text = await host.must(
    `journalctl --boot=${offset} --output=cat --no-pager --no-hostname _PID=1`,
  );
  return text
    .split("\n")
    .map((line) => /^(\w+(?: target)?) (\S+)/.exec(line))
    .flatMap((match) => (match === null ? [] : [[match[1] ?? "", match[2] ?? ""] as const]))
    .filter(([verb, unit]) => verbs.test(verb) && units.test(unit))
    .map(([verb, unit]) => `${verb} ${unit.replace(/\.$/, "")}`);
}
