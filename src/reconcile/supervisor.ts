// One unit's supervisor: feeds what happens into the table of supervise/, and carries out what the table answers.

import { HengeError } from "../errors.js";
import type { ExitStatus, UnitSpec, UnitStatus } from "../spec/index.js";
import type { UnitEffect, UnitEvent, UnitLife } from "../supervise/index.js";
import { adoptedLife, advance, isUp, lifeToState, newLife } from "../supervise/index.js";
import type { Warden, WardenUnit } from "../warden/port.js";

import type { Edges } from "./edges.js";
import { Prober } from "./prober.js";

const START_DEADLINE_MS = 10_000;
// Beyond the stop steps' own waits: the kernel kills what is left, and the pool may be slow to take its last writes.
const STOP_MARGIN_MS = 30_000;

type Needs = Pick<Edges, "cgroups" | "clock" | "events" | "warn">;
type Seen = Pick<UnitStatus, "pid" | "startedAtMs" | "exit">;

export class Supervisor {
  private readonly edges: Needs;
  private readonly warden: Warden;
  private readonly prober: Prober;
  private readonly upChanged: () => void;
  private life: UnitLife;
  private seen: Seen = {};
  private statusText: string | undefined;
  private disarm: () => void = () => undefined;
  private readonly waiters = new Set<() => void>();

  /** @param upChanged called when the unit has come up or is no longer up */
  constructor(edges: Needs, warden: Warden, spec: UnitSpec, upChanged: () => void) {
    this.edges = edges;
    this.warden = warden;
    this.upChanged = upChanged;
    this.prober = new Prober(edges, warden, (event) => {
      this.dispatch(event);
    });
    this.life = newLife(spec);
  }

  /** Takes up a unit that outlived the last daemon. */
  static adopt(
    edges: Edges,
    warden: Warden,
    unit: WardenUnit,
    wanted: boolean,
    upChanged: () => void,
  ): Supervisor {
    const supervisor = new Supervisor(edges, warden, unit.spec, upChanged);
    supervisor.see(unit);
    const wasReady = edges.events.toldReady(warden.cell, unit.name, unit.pid);
    const { state, effects } = adoptedLife({ ...unit, wasReady }, wanted, edges.clock.now());
    supervisor.life = state;
    for (const effect of effects) supervisor.carryOut(effect);
    return supervisor;
  }

  status(): UnitStatus {
    const { state, ready, reason } = lifeToState(this.life);
    const why = reason ?? this.statusText;
    return {
      name: this.life.spec.name,
      spec: this.life.spec,
      state,
      ready,
      restarts: this.life.restarts,
      ...this.seen,
      ...(why === undefined ? {} : { reason: why }),
    };
  }

  /** Returns when the program runs, or could not be started; what follows is for the restart policy. */
  async start(spec: UnitSpec): Promise<void> {
    this.dispatch({ kind: "start-requested", spec });
    await this.until(
      () => this.life.phase.kind !== "launching",
      AbortSignal.timeout(2 * START_DEADLINE_MS),
      "start",
    );
  }

  /** Returns when nothing of the unit is left. */
  async stop(signal: AbortSignal): Promise<void> {
    const waits = this.life.spec.stop.reduce(
      (sum, step) => sum + (step.kind === "wait" ? step.ms : 0),
      0,
    );
    const deadline = AbortSignal.timeout(waits + STOP_MARGIN_MS);
    this.dispatch({ kind: "stop-requested" });
    await this.until(
      () => ENDED.has(this.status().state),
      AbortSignal.any([signal, deadline]),
      "stop",
    );
  }

  /**
   * Returns when the unit is ready, or done when it is a one-shot.
   * @throws {HengeError} WRONG_STATE: it failed, is in a crash loop, or was stopped
   */
  async untilUp(signal: AbortSignal): Promise<void> {
    await this.until(() => SETTLED.has(this.status().state), signal, "wait for");
    const { state, reason } = this.status();
    if (state === "running" || state === "degraded" || state === "done") return;
    const name = `${this.warden.cell}:${this.life.spec.name}`;
    throw new HengeError(
      "WRONG_STATE",
      `cannot bring up ${name}: ${state}${reason === undefined ? "" : `, ${reason}`}`,
      {
        hint: `henge logs ${name} --tail 50 shows what it said`,
      },
    );
  }

  exited(pid: number, exit: ExitStatus): void {
    if (this.seen.pid !== undefined && this.seen.pid !== pid) return; // of a run before this one
    const { startedAtMs } = this.seen;
    this.seen = { exit, ...(startedAtMs === undefined ? {} : { startedAtMs }) };
    this.statusText = undefined;
    this.dispatch({ kind: "exited", exit });
  }

  /** READY=1 of sd_notify(3). */
  notified(): void {
    if (this.life.spec.readiness.kind === "notify") this.dispatch({ kind: "ready" });
  }

