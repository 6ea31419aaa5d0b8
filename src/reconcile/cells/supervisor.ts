// One unit's supervisor: feeds what happens into the table of supervise/, and carries out what the table answers.

import { HengeError } from "../../errors.js";
import type { ExitStatus, UnitSpec, UnitStatus } from "../../spec/index.js";
import type { UnitEffect, UnitEvent, UnitLife } from "../../supervise/index.js";
import { adoptedLife, advance, isUp, lifeToState, newLife } from "../../supervise/index.js";
import type { Warden, WardenUnit } from "../../warden/port.js";

import { START_DEADLINE_MS, askToStart, askToStop, stopDeadlineMs, tellState } from "./asks.js";
import { callAt } from "../clock.js";
import { refuseOtherRun } from "./declared.js";
import type { Ports } from "../ports.js";
import { Prober } from "./prober.js";
import { Runs, specToBe, startFailure } from "./runs.js";
import { ENDED, SETTLED, UP, Waiters } from "./waiters.js";

type Needs = Pick<Ports, "cgroups" | "clock" | "events" | "warn">;

export class Supervisor {
  private readonly ports: Needs;
  private readonly warden: Warden;
  private readonly prober: Prober;
  private readonly upChanged: () => void;
  private life: UnitLife;
  private readonly runs = new Runs();
  private rejected: UnitSpec | undefined;
  private onHandedOver: (how: { readonly failure?: string }) => void = () => undefined;
  private disarm: () => void = () => undefined;
  private readonly waiters: Waiters;

  /** @param upChanged called when the unit has come up or is no longer up */
  constructor(ports: Needs, warden: Warden, spec: UnitSpec, upChanged: () => void) {
    this.ports = ports;
    this.warden = warden;
    this.upChanged = upChanged;
    this.prober = new Prober(ports, warden, (event) => {
      this.dispatch(event);
    });
    this.waiters = new Waiters(ports.clock, (verb, why) => this.notInTime(verb, why));
    this.life = newLife(spec);
  }

  /** Takes up a unit that outlived the last daemon. */
  static adopt(
    ports: Ports,
    warden: Warden,
    unit: WardenUnit,
    seen: { readonly wanted: boolean; readonly isFrozen: boolean },
    upChanged: () => void,
  ): Supervisor {
    const supervisor = new Supervisor(ports, warden, unit.spec, upChanged);
    supervisor.runs.take(unit);
    const wasReady = ports.events.toldReady(warden.cell, unit.name, unit.pid);
    const { state, effects } = adoptedLife(
      { ...unit, wasReady, isFrozen: seen.isFrozen },
      seen.wanted,
      ports.clock.monotonicMs(),
    );
    supervisor.life = state;
    for (const effect of effects) supervisor.carryOut(effect);
    return supervisor;
  }

  status(): UnitStatus {
    const { state, ready, reason } = lifeToState(this.life);
    const { exit } = this.runs;
    const { statusText, ...run } = this.runs.inCharge;
    const why = reason ?? statusText;
    return {
      name: this.life.spec.name,
      spec: specToBe(this.life),
      state,
      ready,
      restarts: this.life.restarts,
      ...run,
      ...(exit === undefined ? {} : { exit }),
      ...(this.rejected === undefined ? {} : { rejected: this.rejected }),
      ...(why === undefined ? {} : { reason: why }),
    };
  }

  /** Returns when the program runs, or could not be started; what follows is for the restart policy. */
  async start(spec: UnitSpec): Promise<void> {
    this.dispatch({ kind: "start-requested", spec });
    const launched = (): boolean => this.life.phase.kind !== "launching";
    await this.waiters.within("start", launched, 2 * START_DEADLINE_MS);
  }

  /** Returns when nothing of the unit is left. */
  async stop(signal: AbortSignal): Promise<void> {
    const patienceMs = stopDeadlineMs(this.life.spec);
    this.dispatch({ kind: "stop-requested" });
    await this.waiters.within("stop", () => ENDED.has(this.status().state), patienceMs, signal);
  }

  /**
   * Returns when the unit is ready, or done when it is a one-shot.
   * @throws {HengeError} WRONG_STATE: it failed, is in a crash loop, or was stopped
   */
  async untilUp(signal: AbortSignal): Promise<void> {
    await this.waiters.until("wait for", () => SETTLED.has(this.status().state), signal);
    const { state, reason } = this.status();
    if (UP.has(state)) return;
    const why = `${state}${reason === undefined ? "" : `, ${reason}`}`;
    throw new HengeError("WRONG_STATE", `cannot bring up ${this.name}: ${why}`, this.lookAtLog());
  }

