// Records all of a host that is not Henge's, and Henge's cgroups apart, as lines to be compared: what neither side of a
// host may see the other change.

import type { RigHost } from "./fixture.js";

/** One line for each fact: `SECTION: …`. */
export type Recording = readonly string[];

// Readings, triggers and commands are writable files too, but nobody's setting.
const NO_SETTING =
  "/(cgroup\\.(procs|threads|kill)|memory\\.(reclaim|peak|swap\\.peak)|(cpu|memory|io|irq)\\.pressure)$";

/** Every writable file of cgroups below the working directory that `find` is told of, one line of it each. */
const settingsOf = (what: string): string =>
  `find ${what} -type f -perm /0222 -print | grep -vE '${NO_SETTING}' | xargs grep --with-filename '' 2>/dev/null`;

const OTHERS = `
cd /sys/fs/cgroup
section() { sed "s/^/$1: /"; }
{ ${settingsOf(". -path ./henge.slice -prune -o")}; find . -path ./henge.slice -prune -o -type d -print; } | section cgroup
find kubepods.slice -name cgroup.procs 2>/dev/null | xargs grep --with-filename '' /dev/null 2>/dev/null | section process
cut -d ' ' -f 3- /proc/1/mountinfo | section mount
nft --stateless --handle list ruleset | awk '/^table/ { table = $3 } table !~ /^henge/ { print table ": " $0 }' | section nft
# sysctl(8) would mount what is an automount there.
find /proc/sys -path /proc/sys/fs/binfmt_misc -prune -o -type f -perm /0222 -perm /0444 -print |
	xargs grep --with-filename '' 2>/dev/null | section sysctl
{ ip -4 route show table all; ip -6 route show table all; ip rule; ip -6 rule; ip -brief link; ip -brief address; } |
	sed 's/ expires [0-9]*sec//' | section route
cd /etc && { find . -printf '%p %y %m %U:%G %s %T@ %l\\n'; find . -type f | xargs sha256sum; } | section etc
`;

const OWN = `
cd /sys/fs/cgroup
section() { sed "s/^/$1: /"; }
{ ${settingsOf("henge.slice")}; find henge.slice -type d; } | section cgroup
find henge.slice/henge-cells.service -name cgroup.procs | xargs grep --with-filename '' /dev/null | section process
`;

// What the kernel counts, and what is Henge's own: its veths, its pool's mount.
const NOT_OTHERS = [
  /^sysctl: \/proc\/sys\/(?:kernel\/ns_last_pid|vm\/stat_refresh):/,
  /^sysctl: \/proc\/sys\/net\/ipv[46]\/(?:conf|neigh)\/hg-\d+\//,
  /^route: .*\bhg-\d+\b/,
  /^mount: \S+ \S+ \/(?:var\/lib|run)\/henge\//,
];

/** Everything of the host outside henge.slice that somebody may have set. */
export async function recordOthers(host: RigHost): Promise<Recording> {
  const lines = (await host.must(OTHERS)).split("\n");
  return lines.filter((line) => line !== "" && !NOT_OTHERS.some((pattern) => pattern.test(line)));
}

/** Every setting of henge.slice, and every process of the cells and their wardens. */
export async function recordOwn(host: RigHost): Promise<Recording> {
  return (await host.must(OWN)).split("\n").filter((line) => line !== "");
}

/** What is only in the one, with `-`, and only in the other, with `+`. */
export function differences(before: Recording, after: Recording): readonly string[] {
  const [were, are] = [new Set(before), new Set(after)];
  return [
    ...before.filter((line) => !are.has(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !were.has(line)).map((line) => `+ ${line}`),
  ];
}
