import { describe, expect, it } from "vitest";

import { brokenPromises, planMonolith } from "../../../src/plan/index.js";
import type { VolumeFeature, VolumeName, VolumeSpec } from "../../../src/spec/index.js";
import { VOLUME_PROPERTIES } from "../../../src/spec/index.js";
import { cell, monolith, observed } from "../../fixture/index.js";

const ZFS: readonly VolumeFeature[] = [...VOLUME_PROPERTIES, "encryption"];
const name = "data" as VolumeName;

function spec(volume: Partial<VolumeSpec>) {
  return monolith([cell("shop")], { volumes: [{ name, ...volume }] });
}

function reasons(
  wanted: Partial<VolumeSpec>,
  seen: Partial<VolumeSpec>,
  keeps: readonly VolumeFeature[],
): readonly string[] {
  const steps = planMonolith(
    { spec: spec(wanted), stopped: [] },
    { ...observed(), volumes: [{ name, ...seen }] },
    { offered: [], keeps },
  );
  return steps.flatMap((step) => (step.kind === "set-volume" ? [step.reason] : []));
}

describe("a volume that is in the pool", () => {
  it("is set to what is asked for now, each change in the manifest's words", () => {
    const wanted = {
      quotaBytes: 2 ** 30,
      properties: { recordsize: "16384", quota: "2147483648" },
      encryption: { keyFile: "/new", keyFormat: "raw" },
    } as const;
    const seen = {
      properties: { compression: "zstd" },
      encryption: { keyFile: "/old", keyFormat: "raw" },
    } as const;
    expect(reasons(wanted, seen, ZFS)).toEqual([
      "quota none → 1GiB; recordsize 128KiB → 16KiB; compression zstd → lz4; total-quota none → 2GiB; key /old → /new",
    ]);
    expect(reasons(wanted, wanted, ZFS)).toEqual([]);
  });

  it("is not tuned where the pool cannot be", () => {
    expect(reasons({ properties: { recordsize: "16384" } }, {}, [])).toEqual([]);
  });
});

describe("what a volume was promised", () => {
  const encryption = { keyFile: "/k", keyFormat: "raw" } as const;
  const promised = { properties: { quota: "1", reservation: "1" }, encryption };
  const broken = (
    wanted: Partial<VolumeSpec>,
    seen: readonly Partial<VolumeSpec>[],
    keeps = ZFS,
  ): readonly string[] =>
    brokenPromises(
      spec(wanted),
      { ...observed(), volumes: seen.map((each) => ({ name, ...each })) },
      keeps,
    ).map(({ why }) => why);

  it("is broken by a pool that cannot keep it", () => {
    expect(broken(promised, [], [])).toEqual([
      "this pool has no total-quota",
      "this pool has no reservation",
      "this pool has no encryption",
    ]);
    expect(broken(promised, [])).toEqual([]);
  });

  it("is broken by a volume that was made without it", () => {
    const fixed = ["encryption is fixed when a volume is made"];
    expect(broken({ encryption }, [{}])).toEqual(fixed);
    expect(broken({}, [{ encryption }])).toEqual(fixed);
    expect(broken({ encryption }, [{ encryption: { ...encryption, keyFormat: "hex" } }])).toEqual(
      fixed,
    );
    expect(broken({ encryption }, [{ encryption: { ...encryption, keyFile: "/other" } }])).toEqual(
      [],
    );
  });
});
