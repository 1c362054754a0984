#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2154
# Where jobs go, in which order, and what is done about those that are late. The compiler is one that sleeps as its source
# says (test/bench/sleeper.c), so that a job takes what it is meant to take.

load helpers

setup() {
	farm_start 0
	mkdir "$FARM/gcc" "$BATS_TEST_TMPDIR/src"
	cc -O2 -static -o "$FARM/gcc/gcc" "$BATS_TEST_DIRNAME/../bench/sleeper.c"
	cp "$FARM/gcc/gcc" "$FARM/gcc/cc1"
	cp "$FARM/gcc/gcc" "$FARM/gcc/as"
	export RCC_MODE=file
	cd "$BATS_TEST_TMPDIR/src" || return
}
teardown() { farm_stop; }

# sleeping NAME SLOTS [OPTION...]: a volunteer; s1, s5 are fast, s4, s8 take four times as long
sleeping() {
	local name=$1 slots=$2
	shift 2
	rccd_start "$name" --listen 127.0.0.1:0 --http 127.0.0.1:0 --name "$name" --fault named --jobs "$slots" \
		--toolchain-dir "$FARM/gcc" "$@"
	RCC_HOSTS="$RCC_HOSTS${RCC_HOSTS:+ }$(address_of "$name")"
	export RCC_HOSTS
}

# job NAME MS: a source that takes so long, and is as large as any other: what comes is not guessed by its size
job() { printf '/* sleep_ms %5d */\n' "$2" >"$1.c"; }
compile() { rcc "$FARM/gcc/gcc" -c "$1.c" -o "$1.o"; }
# Until one went: the volunteers and the toolchain are known to the agent then.
ready() {
	job ready 1
	wait_until 10 went || fail "nothing goes: $(rcc --hosts)"
}
went() {
	remember
	compile ready
	counted_is .jobs.remote 1
}
# Where it was compiled, by its own account.
host_of() { head -n 1 "$1.o" | cut -d" " -f1; }

