import { describe, expect, it } from "vitest";

import {
  blockedStarts,
  describeStep,
  planRestart,
  planStart,
  planStop,
} from "../../../src/plan/index.js";
import type { Observed, Step, UnitSpec, UnitState } from "../../../src/spec/index.js";
import { cell, cellStatus, desired, observed, ref, unit, unitStatus } from "../../fixture/index.js";

const init = unit("init", { oneShot: true });
const db = unit("db", { after: [ref("shop:init")] });
const web = unit("web", { after: [ref("shop:db")] });
const jobs = unit("jobs", { after: [ref("shop:db")] });
const spec = cell("shop", { units: [init, db, web, jobs] });
const all = ["shop:init", "shop:db", "shop:web", "shop:jobs"].map(ref);

function seen(states: Readonly<Partial<Record<string, UnitState>>> = {}): Observed {
  const units = spec.units.map((one) => {
    const state = states[one.name];
    return unitStatus(one, state === undefined ? {} : { state });
  });
  return observed([cellStatus(spec, { units })]);
}

function lines(steps: readonly Step[]): readonly string[] {
  return steps.map(describeStep);
}

describe("stop", () => {
  it("stops the targets that run, dependents first", () => {
    expect(lines(planStop(desired([spec]), seen({ jobs: "failed" }), all))).toEqual([
      "stop shop:web",
      "stop shop:db",
    ]);
  });

  it("leaves the units alone that wait for a target", () => {
    expect(lines(planStop(desired([spec]), seen(), [ref("shop:db")]))).toEqual(["stop shop:db"]);
  });

  it("ends a back-off too, and plans nothing in a frozen cell", () => {
    expect(lines(planStop(desired([spec]), seen({ web: "backoff" }), [ref("shop:web")]))).toEqual([
      "stop shop:web",
    ]);
    const frozen = observed([cellStatus(spec, { state: "frozen" })]);
    expect(planStop(desired([spec]), frozen, all)).toEqual([]);
  });
});

describe("start", () => {
  it("starts what does not run in order, and leaves a one-shot done", () => {
    const stopped = seen({ db: "stopped", web: "stopped", jobs: "stopped" });
    expect(lines(planStart(desired([spec]), stopped, all))).toEqual([
      "start shop:db",
      "await shop:db",
      "start shop:web",
      "start shop:jobs",
      "await shop:web",
      "await shop:jobs",
    ]);
  });

  it("starts what a target waits for as well", () => {
    const stopped = seen({ init: "failed", db: "stopped", web: "stopped" });
    expect(lines(planStart(desired([spec]), stopped, [ref("shop:web")]))).toEqual([
      "start shop:init",
      "await shop:init",
      "start shop:db",
      "await shop:db",
      "start shop:web",
      "await shop:web",
    ]);
  });

  it("does not start what an operator stopped unless it is named, and tells what is blocked by it", () => {
    const wanted = desired([spec], ["shop:db"]);
    const stopped = seen({ db: "stopped", web: "stopped" });
    expect(planStart(wanted, stopped, [ref("shop:web")])).toEqual([]);
    expect(blockedStarts("start", wanted, stopped, [ref("shop:web")])).toEqual([
      { unit: ref("shop:web"), needs: ref("shop:db") },
    ]);
    expect(blockedStarts("start", wanted, stopped, [ref("shop:db"), ref("shop:web")])).toEqual([]);
  });

  it("does not wait for a back-off, and awaits what is starting", () => {
    expect(lines(planStart(desired([spec]), seen({ web: "backoff" }), [ref("shop:web")]))).toEqual([
      "start shop:web",
      "await shop:web",
    ]);
    expect(lines(planStart(desired([spec]), seen({ web: "starting" }), all))).toEqual([
      "await shop:web",
    ]);
  });

  it("does not restart a unit whose manifest has changed", () => {
    const changed = cell("shop", { units: [init, db, { ...web, argv: ["/bin/new"] }, jobs] });
    expect(planStart(desired([changed]), seen(), all)).toEqual([]);
    expect(lines(planStart(desired([changed]), seen({ web: "crashloop" }), all))).toEqual([
      "start shop:web",
      "await shop:web",
    ]);
  });
});

