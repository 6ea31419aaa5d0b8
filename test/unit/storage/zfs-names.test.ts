import { describe, expect, it } from "vitest";

import type { ImageName, MonolithName, VolumeName } from "../../../src/spec/index.js";
import {
  createLeafArgv,
  createTopArgv,
  isPartialDataset,
  listArgv,
  parseImageDataset,
  partialDataset,
  setArgv,
  zfsNames,
} from "../../../src/storage/zfs-names.js";

const names = zfsNames("tank/henge");
const digest = "ab".repeat(32);

describe("dataset names", () => {
  it("say whose volume and which image a dataset is", () => {
    expect(names.volume("shop" as MonolithName, "db" as VolumeName)).toBe(
      "tank/henge/volumes/shop/db",
    );
    expect(names.image("web" as ImageName, digest)).toBe(`tank/henge/images/web.${digest}`);
    expect(parseImageDataset(names.image("web" as ImageName, digest))).toEqual({
      name: "web",
      digest,
    });
  });

  it.each(["", "..", "a@b", "a/b", "a b", "-r", "tank%recv"])("are not made of %j", (name) => {
    expect(() => names.volume("shop" as MonolithName, name as VolumeName)).toThrow(/cannot use/);
    expect(() => names.volume(name as MonolithName, "db" as VolumeName)).toThrow(/cannot use/);
    expect(() => names.image(name as ImageName, digest)).toThrow(/cannot use/);
  });

  it("keep what is not whole apart from images", () => {
    const partial = partialDataset(names.image("web" as ImageName, digest));
    expect(partial).toBe(`tank/henge/images/_partial.web.${digest}`);
    expect([isPartialDataset(partial), parseImageDataset(partial)]).toEqual([true, undefined]);
  });
});

describe("command lines", () => {
  it("make the top with what protects the host, and never mount it", () => {
    const argv = createTopArgv("tank/henge", "here");
    expect(argv.slice(0, 2)).toEqual(["zfs", "create"]);
    expect(argv.at(-1)).toBe("tank/henge");
    for (const property of [
      "canmount=off",
      "mountpoint=legacy",
      "henge:owner=here",
      "setuid=off",
      "devices=off",
      "atime=off",
    ]) {
      expect(argv[argv.indexOf(property) - 1]).toBe("-o");
    }
  });

  it("name properties one by one, and never mount by themselves", () => {
    expect(createLeafArgv("t/v", { refquota: "4096" }).join(" ")).toBe(
      "zfs create -o canmount=noauto -o refquota=4096 t/v",
    );
    expect(createLeafArgv("t/v").join(" ")).toBe("zfs create -o canmount=noauto t/v");
    expect(setArgv("t/v", { refquota: "none", atime: "on" }).join(" ")).toBe(
      "zfs set refquota=none atime=on t/v",
    );
  });

  it("ask for one dataset and its children in a form for programs", () => {
    expect(listArgv("t/v", 1).join(" ")).toBe(
      "zfs list -Hp -t filesystem -d 1 -o name,guid,readonly,used,available,henge:owner,encryptionroot,keystatus,keyformat,keylocation,refquota,recordsize,compression,logbias,primarycache,atime,quota,reservation t/v",
    );
  });
});