@test "of jobs that wait, the longest goes first, as the last build told" {
	sleeping s1 1
	ready
	job first 700
	job short 100
	job middle 500
	job long 1200
	for j in short middle long first; do compile "$j"; done
	rm ./*.o
	rcc --stop-agent
	ready
	local pids=()
	for j in first short middle long; do
		compile "$j" 3>&- &
		pids+=($!)
		sleep 0.05
	done
	for p in "${pids[@]}"; do wait "$p"; done
	[ "$(ls -tr first.o short.o middle.o long.o | xargs)" = "first.o long.o middle.o short.o" ] ||
		fail "$(ls -tr --full-time first.o short.o middle.o long.o)"
}

@test "in a first build, what ended tells which of those that wait is the longest" {
	sleeping s1 1
	ready
	local i pids=()
	# of the first, the larger take longer; of the next, all but the last are small
	for i in 1 2 3 4 5 6 7 8 9; do job "$i" $((40 * (i % 3 + 1))); done
	for i in a b c d large; do job "$i" 100; done
	for i in 1 2 3 4 5 6 7 8 9; do printf '%*s\n' $((400 * (i % 3 + 1))) '' >>"$i.c"; done
	printf '%4000s\n' '' >>large.c
	for i in 1 2 3 4 5 6 7 8 9 a b c d large; do
		rcc "$FARM/gcc/gcc" -O1 -c "$i.c" -o "$i.o" 3>&- 2>&1 &
		pids+=($!)
		sleep 0.02
	done
	for i in "${pids[@]}"; do wait "$i"; done
	# it came last, and the first of the small ones may be on their way by then
	[ "$(ls -t [a-d].o large.o | head -n 1)" != large.o ] || fail "$(ls -tr --full-time ./*.o)"
}

@test "a job goes to the machine that is fast, once that is known" {
	sleeping s1 2
	sleeping s4 2
	ready
	for i in 1 2 3 4 5 6 7 8; do job "j$i" 50; done
	local pids=()
	for i in 1 2 3 4 5 6 7 8; do
		compile "j$i" 3>&- &
		pids+=($!)
	done
	for p in "${pids[@]}"; do wait "$p"; done
	# those that ran at once tell little: of each it was a guess what it takes, and both machines were full
	for i in 1 2 3 4 5 6 7 8 1 2 3 4 5 6 7 8 1 2 3 4 5 6 7 8; do compile "j$i"; done
	for i in 1 2 3 4 5 6; do
		compile "j$i"
		[ "$(host_of "j$i")" = s1 ] || fail "j$i: $(cat "j$i.o") $(rcc --hosts)"
	done
	rcc --hosts --json | jq -e '[.hosts[].speed] | max / min > 1.5'
}

busy_host() { BUSY=$(rcc --hosts --json | jq -r '[.hosts[] | select(.running > 0) | .name][0] // empty') && [ -n "$BUSY" ]; }

@test "a job that takes far too long gets a second copy elsewhere, and the first end counts" {
	sleeping s1 2
	sleeping s5 2
	ready
	job late 600
	compile late
	# one copy in fifty jobs
	for ((i = 0; i < 50; i++)); do compile ready; done
	remember
	compile late 3>&- &
	local pid=$!
	wait_until 5 busy_host || fail "nobody has it"
	kill -STOP "$(pid_of "$BUSY")"
	wait "$pid"
	kill -CONT "$(pid_of "$BUSY")"
	[ "$(host_of late)" != "$BUSY" ]
	was_remote 1
	expect_counted .copies 1
	expect_counted .jobs.fallback 0
	expect_slots_free s1 s5
}

@test "of what nothing is known, a copy is asked for by what it was thought to take when it began" {
	local i pids=()
	sleeping s1 1
	sleeping s4 1
	ready
	# one copy in fifty jobs
	for ((i = 0; i < 50; i++)); do compile ready; done
	for i in 1 2 3 4 5 6; do job "j$i" 60; done
	apart() { [ "$(rcc --hosts --json | jq '[.hosts[].speed] | max / min > 2.5')" = true ]; }
	together() {
		local pids=()
		for i in 1 2 3 4 5 6; do
			compile "j$i" 3>&- &
			pids+=($!)
		done
		for i in "${pids[@]}"; do wait "$i"; done
		apart
	}
	wait_until 30 together
	apart || fail "$(rcc --hosts)"
	# as large as each other: the end of the first says that the second is no short one either
	for i in first last; do job "$i" 1300; done
	job first 2000
	for i in first last; do printf '%4000s\n' '' >>"$i.c"; done
	remember
	for i in first last; do
		compile "$i" 3>&- &
		pids+=($!)
		sleep 0.1
	done
	for i in "${pids[@]}"; do wait "$i"; done
	[ "$(host_of first)" = s1 ] || fail "first: $(cat first.o)"
	expect_counted .copies 1
	[ "$(host_of last)" = s1 ] || fail "last: $(cat last.o)"
}

@test "nothing leaves for a while when half of the last jobs failed" {
	local i
	for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
		rccd_start "b$i" --listen 127.0.0.1:0 --http off --jobs 2 --fault flip --toolchain-dir "$FARM/gcc"
		RCC_HOSTS="$RCC_HOSTS $(address_of "b$i")"
	done
	export RCC_HOSTS
	job j 1
	remember
	for ((i = 0; i < 40; i++)); do
		compile j
		[ "$(counted '.reasons.breaker')" -eq 0 ] || break
	done
	[ "$(counted '.reasons.breaker')" -ge 1 ] || fail "$(rcc --stats)"
	was_remote 0
}

@test "a trial whose copy ends first is followed by jobs that go out" {
	local i good pid
	sleeping s1 2
	sleeping s5 2
	good=$RCC_HOSTS
	ready
	job late 600
	compile late
	for ((i = 0; i < 50; i++)); do compile ready; done
	for ((i = 1; i <= 12; i++)); do
		rccd_start "b$i" --listen 127.0.0.1:0 --http off --jobs 2 --fault flip --toolchain-dir "$FARM/gcc"
		RCC_HOSTS="$RCC_HOSTS $(address_of "b$i")"
	done
	RCC_HOSTS=${RCC_HOSTS#"$good"}
	remember
	for ((i = 0; i < 40; i++)); do
		compile ready
		[ "$(counted '.reasons.breaker')" -eq 0 ] || break
	done
	RCC_HOSTS=$good
	sleep 5.5		# it stays open for 5 s
	remember
	compile late 3>&- &
	pid=$!
	wait_until 5 busy_host || fail "nobody has the trial"
	kill -STOP "$(pid_of "$BUSY")"
	wait "$pid"
	expect_counted .copies 1
	kill -CONT "$(pid_of "$BUSY")"
	wait_until 10 went || fail "nothing goes: $(rcc --stats)"
}

# here COMMAND...: on a machine that takes four times as long
here() {
	[ "$(id -u)" -eq 0 ] || skip "only root can give this machine another name"
	unshare --uts "$BASH" -c 'hostname s4 && exec "$@"' - "$@"
}

@test "a slow machine sends what it would do itself, but for what is tiny, once it is known" {
	sleeping s1 2
	ready
	job j 80
	job tiny 1
	compile j
	compile tiny
	export RCC_MODE=auto RCC_LOCAL_SLOTS=1
	# under the load of other tests four are not always enough
	for i in 1 2 3 4 5 6 7 8; do
		here rcc "$FARM/gcc/gcc" -c j.c -o j.o
		[ "$(host_of j)" != s1 ] || break
	done
	[ "$(host_of j)" = s1 ] || fail "$(rcc --stats)"
	remember
	here rcc "$FARM/gcc/gcc" -c tiny.c -o tiny.o
	was_local local-idle
}

@test "a volunteer that fails one toolchain is left alone with that, and serves others" {
	sleeping s1 2
	sleeping s5 2
	export RCC_HOSTS
	ready
	# a compiler that dies of a signal, but not here
	mkdir "$FARM/gcc/dying"
	cp "$FARM/gcc/as" "$FARM/gcc/dying"
	printf '%s\n' '#include <unistd.h>' '#include <stdlib.h>' 'int main(int argc, char **argv) { char name[64]; gethostname(name, 64);' \
		"if (name[0] == 's') abort(); argv[0] = \"$FARM/gcc/cc1\"; return execv(argv[0], argv); }" >dying.c
	cc -static -o "$FARM/gcc/dying/cc1" dying.c
	cp "$FARM/gcc/gcc" "$FARM/gcc/dying/gcc"
	job j 1
	remember
	rcc "$FARM/gcc/dying/gcc" -c j.c -o j.o
	expect_counted .jobs.fallback 1
	# at once: no ban of the volunteers themselves
	compile j
	was_remote 1
}

@test "of many commands that are alike and come at once, few ask the driver" {
	need gcc
	rccd_start v1 --listen 127.0.0.1:0 --http off --jobs 4
	export RCC_HOSTS RCC_LOG=debug
	RCC_HOSTS=$(address_of v1)
	warm
	rcc --stop-agent
	wait_until 5 none_of rcc-agent
	local pids=() i
	for i in $(seq 10 39); do echo "int a$i;" >"alike$i.c"; done
	for i in $(seq 10 39); do
		rcc gcc -O2 -c "alike$i.c" -o "alike$i.o" 3>&- &
		pids+=($!)
	done
	for p in "${pids[@]}"; do wait "$p"; done
	for i in $(seq 10 39); do [ -s "alike$i.o" ]; done
	sed -n '/info start/h;//!H;$!d;x;p' "$RCC_RUNTIME_DIR/agent.log" >last
	[ "$(grep -c 'debug describe ' last)" -le 10 ] || fail "$(grep 'debug describe' last)"
	[ "$(grep -c 'debug describe ' last)" -ge 2 ]
}

@test "a command that comes alone waits for no other that is alike" {
	need gcc
	rccd_start v1 --listen 127.0.0.1:0 --http off --jobs 4
	export RCC_HOSTS RCC_LOG=debug
	RCC_HOSTS=$(address_of v1)
	echo 'int alone;' >alone.c
	rcc gcc -O2 -c alone.c -o alone.o
	[ -s alone.o ]
	grep -q 'debug describe .* kind=1' "$RCC_RUNTIME_DIR/agent.log"
	! grep 'debug alike' "$RCC_RUNTIME_DIR/agent.log"
}
