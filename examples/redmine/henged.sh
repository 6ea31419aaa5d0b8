# Sourced by up and down: where the daemon is, and how it is started and stopped.

henge() {
	node dist/src/cli/main.js "$@"
}

# daemon_fact version | pid | startedAt: what the daemon says of itself; nothing when none answers.
daemon_fact() {
	henge version -o json 2>/dev/null |
		node -p 'JSON.parse(fs.readFileSync(0, "utf8") || "{}").daemon?.[process.argv[1]] ?? ""' "$1"
}

daemon_log() {
	if [ -n "${HENGE_ROOT:-}" ]; then echo "$HENGE_ROOT/lib/henged.log"; else echo /var/lib/henge/henged.log; fi
}

ensure_daemon() {
	started=$(daemon_fact startedAt)
	if [ -n "$started" ] && [ -n "$(find dist/.built -newermt "$started")" ]; then
		echo "henged is older than this build: it is replaced, and the cells live on"
		stop_daemon
		started=
	fi
	[ -z "$started" ] || return 0
	start_daemon
	wait_for 30 "henged to answer (see $(daemon_log))" answers
	echo "henged runs: pid $(daemon_fact pid)"
}

# Under systemd the cells' cgroups are a subtree delegated to henged's own unit, which outlives it.
start_daemon() {
	if [ -d /run/systemd/system ]; then
		unit=henged${HENGE_ROOT:+-$(systemd-escape --path "$HENGE_ROOT")}
		systemctl start "$unit" 2>/dev/null ||
			systemd-run --quiet --unit="$unit" --property=Type=exec --property=Delegate=yes \
				--property=KillMode=process ${HENGE_ROOT:+--setenv=HENGE_ROOT="$HENGE_ROOT"} \
				"$(command -v node)" "$PWD/dist/src/main.js" --delegated
	else
		(umask 077 && mkdir -p "$(dirname "$(daemon_log)")")
		setsid node dist/src/main.js </dev/null >>"$(daemon_log)" 2>&1 &
	fi
}

# In plain words, what this host cannot do; `henge doctor` tells what to do about it.
tell_what_is_lacking() {
	henge doctor -o json | node -e '
		const lacks = JSON.parse(fs.readFileSync(0, "utf8")).filter(({ level }) => level !== "ok");
		if (lacks.length > 0) console.log("Henge goes on without what this host lacks (npx henge doctor tells what to do):");
		for (const { check, text } of lacks) console.log(`  ${check}: ${text}`);
	'
}

stop_daemon() {
	pid=$(daemon_fact pid)
	kill -TERM "$pid"
	wait_for 30 "henged $pid to end" gone "$pid"
}

answers() {
	[ -n "$(daemon_fact pid)" ]
}

gone() {
	[ ! -e "/proc/$1" ]
}

# wait_for SECONDS WHAT COMMAND...
wait_for() {
	deadline=$(($(date +%s) + $1))
	what=$2
	shift 2
	until "$@"; do
		if [ "$(date +%s)" -ge "$deadline" ]; then
			echo "waited in vain for $what" >&2
			exit 1
		fi
		sleep 0.2
	done
}
