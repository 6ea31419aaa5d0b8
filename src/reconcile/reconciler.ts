// The daemon's answer to every verb of the API.

import { HengeError } from "../errors.js";
import type { Finding } from "../doctor/port.js";
import { parseManifest } from "../manifest/index.js";
import type {
  CellName,
  CellStatus,
  Event,
  Operation,
  SnapshotStatus,
  UnitName,
  UnitStatus,
} from "../spec/index.js";
import { monolithOf } from "../spec/index.js";
import type { ExecSession } from "../warden/port.js";

import { cellNotFound, isWithin } from "./admission/targets.js";
import type { ActiveOperation } from "./admission/operation.js";
import { cellWithLastLines } from "./change/last-lines.js";
import { perform, resume } from "./change/pipeline.js";
import type { AnyVerb } from "./change/pipeline.js";
import { Context } from "./context.js";
import type {
  ApplyOptions,
  Call,
  Control,
  ExecOptions,
  LogCursor,
  LogLine,
  LogQuery,
  ManifestSource,
  Plan,
  Report,
  VersionInfo,
} from "./control.js";
import type { EventQuery } from "./events.js";
import type { Ports } from "./ports.js";
import { publishedPorts } from "./published.js";
import { exec, unitNotFound } from "./verbs/exec.js";
import { makeVerbs } from "./verbs/index.js";
import type { Verbs } from "./verbs/index.js";
import { adoptCells, converge } from "./verbs/start-up.js";
import { plan } from "./verbs/up.js";

export class Reconciler implements Control {
  private readonly context: Context;
  private readonly verbs: Verbs;
  private converging = false;
  private convergeAgain = false;
  private readonly stopping = new AbortController();

  constructor(ports: Ports) {
    this.context = new Context(ports);
    this.verbs = makeVerbs(() => {
      this.converge();
    });
  }

  /**
   * Adopts every cell that runs, takes up what the daemon before had not ended, then goes on in the background to bring up
   * what is missing.
   */
  async begin(): Promise<void> {
    await adoptCells(this.context, this.stopping.signal);
    this.context.ports.events.emit({ kind: "daemon", text: "started" });
    for (const operation of await this.context.operations.load()) this.takeUp(operation);
    this.converge();
  }

  private takeUp(operation: ActiveOperation): void {
    const verbs: Readonly<Partial<Record<string, AnyVerb>>> = this.verbs;
    const verb = verbs[operation.record.verb];
    if (verb !== undefined) resume(this.context, verb, operation);
    else void operation.end(endedWithDaemon(operation.record.target));
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
    this.context.operations.close();
    this.context.cells.close();
  }

  validate(source: ManifestSource): Promise<void> {
    parseManifest(source);
    return Promise.resolve();
  }

  plan(source: ManifestSource, options: ApplyOptions): Promise<Plan> {
    return plan(this.context, source, options);
  }

  change(call: Call): Promise<void> {
    return perform(this.context, this.verbs[call.request.verb], call);
  }

  operations(): readonly Operation[] {
    return this.context.operations.list();
  }

  operation(id: string): Operation {
    return this.context.operations.find(id).operation;
  }

  follow(id: string, report: Report, signal: AbortSignal): Promise<void> {
    return this.context.operations.find(id).follow(report, signal);
  }

  cancel(id: string, caller: string): void {
    this.context.operations.find(id).cancel(caller);
  }

  async list(): Promise<readonly CellStatus[]> {
    const names = [...(await this.context.monoliths()), ...this.context.askedFor()];
    const views = await Promise.all(
      [...new Set(names)].sort().map((name) => this.context.view(name)),
    );
    return Promise.all(views.flat().map((cell) => this.withStats(cell)));
  }

  async get(cell: CellName): Promise<CellStatus> {
    return this.withStats(await cellWithLastLines(this.context, await this.find(cell)));
  }

  private async find(cell: CellName): Promise<CellStatus> {
    const found = (await this.context.view(monolithOf(cell))).find(({ name }) => name === cell);
    if (found === undefined) throw cellNotFound(cell, await this.list());
    return found;
  }

  /** Read when somebody asks, and only then. */
  private async withStats(cell: CellStatus): Promise<CellStatus> {
    const stats = await this.context.ports.cgroups.stats(cell.name);
    return stats === undefined ? cell : { ...cell, stats };
  }

  async snapshots(cell: CellName): Promise<readonly SnapshotStatus[]> {
    const monolith = await this.context.wholeMonolith(cell, "list the snapshots of");
    return this.context.ports.snapshots.list(monolith);
  }

  async *logs(query: LogQuery, signal: AbortSignal): AsyncGenerator<LogLine | LogCursor> {
    const { cell, unit } = query.target;
    await this.find(cell); // unknown cells are told as such
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

  events(query: EventQuery, signal: AbortSignal): AsyncIterable<Event> {
    return this.context.ports.events.read(query, signal);
  }

  async exec(options: ExecOptions, signal: AbortSignal): Promise<ExecSession> {
    return exec(this.context, options, await this.find(options.target.cell), signal);
  }

  async doctor(): Promise<readonly Finding[]> {
    return this.context.ports.doctor.findings(await publishedPorts(this.context.ports));
  }

  version(): VersionInfo {
    return {
      version: this.context.ports.version,
      pid: process.pid,
      startedAtMs: this.context.startedAtMs,
    };
  }
}

/** A command of `run` is nobody's any more when its daemon is gone: its warden has killed it. */
function endedWithDaemon(target: string): HengeError {
  return new HengeError("WRONG_STATE", `cannot tell how it ended in ${target}: the daemon ended`, {
    hint: "a command ends with the daemon that runs it; henge logs and henge ps show what is there",
  });
}
