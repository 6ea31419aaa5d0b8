// What a start asks for and cannot have is refused by name; env files give what dotenv would.

import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import type { Warden } from "../../src/warden/port.js";
import { deadline, output, unit, useWorld } from "./warden/fixture.js";

describe("a start that fails", () => {
  const world = useWorld();

  it("says which step failed, with errno and path, and counts as no run", async () => {
    const warden = await world().allocate();
    const cases = [
      [unit("u", ["/no/such"]), { op: "exec", errno: "ENOENT", path: "/no/such" }],
      [unit("u", ["no-such-program"]), { op: "exec", errno: "ENOENT", path: "no-such-program" }],
      [unit("u", ["/etc/passwd"]), { op: "exec", errno: "EACCES", path: "/etc/passwd" }],
      [
        unit("u", ["/bin/true"], { cwd: "/no/such" }),
        { op: "chdir", errno: "ENOENT", path: "/no/such" },
      ],
      [
        unit("u", ["/bin/true"], { envFiles: ["/no/such"] }),
        { op: "env-file", errno: "ENOENT", path: "/no/such" },
      ],
      [
        unit("u", ["/bin/true"], { nofile: 100_000_000 }),
        { op: "setrlimit", errno: "EPERM", path: "nofile" },
      ],
    ] as const;
    for (const [spec, failure] of cases)
      await expect(warden.start(spec, deadline())).rejects.toMatchObject(failure);
    const state = await warden.state(deadline());
    expect(state.units[0]).toMatchObject({ running: false, starts: 0 });
    expect(await warden.exitsSince(0, deadline())).toEqual([]);
  });

  it("refuses users that are no users", async () => {
    const warden = await world().allocate();
    const refused = {
      ERANGE: ["4294967296", "65536", "007007"],
      EINVAL: ["-1", "+0", "-00", " 0", "", "..", "../root", "root ", "root:x", "roo\tt"],
      ENOENT: ["0x0", "1e3", "0;id", "no-such-user"],
    };
    for (const [errno, users] of Object.entries(refused))
      for (const user of users) {
        const failed = warden.start(unit("u", ["/bin/true"], { user }), deadline());
        await expect(failed, user).rejects.toMatchObject({
          ...{ op: "user", errno },
          path: user === "" ? undefined : user,
        });
      }
  });

  it("refuses a working directory that is a descriptor's, not a path", async () => {
    const warden = await world().allocate();
    for (let fd = 3; fd < 40; fd++) {
      const cwd = `/proc/self/fd/${String(fd)}`;
      await expect(
        warden.start(unit("u", ["/bin/true"], { cwd }), deadline()),
      ).rejects.toMatchObject({ op: "chdir" });
    }
  });

  it("refuses a second run while one is there", async () => {
    const warden = await world().allocate();
    await warden.start(unit("u", ["/bin/sleep", "1000"]), deadline());
    await expect(warden.start(unit("u", ["/bin/true"]), deadline())).rejects.toMatchObject({
      op: "start",
      errno: "EEXIST",
    });
  });
});

describe("env files", () => {
  const world = useWorld();

  async function withFiles(
    texts: readonly string[],
  ): Promise<{ warden: Warden; envFiles: string[] }> {
    const files = texts.map((text, index) => {
      const source = join(world().root, `env${String(index)}`);
      writeFileSync(source, text, { mode: 0o600 });
      return { source, path: `/tmp/env${String(index)}` };
    });
    return {
      warden: await world().allocate({}, { files }),
      envFiles: files.map(({ path }) => path),
    };
  }

  it("give what dotenv would, the later over the earlier, and the unit's own env over both", async () => {
    const first = [
      "# comment",
      "",
      "A=1",
      "  export B = two words  # why",
      "C='#single $x'",
      'D="a\\"b\\nc" # end',
      "E=",
      "F=a#b",
    ];
    const { warden, envFiles } = await withFiles([first.join("\n"), "A=2\r\nG=own\n"]);
    const lines = await output(world(), warden, "env | grep -E '^([A-G]=|c)'", {
      envFiles,
      env: { G: "unit" },
      user: "nobody",
    });
    expect(lines.sort()).toEqual([
      "A=2",
      "B=two words",
      "C=#single $x",
      'D=a"b',
      "E=",
      "F=a#b",
      "G=unit",
      "c",
    ]);
  });

  it("may begin with a byte order mark, and a quoted value may have several lines", async () => {
    const { warden, envFiles } = await withFiles([
      "\ufeffA=first\n",
      "\texport\tB='two\nlines\r\nthree' # end\nC=\"x\n\"\n\nD=last",
    ]);
    const script = 'printf \'%s|\' "$A" "$B" "$C" "$D"';
    const lines = await output(world(), warden, script, { envFiles });
    expect(lines.join("~")).toBe("first|two~lines~three|x~|last|");
  });

  it("are refused with file and line, never with what stands there", async () => {
    for (const line of ["secret value", "A='secret", "1A=secret", 'A="secret" more', "export A"]) {
      const { warden, envFiles } = await withFiles([`OK=1\n\n${line}\n`]);
      const failed = warden.start(unit("u", ["/bin/true"], { envFiles }), deadline());
      const error: unknown = await failed.catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ op: "env-file", errno: "EINVAL", path: "/tmp/env0:3" });
      expect(String(error)).not.toContain("secret");
      await warden.free(deadline());
    }
  });
});
