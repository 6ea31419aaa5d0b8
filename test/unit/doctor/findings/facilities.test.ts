import { describe, expect, it } from "vitest";

import { judgeFacilities } from "../../../../src/doctor/findings/facilities.js";
import type { Finding } from "../../../../src/doctor/port.js";
import { parseProbe } from "../../../../src/kernel/probe.js";

const HARD = [
  ...["openat2", "fsopen", "open_tree", "move_mount", "mount_setattr", "clone3", "pidfd"],
  ...["cgroup.kill", "close_range", "memfd", "subreaper", "user namespace", "mnt namespace"],
  ...["pid namespace", "net namespace", "ipc namespace", "uts namespace", "cgroup namespace"],
];
const SOFT = ["psi", "memory.oom.group", "memory.peak", "seccomp"];
const WORKING = [...HARD, ...SOFT].map((name) => `${name}\tok\t`);

/** What is found when all works but `name`. */
function without(name: string, errno: string, detail = ""): readonly Finding[] {
  const lines = WORKING.map((line) =>
    line.startsWith(`${name}\t`) ? `${name}\t${errno}\t${detail}` : line,
  );
  return judgeFacilities(parseProbe(lines.join("\n")));
}

function bad(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(({ level }) => level !== "ok");
}

describe("judgeFacilities", () => {
  it("has one line for all that work, and one for Landlock", () => {
    const probed = parseProbe([...WORKING, "landlock\tok\tABI 7", ""].join("\n"));
    const found = judgeFacilities(probed);
    expect(found.map(({ check, level }) => `${check}: ${level}`)).toEqual([
      "facilities: ok",
      "Landlock: ok",
    ]);
    expect(found[0]?.text).toBe(`tried: ${[...HARD, ...SOFT].join(", ")}`);
    expect(found[1]?.text).toBe("ABI 7");
  });

  it.each(HARD)("finds a host without %s unfit, with the errno", (name) => {
    const [finding, ...others] = bad(without(name, "ENOSYS"));
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ check: name, level: "unfit" });
    expect(finding?.text).toContain("ENOSYS");
    expect(finding?.hint).toMatch(/^Linux \d+\.\d+ or later has it/);
  });

  it.each(SOFT)("finds a host without %s degraded", (name) => {
    const [finding, ...others] = bad(without(name, "ENOENT"));
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ check: name, level: "degraded" });
    expect(finding?.hint).not.toBe("");
  });

  it("is not content with a Landlock that is not there, nor troubled by it", () => {
    const found = judgeFacilities(parseProbe("landlock\tEOPNOTSUPP\t"));
    expect(found.at(-1)).toMatchObject({ check: "Landlock", level: "ok" });
    expect(found.at(-1)?.text).toContain("EOPNOTSUPP");
  });

  it("takes what was not tried for missing", () => {
    const found = judgeFacilities(new Map());
    expect(bad(found).map(({ check }) => check)).toEqual([...HARD, ...SOFT]);
    expect(found.some(({ check }) => check === "facilities")).toBe(false);
  });

  it.each([
    ["user namespace", "ENOSPC", "user.max_user_namespaces"],
    ["net namespace", "ENOSPC", "user.max_net_namespaces"],
    ["memfd", "EACCES", "vm.memfd_noexec"],
    ["psi", "EOPNOTSUPP", "psi=1"],
    ["memory.peak", "ENOENT", "see controllers"],
    ["clone3", "EPERM", "in no container"],
  ])("says what to do when %s says %s", (name, errno, hint) => {
    expect(bad(without(name, errno))[0]?.hint).toContain(hint);
  });

  it("tells the detail of a refusal", () => {
    const [finding] = bad(without("openat2", "EOPNOTSUPP", "RESOLVE_BENEATH did not hold"));
    expect(finding?.text).toContain("EOPNOTSUPP, RESOLVE_BENEATH did not hold");
  });
});

describe("parseProbe", () => {
  it("leaves out what is no line of the probe", () => {
    expect([...parseProbe("openat2\tok\t\nhello\n\npsi\tENOENT\tx\n")]).toEqual([
      ["openat2", { detail: "" }],
      ["psi", { errno: "ENOENT", detail: "x" }],
    ]);
  });
});
