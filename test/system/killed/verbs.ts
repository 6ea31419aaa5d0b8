// Every verb that changes a monolith, from where it begins, and back. The monolith is `m`: four cells, two volumes.

export type Words = readonly string[];

export interface KilledVerb {
  readonly name: string;
  /** From an empty root to where it begins. */
  readonly before: readonly Words[];
  readonly act: Words;
  /** From where it ends to where it begins, where that is not the same. */
  readonly back: readonly Words[];
  /** A line of the traces that shows that it is done, where it leaves that to the daemon. */
  readonly until?: string;
}

const DOWN: Words = ["down", "m", "--destroy-data", "--yes-destroy", "m"];
const UP: Words = ["up", "m.yaml"];
const STOP: Words = ["stop", "m"];
const SNAPSHOT: Words = ["snapshot", "m", "--name", "n"];
const DESTROY_SNAPSHOT: Words = ["destroy-snapshot", "m", "n", "--yes", "n"];

/** Each says when it is ready, so that a whole `up` is over within the moments that are tried. */
const READY = "readiness: { exec: [/bin/true] }, clean-exits: [TERM]";

export const MANIFESTS: Readonly<Record<string, string>> = {
  "m.yaml": manifest("one"),
  "changed.yaml": manifest("two"),
};

function manifest(word: string): string {
  return `henge: 1
name: m
root: host
network: own
volumes: { a: {}, b: {} }
cells:
  x:
    mounts: [{ volume: a, path: /srv }]
    units: { x: { argv: [/bin/sleep, "1000"], env: { WORD: ${word} }, ${READY} } }
  y:
    mounts: [{ volume: b, path: /srv }]
    units: { y: { argv: [/bin/sleep, "1000"], after: ["x:x"], ${READY} } }
  z:
    units: { z: { argv: [/bin/sleep, "1000"], env: { WORD: ${word} }, after: ["y:y"], ${READY} } }
`;
}

const up: readonly KilledVerb[] = [
  { name: "up of a new one", before: [], act: UP, back: [DOWN] },
  { name: "up of a change", before: [UP], act: ["up", "changed.yaml"], back: [UP] },
  { name: "upgrade", before: [UP], act: ["upgrade", "changed.yaml"], back: [UP] },
  { name: "halt", before: [UP], act: ["halt"], back: [["resume"]] },
  {
    name: "resume",
    before: [UP, ["halt"]],
    act: ["resume"],
    until: "unit m/z:z running",
    back: [["halt"]],
  },
];

const units: readonly KilledVerb[] = [
  { name: "restart", before: [UP], act: ["restart", "m"], back: [] },
  { name: "stop", before: [UP], act: STOP, back: [["start", "m"]] },
  { name: "start", before: [UP, STOP], act: ["start", "m"], back: [STOP] },
  { name: "freeze", before: [UP], act: ["freeze", "m"], back: [["thaw", "m"]] },
  { name: "thaw", before: [UP, ["freeze", "m"]], act: ["thaw", "m"], back: [["freeze", "m"]] },
  { name: "run", before: [UP], act: ["run", "m/x:x", "--", "/bin/sleep", "0.2"], back: [] },
];

const data: readonly KilledVerb[] = [
  { name: "down", before: [UP], act: ["down", "m"], back: [UP] },
  { name: "down --destroy-data", before: [UP], act: DOWN, back: [UP] },
  {
    name: "clone",
    before: [UP, SNAPSHOT],
    act: ["clone", "m", "n", "c"],
    back: [["down", "c", "--destroy-data", "--yes-destroy", "c"]],
  },
];

const snapshots: readonly KilledVerb[] = [
  { name: "snapshot", before: [UP], act: SNAPSHOT, back: [DESTROY_SNAPSHOT] },
  { name: "destroy-snapshot", before: [UP, SNAPSHOT], act: DESTROY_SNAPSHOT, back: [SNAPSHOT] },
  {
    name: "rollback",
    before: [UP, SNAPSHOT, STOP],
    act: ["rollback", "m", "n", "--yes", "n"],
    back: [],
  },
];

/** By what they change; a test file has each. */
export const KILLED = { up, units, data, snapshots } as const;
