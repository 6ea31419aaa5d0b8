import { expect, it } from "vitest";

import { parseManifest } from "../../../src/manifest/index.js";
import { choosePorts, cloneSpec } from "../../../src/plan/index.js";
import type { MonolithName, MonolithSpec } from "../../../src/spec/index.js";

const copy = "copy" as MonolithName;
const port = (hostPort: number) => ({ hostAddress: "127.0.0.1", hostPort, cellPort: 80 });

function shop(network: "host" | "own"): MonolithSpec {
  return parseManifest({
    file: "shop.yaml",
    directory: "/",
    text: `
henge: 1
name: shop
root: host
network: ${network}
${network === "own" ? 'publish: ["8080:80"]' : ""}
volumes: { data: { encryption: { key: /key } } }
cells:
  db: { mounts: [{ volume: data, path: /srv }], units: { db: { argv: [/bin/db] } } }
  web:
    units:
      job: { one-shot: true, argv: [/bin/job] }
      web: { argv: [/bin/web], after: ["db:db"] }
upgrade: { after: ["web:job"] }
`,
  });
}

it("bears the new name in every cell, hostname and order, and other ports", () => {
  const { name, cells, upgrade } = cloneSpec(shop("own"), copy, [port(8081)]);
  expect([name, ...cells.map((cell) => cell.name)]).toEqual([
    "copy",
    "copy",
    "copy/db",
    "copy/web",
  ]);
  expect(cells.map(({ boundary }) => boundary.hostname)).toEqual(["copy", "db", "web"]);
  expect(cells[2]?.units[1]?.after).toEqual([{ cell: "copy/db", unit: "db" }]);
  expect(upgrade?.after).toEqual([{ cell: "copy/web", unit: "job" }]);
  expect(cells.map(({ publish }) => publish)).toEqual([[port(8081)], [], []]);
});

it("never reaches what the original reaches over the host's network", () => {
  const { cells } = cloneSpec(shop("host"), copy, []);
  expect(cells.map(({ boundary }) => boundary.network)).toEqual(["own", "parent", "parent"]);
});

it("asks for no key of its own: its volumes are locked with their origin's", () => {
  expect(cloneSpec(shop("own"), copy, []).volumes).toEqual([{ name: "data" }]);
});

it("takes the next port that nobody listens on and no monolith publishes", () => {
  const taken = { listening: new Set([8081]), published: [port(8082)] };
  expect(choosePorts([port(8080), port(8080)], taken)).toEqual([port(8083), port(8084)]);
  expect(choosePorts([port(65_535)], taken)).toBeUndefined();
});
