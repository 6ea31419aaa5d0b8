import { expect, it } from "vitest";

import { HengeError } from "../../../src/errors.js";
import type { Doctor, PublishedPort } from "../../../src/doctor/port.js";
import type { NetworkPort } from "../../../src/network/port.js";
import { House } from "../../fixture/house.js";
import { SHOP } from "../../fixture/shop.js";

const PUBLISHING = SHOP.replace(
  "network: own",
  'network: own\npublish: ["127.0.0.1:8080:80", "127.0.0.1:8443:443"]',
);

/** What the doctor is asked about, by a daemon whose record has the shop. */
async function askedPorts(
  change: (house: House) => Promise<Partial<NetworkPort>>,
): Promise<readonly PublishedPort[]> {
  const house = await House.build();
  await house.up(await house.daemon(), PUBLISHING);
  let asked: readonly PublishedPort[] = [];
  const doctor: Doctor = {
    findings: (published) => {
      asked = published;
      return Promise.resolve([{ check: "kernel", level: "ok", text: "Linux" }]);
    },
  };
  const network = { ...house.network, ...(await change(house)) };
  const daemon = await house.daemon({ doctor, network });
  expect(await daemon.doctor()).toHaveLength(1);
  return asked;
}

it("asks the doctor about every port a manifest publishes, and says which are held", async () => {
  const asked = await askedPorts(async () => ({
    readPublished: () =>
      Promise.resolve([{ hostAddress: "127.0.0.1", hostPort: 8080, cellPort: 80 }]),
  }));
  expect(asked).toEqual([
    { cell: "shop", hostAddress: "127.0.0.1", hostPort: 8080, cellPort: 80, isHeld: true },
    { cell: "shop", hostAddress: "127.0.0.1", hostPort: 8443, cellPort: 443, isHeld: false },
  ]);
});

it("takes nothing for held when the tools of the network cannot say", async () => {
  const asked = await askedPorts(async () => ({
    readPublished: () => Promise.reject(new HengeError("DEADLINE", "cannot run nft")),
  }));
  expect(asked.map(({ isHeld }) => isHeld)).toEqual([false, false]);
});
