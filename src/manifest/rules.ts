// Rules that hold between fields of a manifest. Each is a function from the outline to faults.

import { isLabel, MAX_CELL_DEPTH, MAX_CELL_NAME_LENGTH } from "../spec/index.js";
import { checkBudgets } from "./budget-rules.js";
import { checkDependencies, readReference } from "./dependencies.js";
import type { CellOutline, Outline, TextAt, UnitOutline } from "./outline.js";
import { quote, suggest, type Fault } from "./problems.js";

/** Every breach of a rule between fields. */
export function checkRules(outline: Outline): readonly Fault[] {
  return [
    ...outline.cells.flatMap(checkDepth),
    ...checkNameLengths(outline),
    ...outline.cells.flatMap(checkUnitNames),
    ...outline.cells.flatMap(checkTargets),
    ...outline.cells.flatMap(checkLinks),
    ...outline.cells.flatMap(({ units }) => units.flatMap(checkOneShot)),
    ...outline.cells.flatMap(({ units }) => units.flatMap(checkHealth)),
    ...outline.cells.flatMap(checkStaleSockets),
    ...outline.cells.flatMap(({ units }) => units.flatMap(checkHandover)),
    ...checkDeclared(outline),
    ...checkPublish(outline),
    ...checkListen(outline),
    ...checkBudgets(outline),
    ...checkDependencies(outline),
    ...checkUpgrade(outline),
  ];
}

function fault(path: Fault["path"], text: Fault["text"], on: Fault["on"] = "value"): Fault {
  return { path, on, text };
}

function checkDepth({ name, path }: CellOutline): readonly Fault[] {
  // The root cell's own label counts as well.
  const depth = name === "" ? 1 : name.split("/").length + 1;
  const text = `cells nest at most ${String(MAX_CELL_DEPTH)} deep, the root cell included`;
  return depth === MAX_CELL_DEPTH + 1 ? [fault(path, text, "key")] : [];
}

/** A cell's whole name is a directory's, and above it stands the socket of its warden. */
function checkNameLengths({ name, cells }: Outline): readonly Fault[] {
  return cells.flatMap((cell) => {
    const whole = cell.name === "" ? name : `${name}/${cell.name}`;
    // What is nested in it is longer still: one problem, where it begins.
    const parent = whole.slice(0, Math.max(0, whole.lastIndexOf("/")));
    if (whole.length <= MAX_CELL_NAME_LENGTH || parent.length > MAX_CELL_NAME_LENGTH) return [];
    if (!whole.split("/").every(isLabel)) return []; // Told already.
    const most = String(MAX_CELL_NAME_LENGTH);
    const text = `the whole name of this cell, with those it is nested in, has ${String(whole.length)} characters; at most ${most} are possible: choose shorter names`;
    return [fault(cell.path, text, "key")];
  });
}

function checkUnitNames({ units, nested }: CellOutline): readonly Fault[] {
  // Both would be the same directory in the cgroup tree.
  return units
    .filter(({ name }) => nested.includes(name))
    .map(({ name, path }) => fault(path, `a nested cell is called ${quote(name)} already`, "key"));
}

function checkTargets({ targets }: CellOutline): readonly Fault[] {
  return repeated(targets).map(({ path, text }) =>
    fault(path, `something is mounted on ${quote(text)} already`),
  );
}

/** Links in every Debian image: what is mounted below them would be mounted through a link. */
const LINKS: Readonly<Record<string, string>> = {
  "/bin": "/usr/bin",
  "/sbin": "/usr/sbin",
  "/lib": "/usr/lib",
  "/lib32": "/usr/lib32",
  "/lib64": "/usr/lib64",
  "/libx32": "/usr/libx32",
  "/var/run": "/run",
  "/var/lock": "/run/lock",
};

function checkLinks({ targets }: CellOutline): readonly Fault[] {
  return targets.flatMap(({ text, path }) =>
    Object.entries(LINKS)
      .filter(([link]) => text === link || text.startsWith(`${link}/`))
      .map(([link, to]) => {
        const instead = `${to}${text.slice(link.length)}`;
        return fault(path, `${link} is a link to ${to} in Debian images: write ${instead}`);
      }),
  );
}

function repeated(texts: readonly TextAt[]): readonly TextAt[] {
  const seen = new Set<string>();
  return texts.filter(({ text }) => {
    const known = seen.has(text);
    seen.add(text);
    return known;
  });
}

function checkOneShot({ path, fields }: UnitOutline): readonly Fault[] {
  if (fields["one-shot"] !== true) return [];
  const refused = ["readiness", "liveness", "health"]
    .filter((field) => Object.hasOwn(fields, field))
    .map((field) =>
      fault(
        [...path, field],
        "a one-shot has no probes: it is done when it has ended clean",
        "key",
      ),
    );
  const restart = fields["restart"];
  const always = restart === "always" || isAlways(restart);
  const at = typeof restart === "string" ? ["restart"] : ["restart", "policy"];
  return always
    ? [...refused, fault([...path, ...at], "a one-shot is restarted on-failure or never")]
    : refused;
}

