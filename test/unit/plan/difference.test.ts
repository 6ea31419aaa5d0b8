import { describe, expect, it } from "vitest";

import {
  boundaryDifferences,
  liveDifferences,
  restartDifferences,
} from "../../../src/plan/difference.js";
import { formatList } from "../../../src/plan/text.js";
import { unitDirectives } from "../../../src/warden/directives.js";
import type { ImageName, UnitSpec, VolumeName } from "../../../src/spec/index.js";
import { boundary, ref, unit } from "../../fixture/index.js";

function changed(before: Partial<UnitSpec>, after: Partial<UnitSpec>): readonly string[] {
  const [seen, wanted] = [unit("web", before), unit("web", after)];
  return [...restartDifferences(seen, wanted), ...liveDifferences(seen, wanted)];
}

describe("the differences of a unit", () => {
  it("are named in the manifest's words, with their units", () => {
    expect(changed({ argv: ["x", "y", "a"] }, { argv: ["x", "y", "b"] })).toEqual([
      'argv[2] "a" → "b"',
    ]);
    expect(changed({ startTimeoutMs: 60_000 }, { startTimeoutMs: 1_500 })).toEqual([
      "start-timeout 1m → 1500ms",
    ]);
    expect(changed({ oneShot: false }, { oneShot: true })).toEqual(["one-shot false → true"]);
    expect(changed({}, { nofile: 65_536 })).toEqual(["nofile none → 65536"]);
    expect(changed({ envFiles: ["/a"] }, { envFiles: [] })).toEqual(['env-files[0] "/a" → none']);
    expect(changed({}, { log: { maxBytes: 1024, keep: 5 } })).toEqual([
      "log.max-size 10MiB → 1KiB",
    ]);
  });

  it("never show what may be a secret", () => {
    const differences = changed(
      { env: { RAILS_ENV: "test", OLD: "hush", SAME: "1" } },
      { env: { RAILS_ENV: "production", NEW: "hush", SAME: "1" } },
    );
    expect(differences).toEqual(["env.RAILS_ENV changed", "env.OLD removed", "env.NEW added"]);
    const probe = (token: string) => ({
      readiness: {
        kind: "http",
        port: 1,
        path: "/",
        headers: { Authorization: token },
        status: [],
        timeoutMs: 1,
      } as const,
    });
    expect(changed(probe("hush"), probe("hush hush"))).toEqual([
      "readiness.headers.Authorization changed",
    ]);
  });

  it("name only the kind when the kind has changed", () => {
    const tcp = { kind: "tcp", port: 1, timeoutMs: 1 } as const;
    expect(changed({}, { readiness: tcp })).toEqual(['readiness.kind "none" → "tcp"']);
  });

  it("do not show long or nested values", () => {
    expect(changed({ argv: ["a".repeat(41)] }, { argv: ["b"] })).toEqual(["argv[0] changed"]);
  });

  it("never shows an argument that says a secret, or is one", () => {
    const argv = ["/bin/web", "--token=a", "--password", "a", "redis://:a@db/1", "-p", "1"];
    const other = ["/bin/web", "--token=b", "--password", "b", "redis://:b@db/1", "-p", "2"];
    expect(changed({ argv }, { argv: other })).toEqual([
      "argv[1] changed",
      "argv[3] changed",
      "argv[4] changed",
      'argv[6] "1" → "2"',
    ]);
    const liveness = {
      probe: { kind: "tcp", port: 1, timeoutMs: 1 },
      intervalMs: 1,
      failures: 1,
    } as const;
    expect(changed({}, { liveness })).toEqual(["liveness added"]);
    expect(changed({ liveness }, {})).toEqual(["liveness removed"]);
  });

  it("leave out what it starts after", () => {
    expect(changed({}, { after: [ref("shop:db")] })).toEqual([]);
  });
});

