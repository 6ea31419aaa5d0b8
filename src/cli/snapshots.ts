// Snapshots as JSON and as a table. The keys of the JSON are an interface: see docs/cli.md.

import type { SnapshotStatus } from "../api/gen/henge/v1/henge.js";
import { formatSize, isSnapshotName } from "../spec/index.js";
import { usage } from "./arguments.js";
import { iso, printable, table } from "./text.js";

export function parseSnapshot(text: string): string {
  if (isSnapshotName(text)) return text;
  throw usage(
    `cannot use ${JSON.stringify(text)}: a snapshot is named with small letters, digits, . _ -, at most 63`,
  );
}

/** For those who do not care for a name. */
export function timeName(nowMs: number): string {
  return new Date(nowMs)
    .toISOString()
    .replace(/[-:]|\.\d+/g, "")
    .toLowerCase();
}

export function snapshotToJson(snapshot: SnapshotStatus) {
  return {
    name: snapshot.name,
    createdAt: iso(snapshot.createdAtMs),
    volumes: snapshot.volumes.map(({ volume, usedBytes, guid }) => ({ volume, usedBytes, guid })),
    consistent: snapshot.consistent,
    reason: snapshot.reason ?? null,
    clones: snapshot.clones,
  };
}

export function snapshotsTable(snapshots: readonly SnapshotStatus[]): string {
  return table(
    ["NAME", "CREATED", "VOLUMES", "USED", "CONSISTENT", "CLONES"],
    snapshots.map(({ name, createdAtMs, volumes, consistent, reason, clones }) => [
      printable(name),
      iso(createdAtMs),
      volumes.map(({ volume }) => volume).join(" "),
      formatSize(volumes.reduce((sum, { usedBytes }) => sum + usedBytes, 0)),
      consistent ? "yes" : `no: ${printable(reason ?? "")}`,
      clones.length === 0 ? "-" : printable(clones.join(" ")),
    ]),
  );
}
