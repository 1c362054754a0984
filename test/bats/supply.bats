#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2154,SC2317
# A volunteer without a compiler is brought ours: first the agent's side,
# against one that this test plays (wanting.py), then rccd with an empty store.

load helpers

setup_file() { need python3 jq; }
setup() {
	farm_start 0
	cd "$BATS_TEST_TMPDIR" || return
	echo 'int supplied;' >a.c
}
teardown() {
	local file
	for file in "$FARM"/wanting.*.pid; do
		[ ! -e "$file" ] || kill "$(cat "$file")" 2>/dev/null || true
	done
	farm_stop
}

# wanting NAME [FAULT]: such a volunteer; what it says goes to a file of that name
wanting() {
	python3 "$BATS_TEST_DIRNAME/wanting.py" "${@:2}" </dev/null >"$FARM/$1" 2>&1 3>&- 4>&- &
	echo $! >"$FARM/wanting.$1.pid"
	disown
	wait_until 5 grep -q '^listening' "$FARM/$1" || fail "$(cat "$FARM/$1")"
	RCC_HOSTS="$RCC_HOSTS${RCC_HOSTS:+ }$(sed -n 's/^listening //p' "$FARM/$1")"
}
said() { grep -c "^$2" "$FARM/$1" || true; }
# served NAME: each of its files arrived, and nothing was wrong
served() {
	local wanted
	wanted=$(sed -n 's/^wanted //p' "$FARM/$1")
	if [ "$(said "$1" file)" -ne "$wanted" ] || [ "$(said "$1" installed)" -ne 1 ] || [ "$(said "$1" violation)" -ne 0 ]; then
		fail "$(cat "$FARM/$1")"
	fi
}

@test "a job that may not run here waits for the compiler to be there" {
	wanting bare

	rcc gcc -c a.c -o a.o

	served bare
	[ "$(said bare supply)" -eq 1 ]
	[ "$(said bare reserve)" -ge 1 ]
	[ "$(rcc --stats --json | jq '.reasons["server-refused"]')" -eq 1 ]
	[ "$(rcc --hosts --json | jq -c '.hosts[0].fetching')" = "[]" ]
}

fetching() { rcc --hosts --json | jq -e '.hosts[0].fetching[0] | .by_us and .state == "fetching" and .total > .done' >/dev/null; }

@test "rcc --hosts shows how far it is" {
	wanting bare slow
	rcc gcc -c a.c -o a.o 3>&- &

	wait_until 10 fetching || fail "$(rcc --hosts --json)"
	rcc --hosts >hosts
	rcc --watch >watched
	wait $!

	grep -Eq '; fetching gcc [0-9.]+ \(.*cc1.*\): [0-9]+ of [0-9]+ MB' hosts || fail "$(cat hosts)"
	grep -Eq '^  \[#*\.+\] fetching gcc [0-9.]+ \(.*cc1.*\): [0-9]+ of [0-9]+ MB$' watched || fail "$(cat watched)"
	grep -q '^waiting .* a\.c$' watched
	served bare
}

@test "a transfer that breaks is taken up again, and no file is sent twice" {
	wanting bare drop

	rcc gcc -c a.c -o a.o

	[ "$(said bare dropped)" -eq 1 ]
	[ "$(said bare supply)" -eq 2 ]
	served bare
}

@test "a volunteer that asks for nothing is not waited for" {
	wanting bare stuck

	rcc gcc -c a.c -o a.o

	[ -s a.o ]
	[ "$(said bare supply)" -eq 1 ]
	[ "$(rcc --stats --json | jq '.reasons["no-candidate"]')" -eq 1 ]
}

@test "two toolchains go to one volunteer one after the other" {
	need g++
	wanting bare
	echo 'int both;' >b.cc

	rcc gcc -c a.c -o a.o 3>&- &
	rcc g++ -c b.cc -o b.o
	wait $!

	[ "$(said bare installed)" -eq 2 ]
	[ "$(said bare violation)" -eq 0 ]
	# neither begins while the other is under way
	run ! grep -Pzo '\nsupply\n(?:file[^\n]*\n)*supply\n' "$FARM/bare"
}

# waiting: a job that waits for the transfer; and it is under way
waiting() {
	rcc gcc -c a.c -o waiting.o 3>&- &
	wait_until 10 fetching || fail "$(cat "$FARM/bare")"
}

