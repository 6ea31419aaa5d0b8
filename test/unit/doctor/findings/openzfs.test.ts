import { describe, expect, it } from "vitest";

import { judgeOpenZfs } from "../../../../src/doctor/findings/openzfs.js";
import { parseTools } from "../../../../src/kernel/openzfs.js";

const BOTH = { module: "2.3.9-1", tools: "2.3.9-1", hasTools: true };
const OLD = { module: "2.1.11-1", tools: "2.1.11-1", hasTools: true };

describe("judgeOpenZfs", () => {
  it("says nothing of a host that has none and needs none", () => {
    expect(judgeOpenZfs({ hasTools: false }, false)).toEqual([]);
  });

  it("tells both versions", () => {
    expect(judgeOpenZfs(BOTH, true)).toEqual([
      { check: "OpenZFS", level: "ok", text: "module 2.3.9-1, tools 2.3.9-1" },
    ]);
  });

  it("does not mind another revision of the same version", () => {
    expect(judgeOpenZfs({ ...BOTH, tools: "2.3.9-0+deb13u1" }, true)[0]?.level).toBe("ok");
  });

  it("is degraded when module and tools differ", () => {
    const [finding] = judgeOpenZfs({ ...BOTH, tools: "2.3.2-2" }, true);
    expect(finding).toMatchObject({ level: "degraded" });
    expect(finding?.text).toBe("module 2.3.9-1, tools 2.3.2-2: they differ");
    expect(finding?.hint).toContain("reboot");
  });

  it("is unfit below 2.2 where it is used, and content where it is only installed", () => {
    expect(judgeOpenZfs(OLD, true)[0]).toMatchObject({ level: "unfit" });
    expect(judgeOpenZfs(OLD, true)[0]?.hint).toContain("bookworm-backports");
    expect(judgeOpenZfs(OLD, false)[0]?.level).toBe("ok");
  });

  it("is unfit without module or tools where it is used", () => {
    expect(judgeOpenZfs({ hasTools: true }, true)[0]?.hint).toContain("modprobe zfs");
    expect(judgeOpenZfs({ hasTools: true }, false)[0]?.level).toBe("ok");
    const [finding] = judgeOpenZfs({ module: "2.3.9-1", hasTools: false }, true);
    expect(finding).toMatchObject({ level: "unfit", text: "module 2.3.9-1, tools missing" });
  });
});

describe("parseTools", () => {
  it("reads the tools' line, not the module's", () => {
    expect(parseTools("zfs-2.3.9-0+deb13u1\nzfs-kmod-2.3.9-0+deb13u1\n")).toBe("2.3.9-0+deb13u1");
    expect(parseTools("zfs-kmod-2.3.9\n")).toBeUndefined();
  });
});
