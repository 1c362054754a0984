# peers.bash - distcc and icecream on emulated machines, for the measures of placement. Sourced after machines.bash.
#
# Each is set up as its manual says: distcc's hosts with the number of their jobs, icecream with one scheduler, on the
# client. The daemons end with their machines.
# shellcheck shell=bash

: "${farm_scratch?}"

# peer_refuse PEER: says why it is not measured, if so.
peer_refuse() {
	local program programs

	case $1 in
	distcc) programs='distcc distccd' ;;
	icecream) programs='icecc iceccd icecc-scheduler' ;;
	*) programs='' ;;
	esac
	for program in $programs; do
		command -v "$program" >/dev/null || { echo "$1 is not installed"; return; }
	done
	machines_refuse
}

# peer_daemon NAME COMMAND...: it runs on the machine NAME, its words are in NAME.log.
peer_daemon() {
	local name=$1

	shift
	in_machine "$name" "$@" >>"$farm_scratch/$name.log" 2>&1 </dev/null &
	disown
}

# listening NAME PORT: waits until something does.
listening() {
	local i port

	printf -v port '%04X' "$2"
	for ((i = 0; i < 200; i++)); do
		grep -q ": [0-9A-F]*:$port [0-9A-F]*:0000 0A " "/proc/${machine_pid[$1]}/net/tcp" "/proc/${machine_pid[$1]}/net/tcp6" && return
		sleep 0.1
	done
	farm_die "nothing listens on $1, port $2"
}

# --- distcc ------------------------------------------------------------------

# distcc_start SLOTS NAME...: names of volunteers, those first that a user would name first, the fast ones.
distcc_start() {
	local slots=$1 name hosts=''

	shift
	for name; do
		mkdir -p -m 777 "$farm_scratch/$name"
		peer_daemon "$name" env TMPDIR="$farm_scratch/$name" distccd --no-detach --daemon --listen "${machine_address[$name]}" \
			--allow 10.31.0.0/24 --enable-tcp-insecure --jobs "$slots" --nice 0 --log-stderr --log-level notice
		hosts+=" ${machine_address[$name]}/$slots"
	done
	for name; do listening "$name" 3632; done
	export DISTCC_HOSTS=${hosts# } DISTCC_DIR=$farm_scratch/distcc DISTCC_LOG=$farm_scratch/distcc.log
	mkdir -p "$DISTCC_DIR"
	peer_command=distcc
}

# --- icecream ----------------------------------------------------------------

icecream_daemon() {
	local name=$1

	shift
	mkdir "$farm_scratch/$name" && chown icecc: "$farm_scratch/$name"
	peer_daemon "$name" sh -c 'mkdir -m 777 /run/icecc && exec "$@"' sh \
		iceccd -n rcc-bench -s "${machine_address[client]}:8765" -N "$name" -b "$farm_scratch/$name" --nice 0 -v "$@"
}

# Waits until the scheduler has heard of this many.
icecream_known() {
	local i

	for ((i = 0; i < 300; i++)); do
		[ "$(grep -c login "$farm_scratch/scheduler.log")" -lt "$1" ] || return 0
		sleep 0.1
	done
	farm_die "icecream's scheduler does not know all of its hosts"
}

# icecream_start SLOTS NAME...
icecream_start() {
	local slots=$1 name

	shift
	in_machine client icecc-scheduler -n rcc-bench -vvv >"$farm_scratch/scheduler.log" 2>&1 </dev/null &
	disown
	listening client 8765
	icecream_daemon client -m 4 --no-remote
	for name; do icecream_daemon "$name" -m "$slots"; done
	icecream_known $(($# + 1))
	peer_command=icecc
}
