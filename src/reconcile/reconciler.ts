// The daemon's answer to every verb of the API.

import type { Finding } from "../kernel/port.js";
import { parseManifest } from "../manifest/index.js";
import type {
  CellName,
  CellStatus,
  Event,
  SnapshotName,
  SnapshotStatus,
  UnitName,
  UnitStatus,
} from "../spec/index.js";
import { monolithOf } from "../spec/index.js";
import type { ExecSession } from "../warden/port.js";

import { apply, free, plan } from "./verbs/apply.js";
import { clone } from "./verbs/clone.js";
import type { CloneOptions } from "./verbs/clone.js";
import type { Report } from "./context.js";
import { Context } from "./context.js";
import type {
  ApplyOptions,
  Control,
  ExecOptions,
  LogLine,
  LogQuery,
  ManifestSource,
  Plan,
  Target,
  VersionInfo,
} from "./control.js";
import type { Ports } from "./ports.js";
import { exec, unitNotFound } from "./verbs/exec.js";
import { halt } from "./verbs/halt.js";
import { publishedPorts } from "./published.js";
import { rollBack } from "./verbs/rollback.js";
import { changeRunState, setFrozen } from "./verbs/run-state.js";
import { destroySnapshot, listSnapshots, takeSnapshot } from "./verbs/snapshots.js";
import { adoptCells, converge } from "./verbs/start-up.js";
import { cellNotFound, isWithin } from "./verbs/targets.js";
import { upgrade } from "./verbs/upgrade.js";

export class Reconciler implements Control {
  private readonly context: Context;
  private converging = false;
  private convergeAgain = false;
  private readonly stopping = new AbortController();

  constructor(ports: Ports) {
    this.context = new Context(ports);
  }

  /** Adopts every cell that runs, then goes on in the background to bring up what is missing. */
  async begin(): Promise<void> {
    await adoptCells(this.context, this.stopping.signal);
    this.context.ports.events.emit({ kind: "daemon", text: "started" });
    this.converge();
  }

  /** One at a time; asked meanwhile, it runs once more: the one under way may have seen that all is halted. */
  private converge(): void {
    if (this.converging) {
      this.convergeAgain = true;
      return;
    }
    this.converging = true;
    this.convergeAgain = false;
    converge(this.context, this.stopping.signal)
      .catch((error: unknown) => {
        this.context.ports.warn("cannot converge", error);
      })
      .finally(() => {
        this.converging = false;
        if (this.convergeAgain) this.converge();
      });
  }

  /** Lets go of everything; the cells run on. */
  end(): void {
    this.stopping.abort();
    this.context.cells.close();
  }

  validate(source: ManifestSource): Promise<void> {
    parseManifest(source);
    return Promise.resolve();
  }

  plan(source: ManifestSource, options: ApplyOptions): Promise<Plan> {
    return plan(this.context, source, options);
  }

  apply(
    source: ManifestSource,
    options: ApplyOptions,
    report: Report,
    signal: AbortSignal,
  ): Promise<void> {
    return apply(this.context, source, options, report, signal).finally(() => {
      // What could not be allocated is on record all the same: it comes up when what it waits for is there.
      if (this.context.blocked.size > 0) this.converge();
    });
  }

  upgrade(
    source: ManifestSource,
    options: ApplyOptions,
    report: Report,
    signal: AbortSignal,
  ): Promise<void> {
    return upgrade(this.context, source, options, report, signal);
  }

  async list(): Promise<readonly CellStatus[]> {
    const views = await Promise.all(
      (await this.context.monoliths()).map((name) => this.context.view(name)),
    );
    return views.flat();
  }

  async get(cell: CellName): Promise<CellStatus> {
    const found = (await this.context.view(monolithOf(cell))).find(({ name }) => name === cell);
    if (found === undefined) throw cellNotFound(cell, await this.list());
    return found;
  }

  start(target: Target, requestId: string, report: Report, signal: AbortSignal): Promise<void> {
    return changeRunState(this.context, "start", target, requestId, report, signal);
  }

