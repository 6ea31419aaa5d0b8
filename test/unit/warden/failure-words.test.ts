import { describe, expect, it } from "vitest";

import { KernelError, describeErrno } from "../../../src/errors.js";
import { failureOf } from "../../../src/warden/connection.js";

const NUMBERS = {
  ENOENT: "2",
  EINVAL: "22",
  ELOOP: "40",
  EACCES: "13",
  EXDEV: "18",
  ERANGE: "34",
} as const;

describe("what a warden refuses is told as what is wrong, where, and what to do", () => {
  it.each([
    ["user", "ENOENT", "nosuch", /user nosuch: .*\/etc\/passwd.* no such name; write/],
    ["user", "EINVAL", "a:b", /user a:b: no user has such a name; write/],
    ["user", "ERANGE", "huge", /user huge: .*above 65535/],
    ["group", "ERANGE", "huge", /group huge: .*above 65535/],
    ["mount", "ENOENT", "/extra", /mount on \/extra: .*no such directory.*; make it in the image/],
    [
      "mount",
      "ENOENT",
      "/proc",
      /mount on \/proc: the image is no root file system.*docker export/,
    ],
    ["mount", "ELOOP", "/var/run/app", /mount on \/var\/run\/app: .*symbolic link.*; write/],
    ["exec", "ENOENT", "/opt/crlf", /run \/opt\/crlf: .*no such program.*interpreter.*Windows/],
    ["exec", "EACCES", "/opt/x", /run \/opt\/x: .*may execute; chmod a\+x/],
    ["stat", "EINVAL", "/etc", /show \/etc in the cell: `files` takes regular files/],
    ["env-file", "EINVAL", "/e:3", /env file \/e:3: this line is not NAME=VALUE/],
    ["env-file", "ENOENT", "/e", /env file \/e: the cell has no such file/],
    ["chdir", "ENOENT", "/srv", /cwd \/srv: the cell has no such directory/],
  ] as const)("%s %s", (op, errno, path, words) => {
    const error = failureOf([op, NUMBERS[errno], path]);
    expect(error).toMatchObject({ op, errno, path });
    expect(error.message).toMatch(words);
    expect(error.message).not.toMatch(/\bE[A-Z]+$/);
  });

  it("and a mount the image has no place for is the manifest's fault", () => {
    expect(failureOf(["mount", NUMBERS.ENOENT, "/extra"]).code).toBe("MANIFEST_INVALID");
    expect(failureOf(["mount", NUMBERS.EXDEV, "/extra"]).code).toBe("KERNEL_REFUSED");
  });
});

it("no refusal of the kernel's is an errno alone", () => {
  expect(new KernelError("open", "EACCES", { path: "/x" }).message).toBe(
    "cannot open /x: permission denied (EACCES)",
  );
  expect(describeErrno("EWHAT")).toBe("EWHAT");
});
