#!/usr/bin/env bats
# owner.bats - a volunteer whose owner comes and goes, and machines that sleep.
# What an owner does is played: files like the kernel's in a directory of the test's.

load helpers

setup_file() { farm_start 0; }
teardown_file() { farm_stop; }

setup() {
	RCC_HOSTS=
	PLAY=$BATS_TEST_TMPDIR
	players=()
	mkdir -p "$FARM/w"
	cd "$FARM/w" || return
	echo 'int f(void) { return 1; }' >f.c
}

teardown() {
	local pid
	for pid in "${players[@]}"; do kill "$pid" 2>/dev/null || true; done
	for pid in $(ours rccd) $(ours rcc-agent); do kill -CONT "$pid" 2>/dev/null || true; done
	rcc --stop-agent >/dev/null 2>&1 || true
	for pid in $(ours rccd); do kill "$pid" 2>/dev/null || true; done
	wait_until 5 none_of || true
	cd /
	rm -rf "$FARM/w"
}

# owner_uses NAME CORES: of the twenty that its machine has; more is as good as all
owner_uses() { echo "$2" >"$PLAY/$1.uses"; }

# play NAME: a /proc/stat whose counters go on by what the owner uses
play() {
	local uses ticks=0 now last=${EPOCHREALTIME/./} i cpus='' root=$PLAY/$1
	for ((i = 0; i < 20; i++)); do cpus+="cpu$i 0 0 0 0 0 0 0 0 0 0"$'\n'; done
	while [ -d "$root" ]; do
		read -r uses <"$root.uses" || uses=0
		now=${EPOCHREALTIME/./}
		ticks=$((ticks + uses * (now - last) / 10))	# thousandths of one
		last=$now
		printf 'cpu  %d 0 0 0 0 0 0 0 0 0\n%s' $((ticks / 1000)) "$cpus" >"$root/proc/stat.new"
		mv "$root/proc/stat.new" "$root/proc/stat"
		sleep 0.1
	done
}

# with_owner NAME POLICY OPTION...: a volunteer of twenty slots with a played owner, who is away
with_owner() {
	local name=$1 policy=$2
	shift 2
	mkdir -p "$PLAY/$name/proc" "$PLAY/$name/dev/pts"
	[ -e "$PLAY/$name.uses" ] || owner_uses "$name" 0
	play "$name" 3>&- 4>&- &
	players+=($!)
	wait_until 5 test -s "$PLAY/$name/proc/stat"
	volunteer "$name" --jobs 20 --policy "$policy" --owner-root "$PLAY/$name" "$@"
}

says() { status_of "$1" | jq -e "$2" >/dev/null; }
expect_says() { wait_until "${3:-20}" says "$1" "$2" || fail "$1 does not say $2: $(status_of "$1" | jq -c 'del(.last)')"; }
hosts_say() { rcc --hosts --json | jq -e "$1" >/dev/null; }
expect_hosts() { wait_until 10 hosts_say "$1" || fail "not $1: $(rcc --hosts --json)"; }

# nothing_works NAME: nothing but rccd and its spawn server, which waits, is there
nothing_works() {
	local spawner
	spawner=$(below "$(pid_of "$1")" | head -n 1)
	[ -z "$(below "$spawner")" ]
}

# sources N [FUNCTIONS]: as many, different ones, of some half a second each
sources() {
	local i
	slow_source "${2:-120}" >body
	for ((i = 1; i <= $1; i++)); do
		{ echo "int number = $i;"; cat body; } >"s$i.c"
	done
}

# build N: all of them at once, in the background; pid in $build
build() {
	seq "$1" | xargs -P "$1" -I{} rcc gcc -O2 -c s{}.c -o s{}.o 3>&- 4>&- &
	build=$!
}

# hold NAME: its compilers stand still until they are ended, those that begin meanwhile as well
hold() {
	while :; do
		# shellcheck disable=SC2046 # words
		kill -STOP $(compilers "$1") 2>/dev/null || true	# none yet
		sleep 0.05
	done
}
begin_hold() { hold "$1" 3>&- 4>&- & holder=$!; players+=("$holder"); }
end_hold() { kill "$holder"; }

# held NAME: one runs there, and stands still
held() {
	wait_until 20 says "$1" '.running != []'
	wait_until 20 on_way "$1"
	# shellcheck disable=SC2046 # words
	kill -STOP $(compilers "$1")
}

# right N: what came of it is what bare compiles give
right() {
	local i
	for ((i = 1; i <= $1; i++)); do
		gcc -O2 -c "s$i.c" -o want.o
		cmp "s$i.o" want.o
	done
}

@test "the owner comes back during twenty jobs: they go on elsewhere, and nobody is blamed" {
	local began went
	with_owner alder polite
	volunteer birch --jobs 1
	warm
	sources 20
	remember
	begin_hold alder
	build 20
	expect_says alder '.running | length >= 18'
	end_hold
	owner_uses alder 40
	printf 'MemTotal: 16000000 kB\nMemAvailable: 100000 kB\n' >"$PLAY/alder/proc/meminfo"
	began=${EPOCHREALTIME/./}
	wait_until 60 nothing_works alder
	echo "# no job process after $(((${EPOCHREALTIME/./} - began) / 1000)) ms" >&3
	expect_says alder '.running == [] and .phase == "paused" and .capacity == 0 and .jobs.preempted >= 18'
	wait "$build"
	right 4
	went=$(status_of alder | jq .jobs.preempted)
	[ "$(rcc --hosts --json | jq '[.hosts[].preempted] | add')" -eq "$went" ]
	[ "$(rcc --hosts --json | jq '.hosts[0].failures')" -eq 0 ]
	[ "$(counted .jobs.remote)" -ge 18 ]
}

