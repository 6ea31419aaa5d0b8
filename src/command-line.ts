// The daemon's command line as data: read by main.ts, and what henged(8) is made of.

import { Command, Option } from "commander";

import { readPackageVersion } from "./package.js";

export interface DaemonOptions {
  readonly root?: string;
  readonly poolSize?: string;
  readonly delegated?: string;
  readonly spawner?: string;
  readonly zfs?: string;
  readonly certificates: string;
}

/** @param root what `--root` is without the option */
export function makeDaemonProgram(root: string | undefined): Command {
  return new Command("henged")
    .description("The daemon of Henge: raises cells, supervises their units, answers henge.")
    .option(
      "--root <directory>",
      "where everything of this daemon lies (default: /var/lib/henge and /run/henge)",
      root,
    )
    .option(
      "--pool-size <GiB>",
      "size of the embedded pool's file when it is made; it takes room only as it fills",
    )
    .addOption(
      new Option(
        "--zfs <dataset>",
        "keep volumes and images below this ZFS dataset, made when it is missing, in place of the embedded pool",
      ).conflicts("poolSize"),
    )
    .option(
      "--delegated <cgroup>",
      "path of the cgroup the service manager has delegated for the cells, e.g. /henge.slice/henge-cells.scope",
    )
    .option(
      "--spawner <socket>",
      "have wardens started by henge-helper --spawner, which listens there, in place of the daemon itself",
    )
    .option(
      "--certificates <directory>",
      "where certbot keeps the certificates that henge doctor looks at",
      "/etc/letsencrypt/live",
    )
    .version(readPackageVersion())
    .addHelpText(
      "after",
      "\nExample:\n  henged --root /srv/henge --pool-size 100\n  henged --zfs tank/henge",
    );
}