describe("what a changed field of a unit takes", () => {
  const tcp = { kind: "tcp", port: 1, timeoutMs: 1 } as const;
  const watch = { probe: tcp, intervalMs: 1, failures: 1 } as const;
  const notify = { kind: "notify" } as const;
  const { restart } = unit();
  const live: Partial<UnitSpec> = {
    readiness: { ...tcp, kind: "exec", argv: ["/bin/true"] },
    readinessIntervalMs: 1,
    startTimeoutMs: 1,
    liveness: watch,
    health: watch,
    restart: { ...restart, policy: "never", staggerMs: 1 },
    cleanExits: [0, 3],
    handover: true,
  };
  const fixed: Partial<UnitSpec> = {
    oneShot: true,
    argv: ["/bin/other"],
    cwd: "/srv",
    env: { A: "a" },
    envFiles: ["/etc/env"],
    user: "root",
    stop: [{ kind: "signal", signal: "SIGINT" }],
    listen: [{ name: "web", address: "0.0.0.0", port: 1 }],
    nofile: 1_024,
    log: { maxBytes: 4_096, keep: 1 },
    staleSockets: ["/run/web.sock"],
    readiness: notify,
  };

  it.each(Object.entries(live))(
    "is nothing but a word to its supervisor for %s",
    (field, value) => {
      const [seen, wanted] = [unit(), unit("web", { [field]: value })];
      for (const [from, to] of [[seen, wanted] as const, [wanted, seen] as const]) {
        expect(restartDifferences(from, to)).toEqual([]);
        expect(liveDifferences(from, to)).not.toEqual([]);
      }
      expect(directivesOf(wanted), "the warden is told the same").toEqual(directivesOf(seen));
    },
  );

  it.each(Object.entries(fixed))("is a new run for %s", (field, value) => {
    const [seen, wanted] = [unit(), unit("web", { [field]: value })];
    for (const [from, to] of [[seen, wanted] as const, [wanted, seen] as const]) {
      expect(liveDifferences(from, to)).toEqual([]);
      expect(restartDifferences(from, to)).not.toEqual([]);
    }
  });

  it("is a new run for readiness only from and to notify", () => {
    const [probed, notified] = [
      unit("web", { readiness: tcp }),
      unit("web", { readiness: notify }),
    ];
    expect(restartDifferences(probed, notified)).toEqual(['readiness.kind "tcp" → "notify"']);
    expect(restartDifferences(probed, unit())).toEqual([]);
  });

  it("is a new run for the clean exits of a one-shot, whose end they judge", () => {
    const migrate = (cleanExits: readonly number[]) => unit("web", { oneShot: true, cleanExits });
    expect(restartDifferences(migrate([0]), migrate([0, 3]))).toEqual(["clean-exits[1] none → 3"]);
  });

  it("is a new run for what another version of Henge has started it with", () => {
    const seen = { ...unit(), sandbox: true };
    expect(restartDifferences(seen, unit())).toEqual(["sandbox true → none"]);
  });

  /** What the warden does with a unit: its spec is only kept. */
  function directivesOf(spec: UnitSpec): readonly string[] {
    return unitDirectives(spec, 0).filter((word) => !word.startsWith("{"));
  }
});

describe("the differences of a boundary", () => {
  it("name a changed image digest without showing it", () => {
    const root = (digest: string) =>
      ({ kind: "image", image: "rails" as ImageName, digest }) as const;
    expect(
      boundaryDifferences(
        boundary("shop", { root: root("d1") }),
        boundary("shop", { root: root("d2") }),
      ),
    ).toEqual(["image digest changed"]);
  });

  it("show modes in octal", () => {
    const mounted = (mode: number) =>
      boundary("shop", {
        mounts: [{ volume: "data" as VolumeName, path: "/data", readOnly: false, mode }],
      });
    expect(boundaryDifferences(mounted(0o700), mounted(0o750))).toEqual([
      "mounts[0].mode 0700 → 0750",
    ]);
  });
});

it("a list of differences ends after three with how many more there are", () => {
  expect(formatList(["a", "b", "c"])).toBe("a, b, c");
  expect(formatList(["a", "b", "c", "d", "e"])).toBe("a, b, c and 2 more");
});
