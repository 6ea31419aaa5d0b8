// Probes one unit for readiness, liveness and health while its process runs, and tells what the answers mean for it.

import type { ProbeSpec, UnitSpec } from "../../spec/index.js";
import type { UnitEvent } from "../../supervise/index.js";
import type { Warden } from "../../warden/port.js";

import { pause } from "../clock.js";
import type { Ports } from "../ports.js";
import { runProbe } from "./probe.js";

type Tell = (event: UnitEvent) => void;
/** True when there is nothing more to ask. */
type Hear = (doubt: string | undefined) => boolean;

export class Prober {
  private readonly ports: Pick<Ports, "cgroups" | "clock" | "warn">;
  private readonly warden: Warden;
  private readonly tell: Tell;
  private run = new AbortController();

  constructor(ports: Pick<Ports, "cgroups" | "clock" | "warn">, warden: Warden, tell: Tell) {
    this.ports = ports;
    this.warden = warden;
    this.tell = tell;
  }

  /** Asks until the unit is ready. */
  beginReadiness(unit: UnitSpec): void {
    const { readiness, readinessIntervalMs } = unit;
    if (readiness.kind === "none" || readiness.kind === "notify") return;
    this.begin(unit, readiness, { firstMs: 0, intervalMs: readinessIntervalMs }, (doubt) => {
      this.tell(doubt === undefined ? { kind: "ready" } : { kind: "probe-failed", reason: doubt });
      return doubt === undefined;
    });
  }

  /** Asks until too many answers in a row were bad. */
  beginLiveness(unit: UnitSpec): void {
    const { liveness } = unit;
    if (liveness === undefined) return;
    const { probe, intervalMs } = liveness;
    let failures = 0;
    this.begin(unit, probe, { firstMs: intervalMs, intervalMs }, (doubt) => {
      failures = doubt === undefined ? 0 : failures + 1;
      if (doubt === undefined || failures < liveness.failures) return false;
      this.tell({ kind: "liveness-failed", reason: doubt });
      return true;
    });
  }

  /** Asks for as long as the unit runs. */
  beginHealth(unit: UnitSpec): void {
    const { health } = unit;
    if (health === undefined) return;
    const { probe, intervalMs } = health;
    let failures = 0;
    this.begin(unit, probe, { firstMs: intervalMs, intervalMs }, (doubt) => {
      failures = doubt === undefined ? 0 : failures + 1;
      if (doubt === undefined) this.tell({ kind: "healthy" });
      else if (failures >= health.failures) this.tell({ kind: "unhealthy", reason: doubt });
      return false;
    });
  }

  /** Ends all; what is still under way is not heard. */
  end(): void {
    this.run.abort();
    this.run = new AbortController();
  }

  private begin(
    unit: UnitSpec,
    probe: ProbeSpec,
    times: { readonly firstMs: number; readonly intervalMs: number },
    hear: Hear,
  ): void {
    const { signal } = this.run;
    const asking = async (): Promise<void> => {
      await pause(this.ports.clock, times.firstMs, signal);
      while (!signal.aborted && !(await this.ask(unit, probe, hear, signal))) {
        await pause(this.ports.clock, times.intervalMs, signal);
      }
    };
    asking().catch((error: unknown) => {
      if (!signal.aborted) this.ports.warn(`cannot probe ${this.warden.cell}:${unit.name}`, error);
    });
  }

  private async ask(
    unit: UnitSpec,
    probe: ProbeSpec,
    hear: Hear,
    signal: AbortSignal,
  ): Promise<boolean> {
    const isFrozen = (): Promise<boolean> => this.ports.cgroups.isFrozen(this.warden.cell);
    // A frozen cell cannot answer, and is not to be blamed for it: nor when it was frozen while it was asked.
    if (await isFrozen()) return signal.aborted;
    const doubt = await runProbe(this.ports.clock, this.warden, unit, probe, signal);
    if (signal.aborted) return true;
    if (doubt !== undefined && (await isFrozen())) return false;
    return hear(doubt);
  }
}
