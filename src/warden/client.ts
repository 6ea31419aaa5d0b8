// The daemon's end of the wardens: starts them, finds them again, speaks with them. It holds no state of theirs.

import { mkdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { setTimeout } from "node:timers/promises";

import { mapBounded } from "../bounded.js";
import { KernelError, errnoOf } from "../errors.js";
import { fileNameOf } from "../spec/index.js";
import type { CellName, UnitName, UnitSpec } from "../spec/index.js";
import { withAges } from "./age.js";
import { Connection, connectSocket } from "./connection.js";
import { allocateDirectives, unitDirectives } from "./directives.js";
import type { CellPlaces } from "./directives.js";
import { openDial, openExec } from "./exec-session.js";
import { readExits } from "./exits.js";
import { foresee } from "./foresee.js";
import type { ExitEvent } from "./exits.js";
import type {
  AllocateRequest,
  ExecRequest,
  ExecSession,
  StartedUnit,
  Warden,
  WardenEvent,
  WardenPort,
  WardenState,
} from "./port.js";
import { isAlive, listCells, readRecord } from "./record.js";
import type { WardenRecord } from "./record.js";
import { spawnWarden } from "./spawn.js";
import type { SpawnOptions } from "./spawn.js";
import { parseEvent, parseState } from "./state.js";

export interface WardenOptions extends SpawnOptions {
  /** Gone after a boot; records and sockets. */
  readonly runDirectory: string;
  /** Kept; exit records and logs. */
  readonly stateDirectory: string;
  readonly bootId: string;
}

/** sockaddr_un(7): 108 bytes with the NUL that ends it. */
const SOCKET_PATH_MAX_BYTES = 107;

const UNDO_MS = 10_000;
const ENDING_MS = 1000;
/** Wardens asked at a time. */
const ADOPTING_MAX = 16;

class ConnectedWarden implements Warden {
  readonly cell: CellName;
  wardenPid = 0;
  initPid = 0;
  private readonly places: CellPlaces;
  private readonly connection: Connection;
  private readonly listeners: ((event: WardenEvent) => void)[] = [];
  private letGo = false;
  private lost = false;

  private constructor(
    cell: CellName,
    places: CellPlaces,
    socket: Awaited<ReturnType<typeof connectSocket>>,
  ) {
    this.cell = cell;
    this.places = places;
    this.connection = new Connection(
      socket,
      (strings) => {
        const event = parseEvent(strings);
        if (event !== undefined) this.tell(event);
      },
      () => {
        if (this.letGo) return;
        this.lost = true;
        this.tell({ kind: "lost" });
      },
    );
  }

  /** Subscribed to events and asked for its pids before it is returned. */
  static async connect(
    cell: CellName,
    places: CellPlaces,
    signal: AbortSignal,
  ): Promise<ConnectedWarden> {
    const warden = new ConnectedWarden(cell, places, await connectSocket(socketOf(places), signal));
    try {
      // Both in one round trip; answers come in the order of requests.
      const subscribed = warden.connection.request("subscribe", [], signal);
      const [{ wardenPid, initPid }] = await Promise.all([warden.state(signal), subscribed]);
      warden.wardenPid = wardenPid;
      warden.initPid = initPid;
      return warden;
    } catch (error) {
      warden.close();
      throw error;
    }
  }

  async state(signal: AbortSignal): Promise<WardenState> {
    return await withAges(parseState(await this.connection.request("state", [], signal)));
  }

  async exitsSince(seq: number, signal: AbortSignal): Promise<readonly ExitEvent[]> {
    signal.throwIfAborted();
    return await readExits(this.places.state, seq);
  }

  async start(unit: UnitSpec, signal: AbortSignal, restarts = 0): Promise<StartedUnit> {
    return this.startWith(unitDirectives(unit, restarts), signal);
  }

  async startBeside(unit: UnitSpec, signal: AbortSignal, restarts = 0): Promise<StartedUnit> {
    return this.startWith(["beside", "", ...unitDirectives(unit, restarts)], signal);
  }

  async stop(unit: UnitName, signal: AbortSignal): Promise<void> {
    await this.connection.request("stop", [unit], signal);
  }

  async stopRun(unit: UnitName, pid: number, signal: AbortSignal): Promise<void> {
    await this.connection.request("stop", [unit, String(pid)], signal);
  }

  async exec(request: ExecRequest, signal: AbortSignal): Promise<ExecSession> {
    return await openExec(socketOf(this.places), request, signal);
  }

  async dial(port: number, signal: AbortSignal): Promise<Duplex> {
    return await openDial(socketOf(this.places), port, signal);
  }

  async free(signal: AbortSignal): Promise<void> {
    await this.connection.request("free", [], signal);
    this.close();
    // The cell's cgroup is empty and its record is removed. The warden itself may take a moment more: nobody waits for it.
    await removeRunDirectory(this.places.run);
  }

  onEvent(listener: (event: WardenEvent) => void): void {
    this.listeners.push(listener);
    // Whoever comes late hears it too: nothing else would ever tell.
    if (this.lost) listener({ kind: "lost" });
  }

  close(): void {
    this.letGo = true;
    this.connection.close();
  }

  private async startWith(
    directives: readonly string[],
    signal: AbortSignal,
  ): Promise<StartedUnit> {
    const answer = await this.connection.request("start", directives, signal);
    const [pid = 0, startedAtMs = 0] = answer.map(Number);
    return { pid, startedAtMs };
  }

  private tell(event: WardenEvent): void {
    for (const listener of this.listeners) listener(event);
  }
}

export function createWardenPort(options: WardenOptions): WardenPort {
  const cellsDirectory = join(options.runDirectory, "cells");
  const placesOf = (cell: CellName): CellPlaces => {
    const id = fileNameOf(cell);
    return {
      run: join(cellsDirectory, id),
      state: join(options.stateDirectory, "cells", id),
      logs: join(options.stateDirectory, "logs", id),
    };
  };
  return {
    async allocate(request: AllocateRequest, signal: AbortSignal): Promise<Warden> {
      const { cell, networkOf } = request;
      const places = placesOf(cell);
      checkSocketPath(places);
      await makePlaces(places);
      const directives = allocateDirectives(request, places, options.bootId);
      try {
        await spawnWarden(options, { cell, directives, networkOf }, signal);
      } catch (error) {
        await removeRunDirectory(places.run);
        throw error;
      }
      return await connectOrFree(cell, places, signal);
    },
    async adopt(signal: AbortSignal): Promise<readonly Warden[]> {
      const cells = await listCells(cellsDirectory);
      const found = await mapBounded(cells, ADOPTING_MAX, (cell) =>
        adoptOne(cell, placesOf(cell), options.bootId, signal),
      );
      return found.flatMap((warden) => warden ?? []);
    },
    async listLost(): Promise<readonly CellName[]> {
      const cells = await listCells(cellsDirectory);
      const lost = await mapBounded(cells, ADOPTING_MAX, async (cell) => {
        const record = await readRecord(placesOf(cell).run);
        return record !== undefined && !(await isAlive(record, options.bootId));
      });
      return cells.filter((_, index) => lost[index]);
    },
    async forget(cell: CellName): Promise<void> {
      await rm(placesOf(cell).run, { recursive: true, force: true });
    },
    async foresee(what) {
      if (what.isNew) checkSocketPath(placesOf(what.cell.name));
      return foresee(what);
    },
    logDirectoryOf: (cell) => placesOf(cell).logs,
  };
}

/** A warden nobody could speak to in time is freed again: its caller holds no handle to do it. */
async function connectOrFree(
  cell: CellName,
  places: CellPlaces,
  signal: AbortSignal,
): Promise<Warden> {
  try {
    return await ConnectedWarden.connect(cell, places, signal);
  } catch (error) {
    const undo = AbortSignal.timeout(UNDO_MS);
    await (await ConnectedWarden.connect(cell, places, undo)).free(undo);
    throw error;
  }
}

async function adoptOne(
  cell: CellName,
  places: CellPlaces,
  bootId: string,
  signal: AbortSignal,
): Promise<Warden | undefined> {
  const record = await readRecord(places.run);
  // Made for a warden that never was, or left by one that was freed.
  if (record === undefined) await removeRunDirectory(places.run);
  if (record === undefined || !(await isAlive(record, bootId))) return undefined;
  try {
    return await ConnectedWarden.connect(cell, places, signal);
  } catch (error) {
    // A warden that is ending closes its socket a moment before it is gone: lost then, not an error.
    if (!(await endsSoon(record, bootId))) throw error;
    await removeRunDirectory(places.run);
    return undefined;
  }
}

async function endsSoon(record: WardenRecord, bootId: string): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < ENDING_MS; waitedMs += 5) {
    if (!(await isAlive(record, bootId))) return true;
    await setTimeout(5);
  }
  return false;
}

function socketOf(places: CellPlaces): string {
  return join(places.run, "warden.sock");
}

function checkSocketPath(places: CellPlaces): void {
  const path = socketOf(places);
  if (Buffer.byteLength(path) <= SOCKET_PATH_MAX_BYTES) return;
  const hint = `a socket's path may have ${String(SOCKET_PATH_MAX_BYTES)} bytes: choose a shorter root directory`;
  throw new KernelError("bind", "ENAMETOOLONG", { path, hint });
}

async function makePlaces(places: CellPlaces): Promise<void> {
  const make = async (path: string) => {
    try {
      await mkdir(path, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw new KernelError("mkdir", errnoOf(error), { path, cause: error });
    }
  };
  await Promise.all([make(places.run), make(places.state), make(places.logs)]);
}

/** Only an empty one: a warden that was freed has removed what was in it, and what is in it now is another's. */
async function removeRunDirectory(path: string): Promise<void> {
  try {
    await rmdir(path);
  } catch (error) {
    if (!["ENOENT", "ENOTEMPTY"].includes(errnoOf(error)))
      throw new KernelError("rmdir", errnoOf(error), { path, cause: error });
  }
}
