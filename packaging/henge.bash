
# Names of cells and, as CELL:UNIT, of units. The daemon is asked briefly: a key must not hang.
_henge_names() {
	local key value cell
	HENGE_PATIENCE=1 timeout 3 henge "${_henge_root[@]}" ps -o json </dev/null 2>/dev/null |
		while read -r key value; do
			[[ $value =~ ^\"([a-z0-9/-]+)\",?$ ]] || continue
			case $key in
			'"cell":') cell=${BASH_REMATCH[1]} && echo "$cell" ;;
			'"name":') echo "$cell:${BASH_REMATCH[1]}" ;;
			esac
		done
}

# Candidates for the word $2 where $1 stands in the usage: <cell>, a choice, or nothing.
_henge_candidates() {
	case $1 in
	'<verb>') compgen -W "$_henge_verbs" -- "$2" ;;
	'<command>') compgen -W "$_henge_verbs" -- "$2" ;;
	'<name>') compgen -W "$(_henge_names | grep -v '[/:]')" -- "$2" ;;
	'<cell>') compgen -W "$(_henge_names | grep -v :)" -- "$2" ;;
	'<target>') compgen -W "$(_henge_names)" -- "$2" ;;
	'<file>') compgen -f -- "$2" ;;
	'<directory>') compgen -d -- "$2" ;;
	'<'*) ;;
	*) compgen -W "$1" -- "$2" ;;
	esac
}

_henge() {
	local words word verb='' seen=0 value='' takes=() _henge_root=() i
	# Of the line itself: COMP_WORDS is cut at colons.
	read -ra words <<<"${COMP_LINE:0:COMP_POINT}"
	[[ ${COMP_LINE:0:COMP_POINT} != *[[:space:]] ]] || words+=("")
	word=${words[-1]}
	for ((i = 1; i < ${#words[@]} - 1; i++)); do
		if [ -n "$value" ]; then
			[ "${words[i - 1]}" != --root ] || _henge_root=(--root "${words[i]}")
			value=''
		elif [[ ${words[i]} == -* && $seen == 0 ]]; then
			value=${_henge_values[" $verb ${words[i]}"]-}
		elif [ -z "$verb" ]; then
			verb=${words[i]}
		else
			seen=$((seen + 1))
		fi
	done
	read -ra takes <<<"${_henge_takes[" $verb"]-}"
	if [ -z "$value" ]; then
		value=${takes[seen]-}
		[ -n "$verb" ] || value='<verb>'
		[[ $word != -* || $seen != 0 ]] || value=${_henge_options[" $verb"]-}
	fi
	[[ $value != '<file>' && $value != '<directory>' ]] || compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(_henge_candidates "$value" "$word")
	# readline replaces only what follows the last colon.
	[[ $word != *:* || $COMP_WORDBREAKS != *:* ]] || COMPREPLY=("${COMPREPLY[@]#"${word%:*}:"}")
}

complete -F _henge henge