  stop(target: Target, requestId: string, report: Report, signal: AbortSignal): Promise<void> {
    return changeRunState(this.context, "stop", target, requestId, report, signal);
  }

  restart(target: Target, requestId: string, report: Report, signal: AbortSignal): Promise<void> {
    return changeRunState(this.context, "restart", target, requestId, report, signal);
  }

  freeze(cell: CellName, requestId: string, signal: AbortSignal): Promise<void> {
    return setFrozen(this.context, cell, true, requestId, signal);
  }

  thaw(cell: CellName, requestId: string, signal: AbortSignal): Promise<void> {
    return setFrozen(this.context, cell, false, requestId, signal);
  }

  free(
    cell: CellName,
    options: { readonly destroyData: boolean; readonly requestId: string },
    report: Report,
    signal: AbortSignal,
  ): Promise<void> {
    return free(this.context, cell, options.destroyData, options.requestId, report, signal);
  }

  halt(requestId: string, report: Report, signal: AbortSignal): Promise<void> {
    return halt(this.context, requestId, report, signal);
  }

  async resume(requestId: string): Promise<void> {
    const { audit, clock, haltMark } = this.context.ports;
    await audit.append({ atMs: clock.now(), requestId, verb: "resume", target: "all" });
    await haltMark.clear();
    this.converge();
  }

  snapshot(
    cell: CellName,
    name: SnapshotName,
    requestId: string,
    signal: AbortSignal,
  ): Promise<SnapshotStatus> {
    return takeSnapshot(this.context, cell, name, requestId, signal);
  }

  snapshots(cell: CellName): Promise<readonly SnapshotStatus[]> {
    return listSnapshots(this.context, cell);
  }

  destroySnapshot(
    cell: CellName,
    name: SnapshotName,
    requestId: string,
    signal: AbortSignal,
  ): Promise<void> {
    return destroySnapshot(this.context, cell, name, requestId, signal);
  }

  rollBack(
    cell: CellName,
    name: SnapshotName,
    requestId: string,
    report: Report,
    signal: AbortSignal,
  ): Promise<void> {
    return rollBack(this.context, cell, name, requestId, report, signal);
  }

  clone(
    options: CloneOptions,
    requestId: string,
    report: Report,
    signal: AbortSignal,
  ): Promise<void> {
    return clone(this.context, options, requestId, report, signal);
  }

  async *logs(query: LogQuery, signal: AbortSignal): AsyncGenerator<LogLine> {
    const { cell, unit } = query.target;
    await this.get(cell); // unknown cells are told as such
    const cells = (await this.list()).filter(({ name }) => isWithin(name, cell));
    const sources = cells.flatMap(({ name, units }) =>
      this.unitsWithLogs(name, units)
        .filter((candidate) => unit === undefined || (name === cell && candidate === unit))
        .map((candidate) => ({
          cell: name,
          unit: candidate,
          directory: this.context.ports.wardens.logDirectoryOf(name),
        })),
    );
    if (unit !== undefined && sources.length === 0) throw unitNotFound(cell, unit);
    yield* this.context.ports.readLogs(sources, query, signal);
  }

  /** What a unit said is there to be read when it is no longer declared. */
  private unitsWithLogs(cell: CellName, shown: readonly UnitStatus[]): readonly UnitName[] {
    const known = this.context.cells.get(cell)?.units.keys() ?? [];
    return [...new Set([...shown.map(({ name }) => name), ...known])];
  }

  events(
    query: { readonly follow: boolean; readonly sinceSeq: number; readonly cell?: CellName },
    signal: AbortSignal,
  ): AsyncIterable<Event> {
    return this.context.ports.events.read(query, signal);
  }

  async exec(options: ExecOptions, signal: AbortSignal): Promise<ExecSession> {
    return exec(this.context, options, await this.get(options.target.cell), signal);
  }

  async doctor(): Promise<readonly Finding[]> {
    return this.context.ports.host.findings(await publishedPorts(this.context.ports));
  }

  version(): VersionInfo {
    return {
      version: this.context.ports.version,
      pid: process.pid,
      startedAtMs: this.context.startedAtMs,
    };
  }
}
