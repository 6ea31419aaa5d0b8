// What the Debian package and its programs defend.

import type { Mutation } from "./mutation.js";

export const PACKAGE: readonly Mutation[] = [
  {
    name: "a purge takes the pool with it, unasked",
    file: "packaging/debian/postrm",
    from: 'if [ "${HENGE_PURGE_POOLS:-}" = yes ]; then',
    to: "if true; then",
    test: "test/unit/packaging/maintainer-scripts.test.ts",
    fails: "postrm > keeps the pool and its records at a purge, and nothing else ({})",
  },
  {
    name: "a purge destroys a dataset of another host",
    file: "packaging/debian/postrm",
    from: " && $3 == owner",
    to: "",
    test: "test/unit/packaging/maintainer-scripts.test.ts",
    fails:
      "postrm > destroys everything when it is told to, and of ZFS none that another host owns",
  },
  {
    name: "an upgrade restarts more than the daemon",
    file: "packaging/debian/postinst",
    from: "deb-systemd-invoke restart henged.service",
    to: "deb-systemd-invoke restart @ENABLED@",
    test: "test/unit/packaging/maintainer-scripts.test.ts",
    fails: "postinst > restarts the daemon, and nothing else, in an upgrade",
  },
  {
    name: "a removal stops the daemon before the monoliths",
    file: "packaging/debian/prerm",
    from: "deb-systemd-invoke stop henge-monoliths.service >/dev/null || true\n",
    to: "",
    test: "test/unit/packaging/maintainer-scripts.test.ts",
    fails: "prerm > ends the monoliths first, then the daemon, then the cells",
  },
  {
    name: "the shell obeys what a daemon calls its cells",
    file: "packaging/henge.bash",
    from: "([a-z0-9/-]+)",
    to: "(.+)",
    test: "test/unit/packaging/completion.test.ts",
    fails: "asks the daemon for names, with a short deadline, and believes only names",
  },
  {
    name: "root's programs run on whatever node PATH finds",
    file: "packaging/build",
    from: "sed '1s|.*|#!/usr/bin/node|'",
    to: "cat",
    test: "test/system/package.test.ts",
    fails: "what is installed > runs on Debian's Node.js, whatever PATH says",
    built: true,
  },
  {
    name: "what a pipe has no room for is lost when henge ends",
    file: "src/cli/main.ts",
    from: "[stdout, stderr].map",
    to: "[stderr].map",
    test: "test/system/cli.test.ts",
    fails: "has printed all of it when it ends, also into a pipe that is read slowly",
    built: true,
  },
  {
    name: "an error that nobody hears ends henge with another code",
    file: "src/cli/main.ts",
    from: 'process.stderr.on("error", () => undefined);\n',
    to: "",
    test: "test/system/cli.test.ts",
    fails: "says how it ended by its exit code when nobody hears its error",
    built: true,
  },
];