@test "a job that may run here does not wait for it" {
	wanting bare slow
	waiting

	RCC_MODE=auto RCC_LOCAL_SLOTS=2 rcc gcc -c a.c -o a.o

	[ "$(rcc --stats --json | jq '.reasons["local-idle"]')" -eq 1 ]
	[ "$(said bare installed)" -eq 0 ]
	wait $!
	served bare
}

@test "an agent that is told to end does not stay for it" {
	wanting bare slow
	waiting
	kill $!
	wait $! || true
	fetching

	rcc --stop-agent

	wait_until 5 none_of rcc-agent
	wait_until 5 grep -q '^dropped' "$FARM/bare"
	[ "$(said bare installed)" -eq 0 ]
}

# A compiler that was replaced is another toolchain: the old one is not tried again and again.
@test "a file that has changed is not sent" {
	mkdir own
	cp "$(gcc -print-prog-name=cc1)" own
	wanting bare slow
	rcc gcc -B"$PWD/own/" -c a.c -o a.o 3>&- &
	wait_until 10 fetching

	printf x >>own/cc1
	wait_until 20 grep -q '^none' "$FARM/bare"
	sleep 3		# more than a first back-off
	kill $!
	wait $! || true

	[ "$(said bare none)" -eq 1 ]
	[ "$(said bare supply)" -eq 1 ]
	[ "$(said bare installed)" -eq 0 ]
}

# --- rccd -------------------------------------------------------------------

# bare NAME [RCCD-OPTION...]: rccd that may use no file of this machine, and takes what callers have
bare() {
	[ -z "$(sandbox)" ] || skip "boxes do not hold here, so foreign toolchains are not taken"
	mkdir -p "$FARM/nothing"
	volunteer "$1" --toolchain-dir "$FARM/nothing" --accept-toolchains any "${@:2}"
	disown
}

@test "a volunteer without any compiler compiles for each of ours" {
	local cc count=0
	bare 1
	cp a.c a.cc

	for cc in $(installed gcc clang aarch64-linux-gnu-gcc); do
		rcc "$cc" -O2 -c a.c -o a.o && "$cc" -O2 -c a.c -o here.o
		cmp a.o here.o
		count=$((count + 1))
	done
	for cc in $(installed g++ clang++); do
		rcc "$cc" -O2 -c a.cc -o a.o && "$cc" -O2 -c a.cc -o here.o
		cmp a.o here.o
		count=$((count + 1))
	done

	[ "$(rcc --stats --json | jq .jobs.remote)" -eq "$count" ]
	[ "$(rcc --stats --json | jq .jobs.total)" -eq "$count" ]
}

# The agent takes it to be the one of a moment before, until it has looked.
@test "an assembler that is replaced between two compiles is the one that compiles" {
	local before
	bare 1
	mkdir bin
	cp "$(readlink -f "$(command -v as)")" bin/as
	printf '%s\n' '#include <stdio.h>' '#include <string.h>' 'int main(int n, char **v) {' \
		'for (int i = 1; i + 1 < n; i++) if (!strcmp(v[i], "-o")) {' \
		'FILE *f = fopen(v[i + 1], "w"); return !f || fputs("another", f) < 0 || fclose(f); } return 1; }' >other.c
	gcc -o other other.c
	PATH=$PWD/bin:$PATH
	for i in 1 2; do RCC_MODE="file" rcc gcc -c a.c -o a.o; done
	before=$(rcc --stats --json | jq .file_mode.jobs)

	mv other bin/as
	RCC_MODE="file" rcc gcc -c a.c -o a.o

	grep -qx another a.o
	[ "$(rcc --stats --json | jq .file_mode.jobs)" -eq "$((before + 1))" ]
}

# What it already has need not come again.
@test "a volunteer that dies while a compiler comes has it soon after it is back" {
	local address
	bare 1
	address=$(address_of 1)
	rcc gcc -c a.c -o a.o 3>&- &
	wait_until 10 grep -q 'state=fetching' "$FARM/v1/log"

	volunteer_kill 1
	wait $!
	gcc -c a.c -o here.o
	cmp a.o here.o
	rccd_start 1 --listen "$address" --http off --jobs 2 --policy dedicated --toolchain-dir "$FARM/nothing" --accept-toolchains any
	disown

	wait_until 20 warm_once
	grep -q 'state=ready' "$FARM/v1/log"
}
