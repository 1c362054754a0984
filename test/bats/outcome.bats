#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2154
# What a wrapper does with the outcome of a job in file mode, as an agent of our own directs it.

load helpers

setup_file() {
	command -v python3 >/dev/null || return 0
	farm_start 0
	install "$BATS_TEST_DIRNAME/directs.py" "$FARM/bin/rcc-agent"
}
teardown_file() { command -v python3 >/dev/null && farm_stop; }

setup() {
	need python3 gcc
	mkdir -p "$W"
	cd "$W" || return
	echo 'int f(void) { return 1; }' >a.c
	rm -f "$RCC_RUNTIME_DIR"/*
}

# outcome OUT ERR STATUS REMOVED CHANGE...: what the agent will say
outcome() {
	local out=$1 err=$2 status=$3 removed=$4 IFS=,
	shift 4
	printf '{"out":"%s","err":"%s","status":%s,"removed":"%s","changes":[%s]}' "$out" "$err" "$status" "$removed" "$*" \
		>"$RCC_RUNTIME_DIR/scenario"
}

heard() { grep -qx "$1" "$RCC_RUNTIME_DIR/heard"; }

@test "changes are made, both streams told apart, and the status is the compiler's" {
	outcome 'said\n' 'warned\n' 0 '' "[\"$W/a.d\",0,0,420,\"a.o: a.c\"]" "[\"$W/a.o\",0,0,420,\"object\"]"
	run -0 --separate-stderr rcc gcc -c a.c
	[ "$output" = said ]
	[ "$stderr" = warned ]
	[ "$(cat a.d a.o)" = 'a.o: a.cobject' ]
	heard committed
}

@test "a failure: its words, its status, and the output that the driver removes" {
	echo half >a.o
	outcome '' 'a.c:1: error\n' 1 "$W/a.o"
	run -1 --separate-stderr rcc gcc -c a.c
	[ "$stderr" = 'a.c:1: error' ]
	[ ! -e a.o ]
}

@test "a list of many frames, with more to say than a pipe holds" {
	local i changes=() long
	long=$(printf '%0200d' 0)
	for i in {1000..1999}; do changes+=("[\"$W/$i$long\",3,0,0,\"\"]"); done
	touch "$W/1234$long"
	outcome '' "$(printf '%0200000d' 1)" 0 '' "${changes[@]}"
	rcc gcc -c a.c 2>&1 >/dev/null | { sleep 0.3; cat; } >said
	[ "$(wc -c <said)" -eq 200000 ]
	[ ! -e "$W/1234$long" ]
	heard committed
}

@test "both streams in one file: their order is lost, so it is compiled here" {
	outcome 'said\n' 'warned\n' 0 '' "[\"$W/b\",0,0,420,\"b\"]"
	rcc gcc -c a.c >all 2>&1
	[ ! -s all ]
	[ -s a.o ]
	[ ! -e b ]
	heard 'declined round 7'
}

@test "what cannot be done as the job did it: nothing is, it is compiled here" {
	mkfifo b
	outcome '' 'warned\n' 0 '' "[\"$W/a\",0,0,420,\"a\"]" "[\"$W/b\",0,0,420,\"b\"]"
	run -0 rcc gcc -c a.c
	[ -z "$output" ]
	[ -s a.o ]
	[ ! -e a ]
	[ -p b ]
	heard 'declined round 7'
}

@test "nobody reads what it says: it dies of SIGPIPE, or goes on where that is ignored" {
	mkfifo way
	outcome "$(printf '%0200000d' 1)" '' 3 '' "[\"$W/b\",0,0,420,\"b\"]"
	head -c1 way >/dev/null 3>&- &
	run -141 bash -c 'exec rcc gcc -c a.c >way'
	[ "$(cat b)" = b ]
	rm "$RCC_RUNTIME_DIR"/heard
	head -c1 way >/dev/null 3>&- &
	run -3 bash -c 'trap "" PIPE; exec rcc gcc -c a.c >way'
	heard committed
	run -3 bash -c 'exec rcc gcc -c a.c >&-'
}

@test "signals end a wrapper that only waits" {
	local signal
	echo '"wait"' >"$RCC_RUNTIME_DIR/scenario"
	for signal in 2:INT 15:TERM 1:HUP 3:QUIT; do
		run probe -s "${signal#*:}" -a 700 rcc gcc -c a.c
		[ "$output" = "killed ${signal%:*}" ]
	done
	[ ! -e a.o ]
}

@test "the agent is told umask and width" {
	outcome '' '' 0 ''
	(umask 027 && rcc gcc -c a.c 2>/dev/null)
	heard 'ask umask 27 columns 0'
	probe -p 30x71 rcc gcc -c a.c
	heard 'ask umask 22 columns 71'
	probe -p 30x71 sh -c 'rcc gcc -c a.c </dev/null'
	heard 'ask umask 22 columns 65535'
}
