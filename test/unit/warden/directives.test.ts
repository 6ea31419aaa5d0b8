import { describe, expect, it } from "vitest";

import type { CellName, VolumeName } from "../../../src/spec/index.js";
import {
  allocateDirectives,
  execDirectives,
  unitDirectives,
} from "../../../src/warden/directives.js";
import type { AllocateRequest } from "../../../src/warden/port.js";
import { parseEvent, parseState } from "../../../src/warden/state.js";
import { unit } from "../../fixture/index.js";

const UNIT = unit("web", {
  argv: ["/bin/a", ""],
  cwd: "/srv",
  env: { A: "b=c" },
  envFiles: ["/etc/env"],
  user: "app",
  readiness: { kind: "notify" },
  stop: [
    { kind: "signal", signal: "SIGINT" },
    { kind: "wait", ms: 60_000 },
  ],
  listen: [{ name: "web", address: "127.0.0.1", port: 3000 }],
  nofile: 1024,
  log: { maxBytes: 10, keep: 2 },
});

const REQUEST: AllocateRequest = {
  cell: "shop/web" as CellName,
  boundary: {
    root: { kind: "host" },
    network: "own",
    hostname: "web",
    mounts: [
      {
        volume: "data" as VolumeName,
        path: "/var/lib/data",
        readOnly: true,
        owner: "app",
        mode: 0o750,
      },
    ],
    tmpfs: [{ path: "/var/lib/data/tmp/x", sizeBytes: 4096 }],
    files: [{ source: "/etc/conf", path: "/var/conf" }],
  },
  uidBase: 1_000_000,
  cgroup: "/cg/shop/web",
  wardenCgroup: "/cg/w",
  controllers: ["memory", "pids"],
  root: "host",
  mountSources: [{ path: "/pool/data", fsType: 7, identity: "ab", guid: "cd" }],
  hidden: ["/pool"],
};

const PLACES = { run: "/run/c", state: "/state/c", logs: "/logs/c" };

/** Pairs as `key=value`. */
function pairs(strings: readonly string[]): string[] {
  return strings.flatMap((key, index) =>
    index % 2 === 0 ? [`${key}=${strings[index + 1] ?? ""}`] : [],
  );
}

describe("directives", () => {
  it("put parents before children, whatever kind of mount they are", () => {
    const told = pairs(allocateDirectives(REQUEST, PLACES, "boot"));
    const paths = told.filter((pair) => /^(volume|tmpfs|file|hidden|path)=/.test(pair));
    expect(paths).toEqual([
      "hidden=/pool",
      ...["file=/etc/conf", "path=/var/conf"],
      ...["volume=/pool/data", "path=/var/lib/data"],
      "tmpfs=/var/lib/data/tmp/x",
    ]);
    expect(told).toContain("controllers=+memory +pids");
    expect(told).toContain("mode=750");
  });

  it("refuse a mount without its source", () => {
    expect(() => allocateDirectives({ ...REQUEST, mountSources: [] }, PLACES, "boot")).toThrow(
      "no source",
    );
  });

  it("say all of a unit that the warden needs, in flat pairs", () => {
    expect(pairs(unitDirectives(UNIT, 0)).filter((pair) => !pair.startsWith("spec="))).toEqual([
      ...[
        "unit=web",
        "arg=/bin/a",
        "arg=",
        "env=A=b=c",
        "env-file=/etc/env",
        "cwd=/srv",
        "user=app",
        "nofile=1024",
      ],
      ...[
        "notify=",
        "stop-signal=2",
        "stop-wait=60000",
        "listen=127.0.0.1 3000 web",
        "log-max=10",
        "log-keep=2",
      ],
    ]);
  });

  it("name the sockets a run may have left", () => {
    const told = pairs(unitDirectives({ ...UNIT, staleSockets: ["/run/a", "/run/b"] }, 0));
    expect(told.filter((pair) => pair.startsWith("stale-socket="))).toEqual([
      "stale-socket=/run/a",
      "stale-socket=/run/b",
    ]);
  });

  it("refuse a signal this kernel does not have", () => {
    const stop = [{ kind: "signal", signal: "SIGNONE" }] as const;
    expect(() => unitDirectives({ ...UNIT, stop }, 0)).toThrow("no such signal");
  });

  it("give an exec a terminal only when it asks", () => {
    const request = { argv: ["/bin/sh"], env: {}, envFiles: [], cwd: "/", user: "0" };
    expect(pairs(execDirectives(request))).toEqual(["arg=/bin/sh", "cwd=/", "user=0"]);
    expect(pairs(execDirectives({ ...request, tty: { rows: 2, columns: 3 } })).at(-1)).toBe(
      "tty=2 3",
    );
  });
});

describe("a warden's state", () => {
  const head = [
    "cell",
    "shop",
    "warden",
    "1",
    "init",
    "2",
    "uid-base",
    "3",
    "boundary",
    JSON.stringify(REQUEST.boundary),
  ];

  it("has units with only what is known of them", () => {
    const idle = ["unit", "web", "spec", JSON.stringify(UNIT), "starts", "0"];
    const busy = [
      "unit",
      "db",
      "spec",
      JSON.stringify({ ...UNIT, restarts: 4 }),
      "running",
      "",
      "notified",
      "",
      "starts",
      "2",
    ];
    const rest = ["pid", "9", "started-at", "5", "exit", "256 4", "status", "fine"];
    const { units } = parseState([...head, ...idle, ...busy, ...rest]);
    expect(units).toEqual([
      {
        ...{ name: "web", spec: UNIT, restarts: 0 },
        ...{ running: false, stopping: false, notified: false, starts: 0 },
      },
      {
        ...{
          name: "db",
          spec: UNIT,
          restarts: 4,
          running: true,
          stopping: false,
          notified: true,
          starts: 2,
        },
        ...{ pid: 9, startedAtMs: 5, exit: { code: 1, atMs: 4 }, statusText: "fine" },
      },
    ]);
  });

  it("is refused when it is not whole", () => {
    expect(() => parseState(head.slice(2))).toThrow("no cell");
  });

  it("changes by events it knows, and passes over those of a newer warden", () => {
    expect(parseEvent(["exit", "web", "9", "256", "4", "7"])).toEqual({
      ...{ kind: "exit", unit: "web", pid: 9, seq: 7 },
      exit: { code: 1, atMs: 4 },
    });
    expect(parseEvent(["ready", "web"])).toEqual({ kind: "ready", unit: "web" });
    expect(parseEvent(["later", "web"])).toBeUndefined();
    expect(parseEvent([])).toBeUndefined();
  });
});