  /**
   * Returns when a new run is in charge and the one before it is gone.
   * @throws {HengeError} WRONG_STATE: the new one did not become ready, and the one before goes on
   */
  async handOver(spec: UnitSpec, signal: AbortSignal): Promise<void> {
    // One that a former daemon began is ended first.
    await this.waiters.until("hand over", () => this.life.beside === undefined, signal);
    const { state } = this.status();
    if (!UP.has(state)) {
      throw new HengeError("WRONG_STATE", `cannot hand over ${this.name}: it is ${state}`, {
        hint: `henge restart ${this.name} stops and starts what is not ready`,
      });
    }
    const failure = await this.replaceRun(spec, signal);
    this.rejected = failure === undefined ? undefined : spec;
    if (failure === undefined) return this.untilUp(signal);
    const still = UP.has(this.status().state) ? "the run before goes on" : "it ended too";
    const text = `cannot hand over ${this.name} to a new run: ${failure}; ${still}`;
    throw new HengeError("WRONG_STATE", text, this.lookAtLog());
  }

  /**
   * Returns when the unit is supervised as the spec says; what runs is not touched.
   * @throws {HengeError} WRONG_STATE: a hand-over has ended otherwise than the spec needs
   */
  async adjust(spec: UnitSpec, signal: AbortSignal): Promise<void> {
    await this.waiters.until("adjust", () => this.life.beside === undefined, signal);
    refuseOtherRun(this.name, this.life.spec, spec);
    this.dispatch({ kind: "spec-changed", spec });
  }

  /** Returns why the next run did not take over, if it did not. */
  private async replaceRun(spec: UnitSpec, signal: AbortSignal): Promise<string | undefined> {
    let ended: { readonly failure?: string } | undefined;
    this.onHandedOver = (how) => (ended = how);
    this.dispatch({ kind: "hand-over-requested", spec });
    await this.waiters.until("hand over", () => ended !== undefined, signal);
    return ended?.failure;
  }

  exited(pid: number, exit: ExitStatus): void {
    if (this.runs.isBeside(pid, this.life)) {
      this.runs.besideEnded(exit);
      this.dispatch({ kind: "beside-exited", exit });
    } else if (this.runs.isInCharge(pid)) {
      this.runs.ended(exit);
      this.dispatch({ kind: "exited", exit });
    }
  }

  /** READY=1 of sd_notify(3). */
  notified(pid?: number): void {
    if (this.runs.isBeside(pid, this.life)) this.dispatch({ kind: "beside-ready" });
    else if (this.life.spec.readiness.kind === "notify" && this.runs.isInCharge(pid))
      this.dispatch({ kind: "ready" });
  }

  get isUp(): boolean {
    return isUp(this.life);
  }

  /** As it was started, or adjusted since. */
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

  setStatus(text: string, pid?: number): void {
    this.runs.setStatus(text, pid, this.life);
  }

  /** Ends timers and probes; the unit itself is left as it is. */
  release(): void {
    this.disarm();
    this.prober.end();
  }

  private get name(): string {
    return `${this.warden.cell}:${this.life.spec.name}`;
  }

  private lookAtLog(): { readonly hint: string } {
    return { hint: `henge logs ${this.name} --tail 50 shows what it said` };
  }

  private dispatch(event: UnitEvent): void {
    const wasUp = this.isUp;
    const { state, effects } = advance(this.life, event, this.ports.clock.monotonicMs());
    this.life = state;
    for (const effect of effects) this.carryOut(effect);
    this.waiters.wake();
    if (this.isUp !== wasUp) this.upChanged();
  }

  private carryOut(effect: UnitEffect): void {
    switch (effect.kind) {
      case "start":
        this.runs.inCharge = {};
        this.rejected = undefined;
        void this.launch(effect.spec, "alone");
        return;
      case "start-beside":
        this.runs.beside = {};
        void this.launch(effect.spec, "beside");
        return;
      case "stop":
        void this.askToStop();
        return;
      case "stop-run":
        void this.askToStop(effect.run === "beside" ? this.runs.beside : this.runs.inCharge);
        return;
      case "swap":
        this.runs.swap();
        return;
      case "handed-over":
        this.onHandedOver(effect);
        return;
      case "arm-timer":
        this.disarm();
        this.disarm = callAt(this.ports.clock, effect.atMs, () => {
          this.dispatch({ kind: "timer" });
        });
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
        tellState(this.ports.events, this.warden.cell, this.life.spec.name, {
          ...effect,
          pid: this.runs.inCharge.pid,
        });
        return;
    }
  }

  private async launch(spec: UnitSpec, where: "alone" | "beside"): Promise<void> {
    try {
      const started = await askToStart(
        this.ports.clock,
        this.warden,
        spec,
        where,
        this.life.restarts,
      );
      this.runs.started(started, where, this.life);
      this.dispatch({ kind: "started", pid: started.pid });
    } catch (error) {
      this.dispatch({ kind: "start-failed", reason: startFailure(error) });
    }
  }

  /** @param run undefined: every run there is */
  private async askToStop(run?: Runs["inCharge"]): Promise<void> {
    try {
      await askToStop(this.ports.clock, this.warden, this.life.spec.name, run);
    } catch (error) {
      this.ports.warn(`cannot ask ${this.name} to stop`, error);
    }
  }

  private notInTime(verb: string, cause: unknown): HengeError {
    const { state } = this.status();
    return new HengeError("DEADLINE", `cannot ${verb} ${this.name} in time: it is ${state}`, {
      cause,
    });
  }
}
