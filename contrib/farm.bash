# farm.bash - a farm of volunteers on loopback for the time of one script: the
# demo and the measurements. Sourced, after `farm_bin` was set to the
# directory of the programs.
#
# Everything lives in one scratch directory, with copies of the programs and
# an agent of its own, so nothing that the user runs is touched. What was started is ended by its
# process id, whichever way the script ends.

: "${farm_bin?}"

farm_scratch=
farm_pids=() farm_names=() farm_addresses=() farm_pages=()
farm_build=	# the make that is running, if any

farm_die() {
	echo "${0##*/}: $*" >&2
	exit 1
}

# Must be called first. Makes the scratch directory and sees to its end.
farm_open() {
	local base=${TMPDIR:-/tmp} program

	for program in rcc rcc-agent rccd rccd-box; do
		[ -x "$farm_bin/$program" ] || farm_die "no $farm_bin/$program: run make first"
	done
	# make cannot cope with a space in O=.
	case $base in *[[:space:]]*) base=/tmp ;; esac
	farm_scratch=$(mktemp -d "$base/rcc-farm.XXXXXX") || exit 1
	trap farm_close EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	mkdir "$farm_scratch/bin"
	cp "$farm_bin"/{rcc,rcc-agent,rccd,rccd-box} "$farm_scratch/bin" || exit 1
	PATH=$farm_scratch/bin:$PATH
	export PATH
	# A make above us must not lend its job slots or options to ours.
	unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
	mkdir -m 700 "$farm_scratch/run"
	export RCC_RUNTIME_DIR=$farm_scratch/run XDG_CACHE_HOME=$farm_scratch/cache
	unset RCC_LOG_FILE RCC_FALLBACK
}

farm_close() {
	trap '' INT TERM HUP
	if [ -n "$farm_build" ]; then
		farm_end "$farm_build"
	fi
	farm_stop_agent
	farm_end "${farm_pids[@]}"
	[ -z "$farm_scratch" ] || rm -rf "$farm_scratch"
}

# Ends our children with these pids: asks, then insists after five seconds.
farm_end() {
	local pid i

	[ $# -gt 0 ] || return 0
	kill -TERM "$@" 2>/dev/null
	for ((i = 0; i < 50; i++)); do
		kill -0 "$@" 2>/dev/null || break
		sleep 0.1
	done
	for pid; do
		kill -KILL "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	return 0
}

# The agent is no child of ours, but it runs from our copy of the programs.
farm_agent_pid() {
	find /proc -maxdepth 2 -name exe -lname "$farm_scratch/bin/rcc-agent" 2>/dev/null | cut -d/ -f3
}

farm_stop_agent() {
	local pid i

	pid=$(farm_agent_pid)
	[ -n "$pid" ] || return 0
	timeout 5 rcc --stop-agent >/dev/null 2>&1
	for ((i = 0; i < 50; i++)); do
		kill -0 "$pid" 2>/dev/null || return 0
		sleep 0.1
	done
	kill -KILL "$pid" 2>/dev/null
}

# The address that a log names after this word, once it is there.
farm_logged() {
	sed -n "s/.*$1 addr=\"\{0,1\}\([^\" ]*\).*/\1/p" "$2" | head -n 1
}

farm_await() {
	local log=$1 pid=$2 i

	for ((i = 0; i < 100; i++)); do
		[ -n "$(farm_logged listening "$log")" ] && [ -n "$(farm_logged http "$log")" ] && return
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.1
	done
	cat "$log" >&2
	farm_die "a volunteer did not start; its log is above"
}

# farm_start COUNT SLOTS: the volunteers, and the environment that uses them.
farm_start() {
	local all=(alder birch cedar dogwood elder fir) slots=$2 name log boxed=()

	# where boxes do not hold (a container without namespaces), jobs go without
	mkdir -p "$farm_scratch/trial"
	"$farm_scratch/bin/rccd-box" --probe "$farm_scratch/trial" "$((EUID ? 0 : 64000))" confined 2>/dev/null ||
		boxed=(--insecure-no-sandbox)
	for name in "${all[@]:0:$1}"; do
		log=$farm_scratch/$name.log
		rccd --name "$name" --listen 127.0.0.1:0 --http 127.0.0.1:0 --jobs "$slots" --policy dedicated ${boxed[@]+"${boxed[@]}"} \
			--store "$farm_scratch/$name" >"$log" 2>&1 </dev/null &
		farm_pids+=($!)
		farm_await "$log" $!
		farm_names+=("$name")
		farm_addresses+=("$(farm_logged listening "$log")")
		farm_pages+=("http://$(farm_logged http "$log")/")
	done
	export RCC_HOSTS="${farm_addresses[*]/%//$slots}"
	export RCC_MODE=${RCC_MODE:-auto} RCC_LOCAL_SLOTS=0
}

# farm_run LOG COMMAND...: a build in the background, so that ^C and TERM are
# heard at once; its status is ours.
farm_run() {
	local log=$1 status

	shift
	"$@" >"$log" 2>&1 </dev/null &
	farm_build=$!
	wait "$farm_build"
	status=$?
	farm_build=
	return $status
}

farm_make() {
	local log=$1

	shift
	farm_run "$log" make "$@"
}

# farm_count FILTER: one number of rcc --stats --json; 0 if it is not there.
farm_count() {
	rcc --stats --json 2>/dev/null | jq -r "$1 // 0" 2>/dev/null || echo 0
}

# farm_compare DIR DIR [COMMAND]: sets farm_objects and farm_identical, prints
# the names of the objects that COMMAND (default: cmp) finds different.
farm_compare() {
	local object same=${3:-cmp}

	farm_objects=0 farm_identical=0
	while IFS= read -r -d '' object; do
		farm_objects=$((farm_objects + 1))
		if "$same" "$1/$object" "$2/$object" >/dev/null; then
			farm_identical=$((farm_identical + 1))
		else
			echo "  differs: ${object#./}"
		fi
	done < <(cd "$1" && find . -name '*.o' -print0 -o -name '*.lo' -print0 | sort -z)
}
