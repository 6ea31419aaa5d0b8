import type { Command } from "commander";

import { readPackageVersion } from "../../package.js";
import { iso, printable } from "../text.js";
import { addVerb } from "../verb.js";
import type { Act } from "../verb.js";

export function addVersion(program: Command, act: Act): void {
  addVerb(
    program,
    "version",
    "tell the versions of henge and of the daemon",
    "henge version -o json",
  ).action(
    act((context) =>
      context.withDaemon(async (daemon) => {
        const { version, pid, startedAtMs } = await daemon.call("Version", {});
        const client = readPackageVersion();
        const startedAt = iso(startedAtMs);
        const text = `henge ${client}\nhenged ${version}, pid ${String(pid)}, since ${startedAt}`;
        context.print(
          { client, daemon: { version, pid, startedAt } },
          () => `${text.split("\n").map(printable).join("\n")}\n`,
        );
      }),
    ),
  );
}
