# machines.bash - machines emulated on this one, for the measures of placement. Sourced after farm.bash; needs root.
#
# A machine is its first process: the namespaces of that have a host name, processes, /run and a network card, which is on
# one bridge with the others. With the first process all of it ends, also what its daemons started. It may have a limited
# share of a processor, by a cgroup of version 1 or 2.
# shellcheck shell=bash

: "${farm_scratch?}"

declare -A machine_pid=() machine_address=()
machine_makers=()	# the processes that made them: where one ends, its machine does
machine_groups=()	# our own directories below those of the controllers cpu and cpuacct, or below that of version 2

# Says why there can be no machines here, if so.
machines_refuse() {
	local program

	[ "$EUID" -eq 0 ] || { echo "needs root"; return; }
	for program in ip unshare nsenter; do
		command -v $program >/dev/null || { echo "needs $program"; return; }
	done
	unshare --net --uts --mount --pid --fork true 2>/dev/null || { echo "namespaces cannot be made here"; return; }
	unshare --net ip link add name br0 type bridge 2>/dev/null || echo "the kernel has no bridge"
}

# --- from their first to their last ----------------------------------------

# in_machine NAME COMMAND...: in a process group of its own, with NAME's share of the processor; like exec.
in_machine() {
	local name=$1 group

	shift
	for group in ${machine_groups[@]+"${machine_groups[@]}"}; do
		[ ! -d "$group/$name" ] || echo "$BASHPID" >"$group/$name/cgroup.procs"
	done
	exec nsenter --target "${machine_pid[$name]}" --mount --uts --net --pid --wd="$PWD" setsid --wait "$@"
}

# machine_start NAME: sets machine_pid[NAME].
machine_start() {
	local i outer

	# shellcheck disable=SC2016 # for that shell to expand
	unshare --net --uts --mount --pid --fork --kill-child --mount-proc bash -c \
		'hostname "$0" && mount -t tmpfs run /run && ip link set lo up; trap exit TERM; while :; do sleep 1000 & wait; done' \
		"$1" </dev/null >/dev/null 2>&1 &
	outer=$!
	disown
	machine_makers+=("$outer")
	for ((i = 0; i < 100; i++)); do
		machine_pid[$1]=$(pgrep -P "$outer") && [ "$(nsenter -t "${machine_pid[$1]}" -u -m sh -c 'hostname; stat -f -c %T /run' 2>/dev/null)" = "$1"$'\n'tmpfs ] && break
		sleep 0.05
	done
	[ "$i" -lt 100 ] || farm_die "machine $1 did not start"
}

# machine_connect NAME NUMBER: puts its card on the bridge.
machine_connect() {
	local pid=${machine_pid[$1]} switch=${machine_pid[switch]}

	machine_address[$1]=10.31.0.$2
	if ! { nsenter -t "$switch" -n ip link add "v-$1" type veth peer name eth0 netns "$pid" &&
		nsenter -t "$switch" -n ip link set "v-$1" master br0 up &&
		nsenter -t "$pid" -n ip address add "${machine_address[$1]}/24" dev eth0 &&
		nsenter -t "$pid" -n ip link set eth0 up; }; then
		farm_die "machine $1 has no network"
	fi
}

# machines_start NAME...
machines_start() {
	local name number=0

	machine_start switch
	nsenter -t "${machine_pid[switch]}" -n sh -c 'ip link add br0 type bridge && ip link set br0 up' || farm_die "no bridge"
	for name; do
		machine_start "$name"
		machine_connect "$name" $((++number))
	done
}

# machines_end: all of them, with what ran there.
machines_end() {
	local name group i

	[ ${#machine_makers[@]} -eq 0 ] || kill -KILL "${machine_makers[@]}" 2>/dev/null
	for name in "${!machine_pid[@]}"; do
		for ((i = 0; i < 100; i++)); do
			kill -0 "${machine_pid[$name]}" 2>/dev/null || break
			sleep 0.05
		done
		for group in ${machine_groups[@]+"${machine_groups[@]}"}; do group_end "$group/$name"; done
	done
	machine_pid=() machine_address=() machine_makers=()
}

# Of processes that have ended, the last may still be on its way.
group_end() {
	local i

	for ((i = 0; i < 100; i++)); do
		[ -d "$1" ] && ! rmdir "$1" 2>/dev/null || return
		sleep 0.05
	done
}

# machines_open: so that nothing is left, whichever way the script ends. After farm_open.
machines_open() {
	trap 'machines_end; farm_close; machines_unlimit' EXIT
}

# --- their processors --------------------------------------------------------

# Where the controllers are that limit and count: of version 1, perhaps two directories, or of version 2.
processor_controllers() {
	awk '$3 == "cgroup" && $4 ~ /(^|,)(cpu|cpuacct)(,|$)/ { print $2; found = 1 } $3 == "cgroup2" { two = $2 }
		END { if (!found && two) print two }' /proc/mounts
}

# machines_limit_open: makes our groups, or fails where there can be none.
machines_limit_open() {
	local root

	for root in $(processor_controllers); do
		[ ! -e "$root/cgroup.controllers" ] || echo +cpu >"$root/cgroup.subtree_control" || return 1
		mkdir "$root/rcc-farm.$$" || return 1
		machine_groups+=("$root/rcc-farm.$$")
		[ ! -e "$root/cgroup.controllers" ] || echo +cpu >"$root/rcc-farm.$$/cgroup.subtree_control" || return 1
		[ ! -e "$root/rcc-farm.$$/cpu.shares" ] || echo 16384 >"$root/rcc-farm.$$/cpu.shares"
		[ ! -e "$root/rcc-farm.$$/cpu.weight" ] || echo 1600 >"$root/rcc-farm.$$/cpu.weight"
	done
	[ ${#machine_groups[@]} -gt 0 ]
} 2>/dev/null

machines_unlimit() {
	local group

	for group in ${machine_groups[@]+"${machine_groups[@]}"}; do rmdir "$group"/*/ "$group" 2>/dev/null; done
	return 0
}

# machine_limit NAME THOUSANDTHS: of one processor, in turns of 10 ms.
machine_limit() {
	local group of_period=$(($2 * 10))

	for group in "${machine_groups[@]}"; do
		mkdir "$group/$1" || farm_die "machine $1 has no cgroup"
		if [ -e "$group/$1/cpu.cfs_quota_us" ]; then
			echo 10000 >"$group/$1/cpu.cfs_period_us" && echo "$of_period" >"$group/$1/cpu.cfs_quota_us"
		elif [ -e "$group/$1/cpu.max" ]; then
			echo "$of_period 10000" >"$group/$1/cpu.max"
		fi || farm_die "machine $1 cannot be limited"
	done
}

# Milliseconds of processor that the machines have used.
machines_used() {
	local group

	for group in "${machine_groups[@]}"; do
		if [ -e "$group/cpuacct.usage" ]; then
			awk '{ printf "%.0f\n", $1 / 1e6 }' "$group/cpuacct.usage"
		elif [ -e "$group/cgroup.controllers" ]; then
			awk '$1 == "usage_usec" { printf "%.0f\n", $2 / 1e3 }' "$group/cpu.stat"
		fi
	done | head -n 1
}

# And all of this machine.
machine_busy() {
	awk -v hz="$(getconf CLK_TCK)" '$1 == "cpu" { printf "%.0f\n", ($2 + $3 + $4 + $7 + $8) * 1000 / hz }' /proc/stat
}