  get isUp(): boolean {
    return isUp(this.life);
  }

  /** As it was started. */
  get after(): UnitSpec["after"] {
    return this.life.spec.after;
  }

  /**
   * @param missing the first of what it starts after that is not up
   * @returns whether it is to be started in its pause's time
   */
  dependOn(missing: string | undefined, pauseMs: number): boolean {
    const { lapse } = this.life;
    if ((lapse?.over === undefined ? lapse?.of : undefined) === missing) return false;
    const event = { kind: "dependencies", pauseMs } as const;
    this.dispatch(missing === undefined ? event : { ...event, missing });
    return missing === undefined && this.life.phase.kind === "waiting";
  }

  setStatus(text: string): void {
    this.statusText = text;
  }

  /** Ends timers and probes; the unit itself is left as it is. */
  release(): void {
    this.disarm();
    this.prober.end();
  }

  private see({ pid, startedAtMs, exit, statusText }: WardenUnit): void {
    this.seen = {
      ...(pid === undefined ? {} : { pid }),
      ...(startedAtMs === undefined ? {} : { startedAtMs }),
      ...(exit === undefined ? {} : { exit }),
    };
    this.statusText = statusText;
  }

  private dispatch(event: UnitEvent): void {
    const wasUp = this.isUp;
    const { state, effects } = advance(this.life, event, this.edges.clock.now());
    this.life = state;
    for (const effect of effects) this.carryOut(effect);
    for (const wake of [...this.waiters]) wake();
    if (this.isUp !== wasUp) this.upChanged();
  }

  private carryOut(effect: UnitEffect): void {
    switch (effect.kind) {
      case "start":
        void this.launch(effect.spec);
        return;
      case "stop":
        void this.askToStop();
        return;
      case "arm-timer":
        this.disarm();
        this.disarm = this.edges.clock.after(
          Math.max(0, effect.atMs - this.edges.clock.now()),
          () => {
            this.dispatch({ kind: "timer" });
          },
        );
        return;
      case "disarm":
        this.disarm();
        return;
      case "begin-readiness":
        this.prober.beginReadiness(this.life.spec);
        return;
      case "begin-liveness":
        this.prober.beginLiveness(this.life.spec);
        return;
      case "begin-health":
        this.prober.beginHealth(this.life.spec);
        return;
      case "end-probes":
        this.prober.end();
        return;
      case "report":
        this.tell(effect);
        return;
    }
  }

  private tell({ state, reason }: Extract<UnitEffect, { kind: "report" }>): void {
    const { pid } = this.seen;
    this.edges.events.emit(
      {
        kind: "unit-state",
        unit: this.life.spec.name,
        state,
        ...(pid === undefined ? {} : { pid }),
        ...(reason === undefined ? {} : { reason }),
      },
      this.warden.cell,
    );
  }

  private async launch(spec: UnitSpec): Promise<void> {
    this.seen = {};
    this.statusText = undefined;
    try {
      const started = await this.warden.start(spec, AbortSignal.timeout(START_DEADLINE_MS));
      // A short life: its end may have overtaken this answer, and is what was seen last.
      if (this.life.phase.kind === "launching") this.seen = started;
      else if (this.seen.exit !== undefined)
        this.seen = { startedAtMs: started.startedAtMs, ...this.seen };
      this.dispatch({ kind: "started", pid: started.pid });
    } catch (error) {
      this.dispatch({
        kind: "start-failed",
        reason: error instanceof Error ? error.message : String(error),
      });
    }
  }

  private async askToStop(): Promise<void> {
    try {
      await this.warden.stop(this.life.spec.name, AbortSignal.timeout(START_DEADLINE_MS));
    } catch (error) {
      this.edges.warn(`cannot ask ${this.warden.cell}:${this.life.spec.name} to stop`, error);
    }
  }

  private until(isSo: () => boolean, signal: AbortSignal, verb: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        if (isSo()) settle(resolve);
        else if (signal.aborted)
          settle(() => {
            reject(this.notInTime(verb, signal));
          });
      };
      const settle = (act: () => void): void => {
        this.waiters.delete(check);
        signal.removeEventListener("abort", check);
        act();
      };
      this.waiters.add(check);
      signal.addEventListener("abort", check);
      check();
    });
  }

  private notInTime(verb: string, signal: AbortSignal): HengeError {
    const name = `${this.warden.cell}:${this.life.spec.name}`;
    const { state } = this.status();
    return new HengeError("DEADLINE", `cannot ${verb} ${name} in time: it is ${state}`, {
      cause: signal.reason,
    });
  }
}

const ENDED: ReadonlySet<UnitStatus["state"]> = new Set(["stopped", "done", "failed"] as const);
const SETTLED: ReadonlySet<UnitStatus["state"]> = new Set([
  "running",
  "degraded",
  "done",
  "failed",
  "crashloop",
  "stopped",
] as const);
