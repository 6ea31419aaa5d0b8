// Judges the versions of OpenZFS's module and tools. Pure.

import type { OpenZfs } from "../../kernel/port.js";
import type { Finding } from "../port.js";
import { degraded, ok, unfit } from "./verdict.js";
import { isAtLeast } from "./version.js";

/** The first whose datasets can be id-mapped. */
export const OPENZFS_FLOOR = "2.2";
const INSTALL = "Install OpenZFS 2.2 or later: on Debian 12 from bookworm-backports.";

/** Nothing where ZFS is neither used nor installed. */
export function judgeOpenZfs(found: OpenZfs, isUsed: boolean): readonly Finding[] {
  const { module, hasTools } = found;
  if (module !== undefined) return [isUsed ? judgeUsed(found, module) : judgeUnused(found, module)];
  return isUsed || hasTools ? [withoutModule(isUsed)] : [];
}

function judgeUsed(found: OpenZfs, module: string): Finding {
  const text = describe(found, module);
  if (!isAtLeast(module, OPENZFS_FLOOR))
    return unfit("OpenZFS", `${text}: ${OPENZFS_FLOOR} is needed, for id-mapped mounts`, INSTALL);
  if (!found.hasTools) return unfit("OpenZFS", text, "Run apt-get install zfsutils-linux.");
  if (found.tools === undefined || upstream(found.tools) === upstream(module))
    return ok("OpenZFS", text);
  return degraded(
    "OpenZFS",
    `${text}: they differ`,
    "Upgrade both (apt-get install zfs-dkms zfsutils-linux) and reboot into the new module.",
  );
}

/** What is wrong with it is nobody's loss yet. */
function judgeUnused(found: OpenZfs, module: string): Finding {
  const isOld = !isAtLeast(module, OPENZFS_FLOOR);
  const lack = isOld ? ` (too old for Henge: it needs ${OPENZFS_FLOOR})` : "";
  return ok("OpenZFS", `${describe(found, module)}${lack}; not used`);
}

function describe({ tools, hasTools }: OpenZfs, module: string): string {
  return `module ${module}, tools ${tools ?? (hasTools ? "of unknown version" : "missing")}`;
}

function withoutModule(isUsed: boolean): Finding {
  if (!isUsed) return ok("OpenZFS", "installed, its module is not loaded, not used");
  return unfit(
    "OpenZFS",
    "its module is not loaded",
    "Run modprobe zfs; when there is none for this kernel: apt-get install zfs-dkms.",
  );
}

/** Without the revision of the distribution, e.g. `2.3.9` of `2.3.9-1~bpo13+1`. */
function upstream(version: string): string {
  return /^[\d.]+/.exec(version)?.[0] ?? version;
}
