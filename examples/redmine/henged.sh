# Sourced by up and down: where the daemon is, and how it is started and stopped.

henge() {
	node dist/src/cli/main.js "$@"
}

fail() {
	echo "$*" >&2
	exit 1
}

# daemon_fact version | pid | startedAt: what the daemon says of itself; nothing when none answers.
daemon_fact() {
	henge version -o json 2>/dev/null |
		node -p 'JSON.parse(fs.readFileSync(0, "utf8") || "{}").daemon?.[process.argv[1]] ?? ""' "$1"
}

ensure_daemon() {
	[ "$(id -u)" = 0 ] || fail "cannot start henged: it must run as root"
	started=$(daemon_fact startedAt)
	if [ -n "$started" ] && [ -n "$(find dist/.built -newermt "$started")" ]; then
		echo "henged is older than this build: it is replaced, and the cells live on"
		stop_daemon
		started=
	fi
	[ -z "$started" ] || return 0
	if [ -d /run/systemd/system ]; then start_unit; else start_process; fi
	wait_for 60 answers || fail "cannot start henged: it does not answer; see $log"
	echo "henged runs: pid $(daemon_fact pid)"
}

# The cells' cgroups outlive the daemon, so they are a scope of their own: systemd could start no new daemon in a cgroup
# that hands controllers down. A process that does nothing keeps the scope while no cell does.
start_unit() {
	suffix=${HENGE_ROOT:+-$(systemd-escape --path "$HENGE_ROOT")}
	scope=henge-cells$suffix.scope
	log="journalctl --unit henged$suffix"
	if ! systemctl --quiet is-active "$scope"; then
		setsid systemd-run --quiet --scope --unit="$scope" --slice=henge.slice \
			--property=Delegate=yes sleep infinity </dev/null >/dev/null 2>&1 &
		wait_for 60 systemctl --quiet is-active "$scope" || fail "cannot start $scope"
	fi
	systemd-run --quiet --collect --unit="henged$suffix" --property=Type=exec \
		--property=KillMode=process ${HENGE_ROOT:+--setenv=HENGE_ROOT="$HENGE_ROOT"} \
		"$(command -v node)" "$PWD/dist/src/main.js" \
		--delegated "$(systemctl show --property=ControlGroup --value "$scope")"
}

stop_scope() {
	[ ! -d /run/systemd/system ] ||
		systemctl stop "henge-cells${HENGE_ROOT:+-$(systemd-escape --path "$HENGE_ROOT")}.scope"
}

start_process() {
	state=${HENGE_ROOT:+$HENGE_ROOT/lib}
	log=${state:-/var/lib/henge}/henged.log
	(umask 077 && mkdir -p "$(dirname "$log")")
	setsid node dist/src/main.js </dev/null >>"$log" 2>&1 &
}

stop_daemon() {
	pid=$(daemon_fact pid)
	kill -TERM "$pid"
	wait_for 60 gone "$pid" || fail "cannot stop henged: process $pid does not end"
}

# In plain words, what this host cannot do; `henge doctor` tells what to do about it.
tell_what_is_lacking() {
	henge doctor -o json | node -e '
		const lacks = JSON.parse(fs.readFileSync(0, "utf8")).filter(({ level }) => level !== "ok");
		if (lacks.length === 0) process.exit();
		console.log("Henge goes on without what this host lacks (npx henge doctor tells what to do):");
		for (const { check, text } of lacks) console.log(`  ${check}: ${text}`);
	'
}

answers() {
	[ -n "$(daemon_fact pid)" ]
}

gone() {
	[ ! -e "/proc/$1" ]
}

# wait_for SECONDS COMMAND...
wait_for() {
	deadline=$(($(date +%s) + $1))
	shift
	until "$@"; do
		[ "$(date +%s)" -lt "$deadline" ] || return 1
		sleep 0.2
	done
}
