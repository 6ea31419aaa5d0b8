// What a manifest may say of a cell, of the root cell, and of the monolith around them.

import { z } from "zod";

import { budget } from "./budget.js";
import { controllers, limits } from "./limits.js";
import { expected } from "./problems.js";
import { environment, unit } from "./unit.js";
import { volume } from "./volume.js";
import {
  duration,
  envName,
  hostPath,
  label,
  notation,
  oneOf,
  publishedPort,
  size,
  TARGET_PATH,
  targetPath,
  unitReference,
  user,
  wholeNumber,
  wordOrMapping,
} from "./values.js";

const HOUR = 3_600_000;
const PEBIBYTE = 2 ** 50;
const FORMAT_VERSION = 1;

const mount = z.strictObject({
  volume: label.describe("A volume declared at the top of the manifest."),
  path: targetPath,
  "read-only": z.boolean().prefault(false),
  owner: user.optional().describe("User and group its top directory is given."),
  mode: notation(/^[01]?[0-7]{3}$/, 'an octal mode in quotes such as "0700"')
    .transform((digits) => parseInt(digits, 8))
    .optional()
    .describe("Mode of its top directory."),
});

const tmpfsMapping = z.strictObject({
  path: targetPath,
  size: size(4096, PEBIBYTE).prefault("64MiB"),
});

const tmpfs = z
  .union([targetPath, tmpfsMapping], {
    error: expected(`${TARGET_PATH}, or a mapping of path and size`),
  })
  .transform((given) => (typeof given === "string" ? tmpfsMapping.parse({ path: given }) : given));

const file = z
  .strictObject({
    source: hostPath.describe("A file of the host."),
    path: targetPath,
    keys: z
      .array(envName)
      .prefault([])
      .describe("It is a file of NAME=VALUE lines that sets these, each to something."),
    without: z
      .array(envName)
      .prefault([])
      .describe("It is a file of NAME=VALUE lines that sets none of these."),
  })
  .refine(({ keys, without }) => !without.some((name) => keys.includes(name)), {
    path: ["without"],
    error: "expected none of the names in keys",
  });

const root = wordOrMapping(
  ["host"],
  z.strictObject({ image: label.describe("An image declared at the top of the manifest.") }),
).describe("The file system under everything else, read-only: the host's own or an image.");

const cellFields = {
  limits: limits.prefault({}),
  "accept-missing-controllers": controllers.optional(),
  mounts: z.array(mount).prefault([]).describe("Volumes: the only writable places that last."),
  tmpfs: z.array(tmpfs).prefault([]).describe("Writable places in memory, empty at every start."),
  files: z.array(file).prefault([]).describe("Single files of the host, read-only."),
  units: z.record(label, unit).prefault({}),
};

const nestedFields = z.strictObject({
  root: root.optional().describe("Default: the root of the cell it is nested in."),
  network: oneOf(["parent"], " in a nested cell: only the root cell says host or own").optional(),
  publish: z
    .never({ error: "only the root cell publishes ports" })
    .optional()
    .describe("Not allowed: only the root cell publishes ports."),
  ...cellFields,
});

export type NestedFields = z.output<typeof nestedFields> & {
  readonly cells: Readonly<Record<string, NestedFields>>;
};
type NestedInput = z.input<typeof nestedFields> & {
  readonly cells?: Readonly<Record<string, NestedInput>> | undefined;
};

// Annotated because it names itself.
const nestedCell: z.ZodType<NestedFields, NestedInput> = nestedFields
  .extend({ cells: z.lazy(() => z.record(label, nestedCell)).prefault({}) })
  .meta({ id: "Cell" });

const image = z.strictObject({
  archive: hostPath.describe("A tar archive of a root file system."),
});

const snapshots = z.strictObject({
  "before-changes": z
    .boolean()
    .prefault(false)
    .describe(
      "Take one before up, start, stop, restart and down change anything, and before a one-off of run.",
    ),
  keep: wholeNumber(1, 1_000)
    .prefault(10)
    .describe("Of those taken by themselves, the newest that stay."),
});

const upgrade = z.strictObject({
  before: z
    .array(
      z.strictObject({
        unit: unitReference.describe("A one-shot unit: CELL:UNIT, or UNIT of the root cell."),
        env: environment.prefault({}).describe("More environment than the unit's own."),
      }),
    )
    .prefault([])
    .describe("One-shots run on the new code while the old still serves."),
  after: z
    .array(unitReference)
    .prefault([])
    .describe("One-shots run when nothing of the old code runs any more: no way back then."),
  settle: duration(0, HOUR)
    .prefault("10s")
    .describe("How long everything must stay ready on the new code before `after`."),
});

/** The one source of validator, types and JSON Schema. */
export const manifest = z.strictObject({
  henge: z
    .literal(FORMAT_VERSION, {
      error: expected(`${String(FORMAT_VERSION)}, the version of the format this Henge reads`),
    })
    .describe("Version of the manifest format."),
  name: label.describe("The monolith and its root cell."),
  images: z.record(label, image).prefault({}),
  volumes: z.record(label, volume).prefault({}),
  upgrade: upgrade.optional().describe("What henge upgrade runs beside restarting."),
  snapshots: snapshots.optional().describe("Snapshots of all volumes, taken by themselves."),
  budgets: z.record(label, budget).prefault({}).describe("What there is only so much of."),
  exclusive: z.array(label).prefault([]).describe("What exactly one unit must own."),
  root,
  network: oneOf(["host", "own"])
    .prefault("own")
    .describe("own: a network of the monolith's, shared by all of its cells."),
  publish: z
    .array(publishedPort)
    .prefault([])
    .describe(
      "Ports of the host led to the cell: HOSTPORT:CELLPORT on 127.0.0.1, or ADDRESS first.",
    ),
  ...cellFields,
  cells: z.record(label, nestedCell).prefault({}),
});

export type ManifestFields = z.output<typeof manifest>;
