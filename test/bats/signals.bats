#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154,SC2317
# What a user does to a running compile, and what a terminal changes.

load helpers

setup_file() {
	farm_start 2
	warm
	slow_source 300 >"$FARM/slow.c"
}
teardown_file() { farm_stop; }

extra() { cp "$FARM/slow.c" .; }
C=$(installed gcc clang)

# With and without rcc: killed by this signal, nothing left here or there.
ends_by() {
	local cc
	for cc in $C; do
		same_sh "$FARM/probe $* \$RCC $cc -O2 -MD -c slow.c -o obj/slow.o; rm -f obj/slow.d"
		if made obj/slow.o; then return 1; fi
	done
	wait_until 5 no_jobs_left
	expect_slots_free 1 2
}

@test "the helper that sends signals works" {
	run probe true
	[ "$output" = 'exited 0' ]
	run probe -s INT -a 10 sleep 5
	[ "$output" = 'killed 2' ]
}

@test "^C: killed by SIGINT, nothing left here or on the volunteer" {
	ends_by -s INT -a 500
	[ "$(out)" = 'killed 2' ]
}

@test "SIGTERM to the group" {
	ends_by -s TERM -a 400
	[ "$(out)" = 'killed 15' ]
}

@test "SIGHUP to the group" {
	ends_by -s HUP -a 300
	[ "$(out)" = 'killed 1' ]
}

@test "SIGQUIT, after which the bare compiler leaves its temporary files" {
	mkdir "$W" "$W/tmp"
	cd "$W"
	extra
	run env TMPDIR="$W/tmp" "$FARM/probe" -s QUIT -a 300 rcc gcc -O2 -c slow.c
	[ "${lines[-1]}" = 'killed 3' ]
	[ ! -e slow.o ]
	[ -z "$(ls -A tmp)" ]
	wait_until 5 no_jobs_left
	expect_slots_free 1 2
}

@test "SIGTERM to rcc alone: it cleans up, and dies by it" {
	extra() { cp "$FARM/slow.c" .; }
	cd "$BATS_TEST_TMPDIR"
	extra
	run probe -s TERM -a 400 -1 rcc gcc -O2 -MD -c slow.c
	[ "$output" = 'killed 15' ]
	[ ! -e slow.o ]
	wait_until 5 no_jobs_left
	expect_slots_free 1 2
}

@test "a signal that was ignored stays ignored" {
	same_sh "$FARM/probe -s INT -i -a 200 \$RCC gcc -O1 -c slow.c"
	was_remote 1
	[ "$(out)" = 'exited 0' ]
	made slow.o
}

@test "a signal at once, and at moments all through a compile" {
	local ms
	cd "$BATS_TEST_TMPDIR"
	slow_source 400 >slow.c
	for ms in 0 1 2 3 5 8 12 20 40 80 150; do
		run probe -s INT -a "$ms" rcc gcc -O2 -c slow.c
		[ "$output" = 'killed 2' ] || fail "after $ms ms: $output"
		[ ! -e slow.o ]
	done
	wait_until 5 no_jobs_left
	expect_slots_free 1 2
}

@test "^C during a local compile" {
	RCC_MODE=local ends_by -s INT -a 300
}

@test "kill -9 of rcc: no object, no lost slot, and the volunteer stops" {
	mkdir "$W"
	cd "$W"
	extra
	rcc gcc -O2 -c slow.c 3>&- &
	sleep 0.4
	kill -9 $!
	wait $! || true
	wait_until 5 no_jobs_left
	expect_slots_free 1 2
	[ "$(ls -A)" = slow.c ]
}

@test "TSTP stops it, CONT lets it finish" {
	same_sh '$RCC gcc -O1 -c slow.c & p=$!; sleep 0.2; kill -TSTP $p; sleep 0.3; kill -CONT $p; wait $p'
	[ "$(status)" -eq 0 ]
	made slow.o
}

warns() {
	extra() {
		printf '%s\n' '#define DIV(a, b) ((a) / (b))' 'int f(void)' '{' '	int unused_variable_with_quite_a_long_name;' \
			'	return DIV(1, 0) + 100000000000000000000 + sizeof(struct nothing_that_is_known);' '}' >w.c
	}
}

@test "colour and width on a terminal as without rcc" {
	local size
	warns
	for cc in $C; do
		for size in 24x80 24x40 50x200; do
			same_sh "$FARM/probe -p $size \$RCC $cc -Wall -Wextra -c w.c"
			out | grep -q $'\033\['
		done
	done
}

@test "no colour when stderr is not a terminal" {
	warns
	for cc in $C; do
		same "$cc" -Wall -Wextra -c w.c
		if err | grep -q $'\033'; then false; fi
	done
}

@test "TERM=dumb, NO_COLOR, GCC_COLORS empty, COLUMNS on a terminal" {
	warns
	for cc in $C; do
		same_sh "TERM=dumb $FARM/probe -p 24x80 \$RCC $cc -Wall -c w.c"
		same_sh "NO_COLOR=1 $FARM/probe -p 24x80 \$RCC $cc -Wall -c w.c"
		same_sh "GCC_COLORS= $FARM/probe -p 24x80 \$RCC $cc -Wall -c w.c"
		same_sh "COLUMNS=50 $FARM/probe -p 24x80 \$RCC $cc -Wall -c w.c"
	done
}

@test "a clean compile on a terminal is remote and silent" {
	extra() { :; }
	same_sh "$FARM/probe -p 24x80 \$RCC gcc -Wall -O2 -c a.c"
	was_remote 1
	[ "$(out)" = 'exited 0' ]
}

@test "the size of the terminal is that of the moment" {
	warns
	same_sh "$FARM/probe -p 24x80 sh -c \"stty cols 30; \$RCC gcc -Wall -c w.c\""
}

@test "whoever waits for the end of rcc's output is not kept by the agent" {
	cd "$BATS_TEST_TMPDIR"
	sources
	mkdir run
	RCC_RUNTIME_DIR=$PWD/run run -0 timeout 10 bash -c 'x=$(rcc gcc -c h.c 2>&1 8>&1); echo "[$x]"'
	[ "$output" = '[]' ]
	RCC_RUNTIME_DIR=$PWD/run rcc --stop-agent
}
