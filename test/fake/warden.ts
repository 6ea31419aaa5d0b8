// Wardens in memory. The world outlives the port that made it, as real wardens outlive the daemon.

import { Duplex } from "node:stream";

import { KernelError } from "../../src/errors.js";
import type { CellName, UnitName, UnitSpec } from "../../src/spec/index.js";
import type {
  AllocateRequest,
  ExecRequest,
  ExecSession,
  StartedUnit,
  Warden,
  WardenEvent,
  WardenPort,
  WardenState,
} from "../../src/warden/port.js";
import type { ExitEvent, FakeCell, FakeWorld } from "./world.js";

/** A program called `/missing` cannot be started; a one-shot ends at once: `/fails` with 1, any other with 0. */
export function createFakeWardens(world: FakeWorld): WardenPort {
  return {
    allocate: (request) => Promise.resolve(allocate(world, request)),
    adopt: () =>
      Promise.resolve(
        [...world.cells.values()]
          .filter(({ lost }) => !lost)
          .map((cell) => new FakeWarden(world, cell)),
      ),
    listLost: () =>
      Promise.resolve([...world.cells.values()].filter(({ lost }) => lost).map(({ name }) => name)),
    forget: (cell) => {
      world.cells.delete(cell);
      return Promise.resolve();
    },
    foresee: ({ cell }) => Promise.resolve(world.foreseen.get(cell.name) ?? []),
    logDirectoryOf: (cell) => `/logs/${cell}`,
  };
}

function allocate(world: FakeWorld, { cell, boundary, uidBase }: AllocateRequest): Warden {
  if (world.cells.has(cell)) throw new KernelError("allocate", "EEXIST", { path: cell });
  const made: FakeCell = {
    name: cell,
    boundary,
    uidBase,
    initPid: world.pid(),
    units: new Map(),
    exits: [],
    oomKills: 0,
    listeners: [],
    lost: false,
  };
  world.cells.set(cell, made);
  return new FakeWarden(world, made);
}

class FakeWarden implements Warden {
  readonly cell: CellName;
  readonly wardenPid: number;
  readonly initPid: number;
  private readonly world: FakeWorld;
  private readonly known: FakeCell;

  constructor(world: FakeWorld, known: FakeCell) {
    this.world = world;
    this.known = known;
    this.cell = known.name;
    this.initPid = known.initPid;
    this.wardenPid = known.initPid - 1;
  }

  state(): Promise<WardenState> {
    const { cell, wardenPid, initPid } = this;
    const { uidBase, boundary, oomKills, units } = this.known;
    return Promise.resolve({
      cell,
      wardenPid,
      initPid,
      uidBase,
      boundary,
      oomKills,
      units: [...units.values()].map(({ successor, ...unit }) => ({
        ...this.world.aged(unit),
        ...(successor === undefined ? {} : { successor: this.world.aged(successor) }),
      })),
    });
  }

  exitsSince(seq: number): Promise<readonly ExitEvent[]> {
    return Promise.resolve(this.known.exits.filter((exit) => exit.seq > seq));
  }

  start(spec: UnitSpec, _signal: AbortSignal, restarts = 0): Promise<StartedUnit> {
    if (spec.argv[0] === "/missing")
      return Promise.reject(new KernelError("execve", "ENOENT", { path: "/missing" }));
    this.world.journal.push(`start ${this.cell}:${spec.name}`);
    const starts = (this.known.units.get(spec.name)?.starts ?? 0) + 1;
    const pid = this.world.pid();
    this.known.units.set(spec.name, {
      name: spec.name,
      spec,
      running: true,
      stopping: false,
      notified: false,
      pid,
      startedAtMs: 0,
      starts,
      restarts,
    });
    if (spec.oneShot) {
      const code = this.world.failing.has(spec.argv[0] ?? "") ? 1 : 0;
      queueMicrotask(() => {
        this.world.end(this.cell, spec.name, { code });
      });
    }
    return Promise.resolve({ pid, startedAtMs: 0 });
  }

  startBeside(spec: UnitSpec, _signal: AbortSignal, restarts = 0): Promise<StartedUnit> {
    const first = this.known.units.get(spec.name);
    if (spec.argv[0] === "/missing" || first?.running !== true || first.successor !== undefined)
      return Promise.reject(new KernelError("execve", "ENOENT", { path: "/missing" }));
    this.world.journal.push(`start beside ${this.cell}:${spec.name}`);
    const started = { pid: this.world.pid(), startedAtMs: 0 };
    const next = { spec, restarts, running: true, stopping: false, notified: false, ...started };
    this.known.units.set(spec.name, { ...first, starts: first.starts + 1, successor: next });
    return Promise.resolve(started);
  }

  stop(unit: UnitName): Promise<void> {
    this.world.journal.push(`stop ${this.cell}:${unit}`);
    queueMicrotask(() => {
      for (const pid of this.world.pidsOf(this.cell, unit))
        this.world.end(this.cell, unit, { signal: "SIGTERM" }, pid);
    });
    return Promise.resolve();
  }

  stopRun(unit: UnitName, pid: number): Promise<void> {
    const which = this.world.pidsOf(this.cell, unit).indexOf(pid) === 0 ? "first" : "next";
    this.world.journal.push(`stop ${which} ${this.cell}:${unit}`);
    queueMicrotask(() => {
      this.world.end(this.cell, unit, { signal: "SIGTERM" }, pid);
    });
    return Promise.resolve();
  }

  exec(request: ExecRequest, signal: AbortSignal): Promise<ExecSession> {
    const [program] = request.argv;
    if (program === "/missing")
      return Promise.reject(new KernelError("exec", "ENOENT", { path: "/missing" }));
    this.world.execs.push(request);
    const ended = { code: program === "/fails" ? 1 : 0, atMs: 0 };
    // `/waits` reads its input to the end.
    let end = (): void => undefined;
    const exit =
      program === "/waits"
        ? new Promise<typeof ended>((resolve, reject) => {
            end = () => {
              resolve(ended);
            };
            signal.addEventListener("abort", () => {
              reject(new Error("its client is gone"));
            });
          })
        : Promise.resolve(ended);
    exit.catch(() => undefined);
    return Promise.resolve({
      onOutput: () => undefined,
      write: () => true,
      onDrain: () => undefined,
      pause: () => undefined,
      resume: () => undefined,
      end: () => {
        end();
      },
      resize: () => undefined,
      exit,
    });
  }

  dial(): Promise<Duplex> {
    return Promise.resolve(
      new Duplex({
        read: () => undefined,
        write: (_chunk, _encoding, done) => {
          done();
        },
      }),
    );
  }

  free(): Promise<void> {
    this.world.journal.push(`free ${this.cell}`);
    this.world.cells.delete(this.cell);
    return Promise.resolve();
  }

  onEvent(listener: (event: WardenEvent) => void): void {
    this.known.listeners.push(listener);
  }

  close(): void {
    this.known.listeners = [];
  }
}