function checkHealth({ path, fields }: UnitOutline): readonly Fault[] {
  const { health, readiness } = fields;
  const isProbe = typeof readiness === "object";
  return health !== "readiness" || isProbe || fields["one-shot"] === true
    ? []
    : [
        fault(
          [...path, "health"],
          "the readiness of this unit is no probe that could be asked again",
        ),
      ];
}

function checkStaleSockets({ units, places }: CellOutline): readonly Fault[] {
  const isWritable = (path: string): boolean => {
    const around = places.filter((place) => path.startsWith(`${place.path}/`));
    // What is mounted last on a path, or deepest above it, is what is seen there.
    return around.sort((a, b) => a.path.length - b.path.length).at(-1)?.writable ?? false;
  };
  return units.flatMap(({ staleSockets }) =>
    staleSockets
      .filter(({ text }) => !isWritable(text))
      .map(({ text, path }) =>
        fault(path, `no volume or tmpfs the cell can write is mounted above ${quote(text)}`),
      ),
  );
}

function checkHandover({ path, fields, listen, staleSockets }: UnitOutline): readonly Fault[] {
  if (fields["handover"] !== true) return [];
  const refuse = (text: string) => [fault([...path, "handover"], text, "key")];
  if (fields["one-shot"] === true) return refuse("a one-shot has nothing to hand over");
  if (listen.length === 0)
    return refuse("a unit hands over its sockets: it needs at least one under listen");
  // A probe of a shared socket would be answered by the run that is to be replaced.
  if (fields["readiness"] !== "notify")
    return refuse("only readiness: notify tells of the new run, and not of the old one");
  if (staleSockets.length > 0)
    return refuse("the new run would remove the sockets the old one still serves: stale-sockets");
  return [];
}

function isAlways(restart: unknown): boolean {
  return (
    typeof restart === "object" &&
    restart !== null &&
    "policy" in restart &&
    restart.policy === "always"
  );
}

function checkDeclared({ images, volumes, cells }: Outline): readonly Fault[] {
  return cells.flatMap((cell) => [
    ...(cell.image === undefined ? [] : undeclared("image", [cell.image], images)),
    ...undeclared("volume", cell.volumes, volumes),
  ]);
}

function undeclared(
  what: string,
  used: readonly TextAt[],
  declared: readonly string[],
): readonly Fault[] {
  return used
    .filter(({ text }) => !declared.includes(text))
    .map(({ text, path }) =>
      fault(path, () => `no ${what} ${quote(text)} is declared${suggest(text, declared)}`),
    );
}

function checkUpgrade({ upgrade, cells }: Outline): readonly Fault[] {
  return upgrade.flatMap(({ text, path }) => {
    const { cell, unit } = readReference(text, "");
    const found = cells.find(({ name }) => name === cell)?.units.find(({ name }) => name === unit);
    if (found === undefined) return [fault(path, `no unit ${quote(text)}`)];
    return found.fields["one-shot"] === true
      ? []
      : [fault(path, `an upgrade runs one-shot units only, and ${quote(text)} is none`)];
  });
}

function checkPublish({ network, publish }: Outline): readonly Fault[] {
  if (network === "host" && publish.length > 0) {
    return [fault(["publish"], "ports are published only with network: own", "key")];
  }
  const sockets = publish.map(({ text, path }) => {
    const parts = text.split(":");
    return {
      text: parts.length === 2 ? `127.0.0.1:${String(parts[0])}` : parts.slice(0, 2).join(":"),
      path,
    };
  });
  return checkSockets(sockets, "published");
}

function checkListen({ cells }: Outline): readonly Fault[] {
  // All cells of a monolith share one network namespace.
  return checkSockets(
    cells.flatMap(({ units }) => units.flatMap(({ listen }) => listen)),
    "listened on",
  );
}

const ANY_ADDRESS = "0.0.0.0";

// A socket on every address leaves no room for another on the same port.
function checkSockets(sockets: readonly TextAt[], verb: string): readonly Fault[] {
  const addressesOf = new Map<string, Set<string>>();
  return sockets.flatMap(({ text, path }) => {
    const [address = "", port = ""] = text.split(":");
    const taken = addressesOf.get(port) ?? new Set();
    const clash =
      taken.has(address) || taken.has(ANY_ADDRESS) || (address === ANY_ADDRESS && taken.size > 0);
    addressesOf.set(port, taken.add(address));
    return clash ? [fault(path, `port ${port} is ${verb} already`)] : [];
  });
}
