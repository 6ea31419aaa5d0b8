import { describe, expect, it } from "vitest";

import { judgePorts } from "../../../../src/doctor/findings/ports.js";
import { parseListeners } from "../../../../src/kernel/listeners.js";
import type { PublishedPort } from "../../../../src/doctor/port.js";
import type { Listener } from "../../../../src/kernel/port.js";
import type { CellName } from "../../../../src/spec/index.js";

const NGINX = { process: { pid: 42, name: "nginx" }, inode: 1 };

function port(hostPort: number, isHeld = false, hostAddress = "127.0.0.1"): PublishedPort {
  return { cell: "shop" as CellName, hostAddress, hostPort, cellPort: 3000, isHeld };
}

function listener(at: number, address = "0.0.0.0"): Listener {
  return { address, port: at, ...NGINX };
}

describe("judgePorts", () => {
  it("is content when nobody else listens", () => {
    const found = judgePorts([port(8080, true), port(8081)], [listener(22)]);
    expect(found.map(({ level }) => level)).toEqual(["ok", "ok"]);
    expect(found[0]?.text).toBe("2 published, nobody else listens there");
  });

  it("names who has taken a port that is to be published", () => {
    const [finding] = judgePorts([port(8080)], [listener(8080, "127.0.0.1")]);
    expect(finding).toMatchObject({
      check: "port 127.0.0.1:8080",
      level: "degraded",
      text: "127.0.0.1:8080 of shop is taken: nginx (pid 42) listens there",
    });
    expect(finding?.hint).toContain("publish another port");
  });

  it("tells of a process that listens in vain behind a port that is held", () => {
    const [finding] = judgePorts([port(8080, true)], [listener(8080)]);
    expect(finding).toMatchObject({ level: "degraded" });
    expect(finding?.text).toContain("listens there in vain");
  });

  it("does not mind the same port of another address", () => {
    const found = judgePorts([port(8080)], [listener(8080, "192.0.2.1")]);
    expect(found.every(({ level }) => level === "ok")).toBe(true);
    const everywhere = judgePorts([port(8080, false, "0.0.0.0")], [listener(8080, "192.0.2.1")]);
    expect(everywhere[0]?.level).toBe("degraded");
  });

  it("says who has the ports of an ingress, without a judgement", () => {
    expect(judgePorts([], [listener(443)]).at(-1)).toEqual({
      check: "ports of an ingress",
      level: "ok",
      text: "80: free, 443: nginx (pid 42)",
    });
  });

  it("says so when the process is not to be found", () => {
    const [finding] = judgePorts([port(80)], [{ address: "0.0.0.0", port: 80, inode: 9 }]);
    expect(finding?.text).toContain("a process unknown (socket 9)");
  });
});

describe("parseListeners", () => {
  it("reads IPv4, mapped IPv4 and IPv6's all, and leaves out what does not listen", () => {
    const text = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1001 1 0 100 0 0 10 0
   1: 0100007F:1F91 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 1002 1 0 100 0 0 10 0
   2: 00000000000000000000000000000000:01BB 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1003 1 0
   3: 0000000000000000FFFF00000200000A:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1004 1 0
   4: 00000000000000000000000001000000:0051 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1005 1 0
`;
    expect(parseListeners(text)).toEqual([
      { address: "127.0.0.1", port: 8080, inode: 1001 },
      { address: "0.0.0.0", port: 443, inode: 1003 },
      { address: "10.0.0.2", port: 80, inode: 1004 },
    ]);
  });
});
