// A neighbour that keeps its cgroups as the kubelet does with the systemd driver: kubepods.slice with a slice for each
// class of service, in them slices of pods with delegated scopes of containers. What the classes are allowed it writes
// again and again, and it writes down whatever it finds changed.
// See qos_container_manager_linux.go and cgroup_v2_manager_linux.go of Kubernetes, and libcontainer's fs2.

import type { RigHost } from "./fixture.js";

const FAULTS = "/run/kubelet.faults";
const FIREWALL = "/run/firewall.nft";

/** As kube-proxy and an operator's firewall have them; a reload flushes all there are. */
const RULES = `flush ruleset
table ip kube-proxy {
	set cluster-ips { type ipv4_addr; elements = { 10.96.0.1, 10.96.0.10 }; }
	chain nat-output { type nat hook output priority -100; policy accept; ip daddr @cluster-ips counter; }
	chain masquerading { type nat hook postrouting priority 100; policy accept; meta mark & 0x4000 == 0x4000 masquerade; }
}
table inet filter {
	chain input { type filter hook input priority 0; policy accept; ct state invalid drop; tcp dport 9 reject; }
	chain forward { type filter hook forward priority 0; policy accept; }
}
`;

// Every minute the kubelet does the first of these; here it is every half second, in the shell's own words alone.
const LOOP = `#!/bin/bash
cd /sys/fs/cgroup
fault() { echo "$1" >>${FAULTS}; }
has_controllers() {
	local have controller
	read -r have <"$1/cgroup.controllers"
	for controller in cpu cpuset memory hugetlb pids; do
		[[ " $have " == *" $controller "* ]] || fault "$1 lacks $controller"
	done
}
keep() {
	local seen
	read -r seen <"$1"
	[ "$seen" = "$2" ] || fault "$1 was $seen in place of $2"
	echo "$2" >"$1"
	read -r seen <"$1"
	[ "$seen" = "$2" ] || fault "$1 reads $seen after $2 was written"
}
declare -A pods
for procs in kubepods.slice/*/*/*/cgroup.procs; do pods[$procs]=$(<"$procs"); done
while :; do
	for class in kubepods.slice kubepods.slice/kubepods-burstable.slice kubepods.slice/kubepods-besteffort.slice; do
		has_controllers "$class"
	done
	keep kubepods.slice/memory.max 1073741824
	keep kubepods.slice/cpu.weight 79
	keep kubepods.slice/kubepods-burstable.slice/cpu.weight 17
	keep kubepods.slice/kubepods-burstable.slice/memory.max 536870912
	keep kubepods.slice/kubepods-burstable.slice/pids.max 400
	keep kubepods.slice/kubepods-besteffort.slice/cpu.weight 1
	keep kubepods.slice/kubepods-besteffort.slice/memory.max 268435456
	keep kubepods.slice/kubepods-besteffort.slice/pids.max 200
	for procs in "\${!pods[@]}"; do
		[ "$(<"$procs")" = "\${pods[$procs]}" ] || fault "$procs is no longer \${pods[$procs]}"
	done
	read -rt 0.5 <><(:)
done
`;

/** pod NAME CLASS [PROPERTY...]: a slice with the scope of one container in it, both limited. */
const POD = `
pod() {
	local name=$1 slice=kubepods-$2-pod$1.slice
	shift 2
	systemctl set-property --runtime "$slice" MemoryMax=100M TasksMax=50 CPUWeight=4
	setsid systemd-run --quiet --scope --unit="cri-containerd-$name" --slice="$slice" --property=Delegate=yes \\
		--property=MemoryMax=64M --property=TasksMax=20 "$@" sleep infinity </dev/null >/dev/null 2>&1 &
	until systemctl --quiet is-active "cri-containerd-$name.scope"; do sleep 0.1; done
}
`;

const SET_UP = `
set -eu
${POD}
systemctl set-property --runtime kubepods.slice CPUWeight=79 MemoryMax=1G TasksMax=1000
systemctl set-property --runtime kubepods-burstable.slice CPUWeight=17 MemoryMax=512M TasksMax=400
systemctl set-property --runtime kubepods-besteffort.slice CPUWeight=1 MemoryMax=256M TasksMax=200
pod b1 burstable --property=CPUWeight=17
pod e1 besteffort
# libcontainer enables all it knows from the root down (CreateCgroupPath of fs2).
for slice in . kubepods.slice kubepods.slice/kubepods-burstable.slice kubepods.slice/kubepods-besteffort.slice; do
	echo '+cpuset +cpu +io +memory +hugetlb +pids' >"/sys/fs/cgroup/$slice/cgroup.subtree_control"
done
cat >${FIREWALL} <<'RULES'
${RULES}RULES
nft --file ${FIREWALL}
cat >/usr/local/sbin/kubelet <<'LOOP'
${LOOP}LOOP
chmod 755 /usr/local/sbin/kubelet
systemd-run --quiet --unit=kubelet /usr/local/sbin/kubelet
`;

/** Builds its tree, beside rules of others, and starts to keep it. */
export async function startKubelet(host: RigHost): Promise<void> {
  await host.must(SET_UP);
}

/** What it has found changed since this was last asked. Fails when it does not run. */
export async function kubeletFaults(host: RigHost): Promise<readonly string[]> {
  const text = await host.must(
    `systemctl --quiet is-active kubelet && { cat ${FAULTS} 2>/dev/null; rm -f ${FAULTS}; }`,
  );
  return text.split("\n").filter((line) => line !== "");
}

/** One more pod comes, is resized and goes. */
export async function cyclePod(host: RigHost): Promise<void> {
  await host.must(`set -eu
    ${POD}
    pod b2 burstable
    systemctl set-property --runtime kubepods-burstable-podb2.slice MemoryMax=80M TasksMax=40
    systemctl stop cri-containerd-b2.scope kubepods-burstable-podb2.slice`);
}

/** The operator's firewall is loaded anew, which flushes everybody's rules. */
export async function reloadFirewall(host: RigHost): Promise<void> {
  await host.must(`nft --file ${FIREWALL}`);
}
