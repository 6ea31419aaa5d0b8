import { describe, expect, it } from "vitest";

import {
  judgeCapabilities,
  judgeEntropy,
  judgeForwarding,
  judgeKernel,
  judgeNuma,
  judgeTool,
} from "../../../../src/doctor/findings/system.js";

const NFT = { name: "nft", package: "nftables", purpose: "network" };

describe("judgeKernel", () => {
  it.each(["6.1", "6.1.0-32-amd64", "6.12.48+deb13-amd64", "7.0.1"])("takes %s", (release) => {
    expect(judgeKernel(release).level).toBe("ok");
  });

  it.each(["5.15.0-91-generic", "6.0.19", "4.18.0"])("finds %s too old", (release) => {
    expect(judgeKernel(release).level).toBe("unfit");
  });
});

describe("judgeCapabilities", () => {
  it("is content with CAP_SYS_RESOURCE only", () => {
    expect(judgeCapabilities(true).level).toBe("ok");
    expect(judgeCapabilities(false).level).toBe("degraded");
  });
});

describe("judgeEntropy", () => {
  it("is content with a seeded source only", () => {
    expect(judgeEntropy("256\n").level).toBe("ok");
    expect(judgeEntropy("255\n").level).toBe("degraded");
    expect(judgeEntropy(undefined).level).toBe("degraded");
  });
});

describe("judgeNuma", () => {
  it("tells the nodes, or that there are none", () => {
    expect(judgeNuma("0-1\n")).toEqual({ check: "NUMA nodes", level: "ok", text: "0-1" });
    expect(judgeNuma(undefined).level).toBe("ok");
  });
});

describe("judgeTool and judgeForwarding", () => {
  it("are content with what is there and on", () => {
    expect(judgeTool(NFT, "/usr/sbin/nft").level).toBe("ok");
    expect(judgeForwarding("1\n").level).toBe("ok");
  });

  it("say what to do about what is not", () => {
    expect(judgeTool(NFT, undefined)).toMatchObject({
      level: "degraded",
      hint: "Run apt-get install nftables.",
    });
    expect(judgeForwarding("0\n").level).toBe("degraded");
    expect(judgeForwarding(undefined).hint).toContain("net.ipv4.ip_forward=1");
  });
});