# where_it_runs NAME...: sets where
where_it_runs() {
	for where; do
		if says "$where" '.running != []'; then return 0; fi
	done
	return 1
}

@test "preempted again and again, while there is another: no fallback, with RCC_FALLBACK=0 too" {
	local where i
	for i in alder birch cedar; do with_owner "$i" polite; done
	warm
	sources 1
	remember
	export RCC_FALLBACK=0
	build 1
	for i in 1 2; do
		wait_until 20 where_it_runs alder birch cedar
		held "$where"
		owner_uses "$where" 40
		expect_says "$where" '.jobs.preempted == 1 and .running == []'
	done
	wait_until 20 where_it_runs alder birch cedar
	wait "$build"
	right 1
	was_remote 1
	expect_counted .jobs.fallback 0
	[ "$(rcc --hosts --json | jq -c '[.hosts[] | .preempted] | sort')" = '[0,1,1]' ]
}

@test "preempted, and there is no other: compiled here, and said so; used again once the owner has gone" {
	with_owner alder polite
	warm
	sources 1
	remember
	build 1
	held alder
	owner_uses alder 40
	wait "$build"
	right 1
	was_local preempted
	expect_counted .jobs.fallback 1
	expect_hosts '.hosts[0] | .state == "paused" and .slots == 0 and .failures == 0 and .preempted == 1'
	rcc --hosts | grep -q 'paused .*1 preempted; its owner uses the processor'
	curl -sS "http://$(http_of alder)/" | grep -q '<b>paused</b>: the owner uses '
	curl -sS "http://$(http_of alder)/metrics" | grep -qx 'rccd_jobs_total{ending="preempted"} 1'
	# while it is paused nobody waits for it
	remember
	rcc gcc -c f.c
	was_local no-candidate
	owner_uses alder 0
	expect_hosts '.hosts[0].slots == 20'
	warm
}

@test "an owner who needs some of the cores: the newest jobs go, the others stay" {
	with_owner alder polite
	warm
	sources 5 1100
	build 5
	expect_says alder '.running | length == 5'
	# what is played is what all use, our jobs included
	owner_uses alder $((17 + ($(nproc) < 5 ? $(nproc) : 5)))
	expect_says alder '.jobs.preempted > 0'
	says alder '.jobs.preempted < 5' || fail "all of them went: $(status_of alder | jq -c .jobs)"
	says alder '([.running[].number, (.last[] | select(.ending == "done") | .number)] | max) <
		([.last[] | select(.ending == "preempted") | .number] | min)' || fail "not the newest: $(status_of alder | jq -c .last)"
	wait "$build"
	right 2
}

@test "policy idle: nothing while somebody is at a terminal" {
	mkdir -p "$PLAY/alder/dev/pts"
	touch "$PLAY/alder/dev/pts/0"
	with_owner alder idle
	expect_says alder '.policy == "idle" and .phase == "paused" and .why == "the owner is at the machine"'
	remember
	rcc gcc -c f.c
	was_local no-candidate
	rcc --hosts | grep -q 'its owner is there'
}

@test "a volunteer that sleeps with a job in hand: the caller does without, and no slot is lost" {
	volunteer alder
	warm
	sources 1
	remember
	build 1
	held alder
	kill -STOP "$(pid_of alder)"
	wait "$build"
	right 1
	was_local server-stalled
	sleep 2
	kill -CONT "$(pid_of alder)"
	expect_slots_free alder
	nothing_works alder
	log_of alder | grep -q stood-still
	# it is known to have been away, and used when its back-off is over
	wait_until 60 warm_once
}

@test "an agent that sleeps makes its connections anew, at once" {
	volunteer alder
	warm
	kill -STOP "$(ours rcc-agent)"
	sleep 10
	kill -CONT "$(ours rcc-agent)"
	stood_still() { grep -q stood-still "$FARM"/run/agent.log; }
	wait_until 10 stood_still
	expect_hosts '.hosts[0].state == "ready"'
	remember
	rcc gcc -c f.c
	was_remote 1
}

@test "told to end twice, with a job in hand: it ends at once, and well" {
	local pid
	# not of the farm's: its end is waited for, and its status looked at
	with_owner alder polite
	warm
	sources 1
	remember
	build 1
	held alder
	pid=$(pid_of alder)
	kill -TERM "$pid"
	wait_until 10 grep -q '\<draining' "$FARM/valder/log"
	kill -TERM "$pid"
	wait_until 20 dead "$pid"
	tail -n 1 "$FARM/valder/log" | grep -q '\<info end jobs=' || fail "no end: $(tail -n 3 "$FARM/valder/log")"
	wait "$build"
	right 1
}