describe("restart", () => {
  it("stops all targets in reverse, then starts all in order", () => {
    expect(lines(planRestart(desired([spec]), seen({ jobs: "failed" }), all))).toEqual([
      "stop shop:web",
      "stop shop:db",
      "start shop:init",
      "await shop:init",
      "start shop:db",
      "await shop:db",
      "start shop:web",
      "start shop:jobs",
      "await shop:web",
      "await shop:jobs",
    ]);
  });

  it("of one unit touches only that unit", () => {
    expect(lines(planRestart(desired([spec]), seen(), [ref("shop:db")]))).toEqual([
      "stop shop:db",
      "start shop:db",
      "await shop:db",
    ]);
  });

  it("does not stop what could not be started again, and tells so", () => {
    const wanted = desired([spec], ["shop:db"]);
    const stopped = seen({ db: "stopped" });
    expect(planRestart(wanted, stopped, [ref("shop:web")])).toEqual([]);
    expect(blockedStarts("restart", wanted, stopped, [ref("shop:web")])).toHaveLength(1);
  });
});

describe("a restart of units that hand over or take turns", () => {
  const serving = {
    handover: true,
    readiness: { kind: "notify" },
    listen: [{ name: "web", address: "0.0.0.0", port: 3000 }],
  } as const;
  const puma = unit("puma", { ...serving, after: [ref("shop:db")] });
  const stream = (name: string): UnitSpec => {
    const plain = unit(name, { after: [ref("shop:db")] });
    return { ...plain, restart: { ...plain.restart, staggerMs: 5_000 } };
  };
  const units = [db, puma, stream("s1"), stream("s2"), stream("s3")];
  const shop = cell("shop", { units: units.map((one) => (one === db ? unit("db") : one)) });
  const up = observed([cellStatus(shop)]);
  const keys = (...names: readonly string[]) => names.map((name) => ref(`shop:${name}`));

  it("is one step for a unit that hands over", () => {
    const [step, ...others] = planRestart(desired([shop]), up, keys("puma"));
    expect(others).toEqual([]);
    expect(step).toEqual({
      kind: "hand-over",
      ...ref("shop:puma"),
      spec: puma,
      reason: "restarted by operator",
    });
  });

  it("stops one that hands over first where it is not ready, or has other sockets", () => {
    const stopped = ["stop shop:puma", "start shop:puma", "await shop:puma"];
    const starting = cellStatus(shop, {
      units: shop.units.map((one) =>
        unitStatus(one, one === puma ? { state: "starting" } : { state: "running" }),
      ),
    });
    expect(lines(planRestart(desired([shop]), observed([starting]), keys("puma")))).toEqual(
      stopped,
    );
    const listen = [{ name: "web", address: "127.0.0.1", port: 3000 }];
    const moved = cell("shop", {
      units: shop.units.map((one) => (one === puma ? { ...one, listen } : one)),
    });
    expect(lines(planRestart(desired([moved]), up, keys("puma")))).toEqual(stopped);
  });

  it("takes one after another of those that are staggered, with a pause before all but the first", () => {
    expect(lines(planRestart(desired([shop]), up, keys("s1", "s2", "s3")))).toEqual([
      "stop shop:s1",
      "start shop:s1",
      "await shop:s1",
      "pause shop:s2",
      "stop shop:s2",
      "start shop:s2",
      "await shop:s2",
      "pause shop:s3",
      "stop shop:s3",
      "start shop:s3",
      "await shop:s3",
    ]);
  });

  it("stops all of them first when what they wait for is restarted too", () => {
    expect(lines(planRestart(desired([shop]), up, keys("db", "puma", "s1")))).toEqual([
      "stop shop:s1",
      "stop shop:puma",
      "stop shop:db",
      "start shop:db",
      "await shop:db",
      "start shop:puma",
      "start shop:s1",
      "await shop:puma",
      "await shop:s1",
    ]);
  });

  it("leaves a start, a stop and a crashed unit as they are", () => {
    expect(lines(planStop(desired([shop]), up, keys("puma")))).toEqual(["stop shop:puma"]);
    const crashed = cellStatus(shop, {
      units: shop.units.map((one) =>
        unitStatus(one, { state: one === puma ? "crashloop" : "running" }),
      ),
    });
    expect(lines(planStart(desired([shop]), observed([crashed]), keys("puma")))).toEqual([
      "start shop:puma",
      "await shop:puma",
    ]);
  });
});
