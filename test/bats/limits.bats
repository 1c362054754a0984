#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2154
# What one caller can make a volunteer hold: each thing has a bound, and
# beyond it that caller is refused, while another one is served.

load helpers

setup_file() {
	farm_start 1
	printf '#define XXH_INLINE_ALL\n#include <xxhash.h>\nunsigned long long hash_of(const void *p, size_t n) { return XXH3_64bits(p, n); }\n' |
		gcc -shared -fPIC -o "$FARM/xxh.so" -xc -
	XXH=$FARM/xxh.so AS=$(readlink -f "$(command -v as)")
	export XXH AS PYTHONDONTWRITEBYTECODE=1
	warm
	# takes half a minute: the last test looks what became of it
	rccd_start patient --listen 127.0.0.1:0 --http 127.0.0.1:0 --jobs 2
	mkfifo "$FARM/patience"
	python3 "$BATS_TEST_DIRNAME/flood.py" "$(address_of patient)" outputs 2 40000000 "$AS" <"$FARM/patience" \
		>"$FARM/patient.said" 2>&1 3>&- 4>&- &
	echo $! >"$FARM/patient.pid"
	sleep 600 >"$FARM/patience" 3>&- 4>&- &
	echo $! >>"$FARM/patient.pid"
	disown -a
}
teardown_file() {
	# shellcheck disable=SC2046 # two words
	kill $(cat "$FARM/patient.pid") 2>/dev/null || true
	farm_stop
}
setup() { cd "$BATS_TEST_TMPDIR" || return; }
teardown() {
	let_go
	expect_slots_free 1
}

memory() { awk '/^VmRSS/ { print $2 }' "/proc/$(pid_of "${1:-1}")/status"; }
descriptors() { find "/proc/$(pid_of 1)/fd" | wc -l; }
grew_by() { echo $(($(memory) - before)); }
less_than() { [ "$(grew_by)" -lt "$1" ] || fail "rccd grew by $(grew_by) KiB: $(cat said)"; }

# flood ATTACK [ARGUMENT]...: until let_go; what it says is in ./said
flood() {
	before=$(memory)
	mkfifo go
	rm -f said	# of the flood before
	python3 "$BATS_TEST_DIRNAME/flood.py" "$(address_of 1)" "$@" <go >said 2>&1 3>&- 4>&- &
	attacker=$!
	exec 7>go
	wait_until 30 grep -q holding said || fail "flood: $(cat said)"
}
let_go() {
	[ -n "${attacker-}" ] || return 0
	exec 7>&-
	wait "$attacker" || true
	attacker=
	rm go
}
said() { sed -n "s/^$1 //p" said | tail -n 1; }

# Another caller is served while the flood goes on.
others_served() {
	echo "int served_$RANDOM;" >served.c
	remember
	rcc gcc -c served.c -o served.o
	was_remote 1
}

@test "control connections" {
	flood connections 200 0
	[ "$(said welcomed)" -eq 64 ]
	[ "$(said said)" = "more than 64 control connections of one caller" ]
	others_served
	let_go
	wait_until 5 eval '[ "$(descriptors)" -lt 40 ]'
	flood connections 60 0
	[ "$(said welcomed)" -eq 60 ]
}

@test "job connections" {
	flood connections 600 1
	[ "$(said welcomed)" -eq 514 ]
	[ "$(said said)" = "more than 514 connections of one caller" ]
	others_served
	less_than 32768
}

@test "answers that are not read" {
	local what
	for what in ping reserve job; do
		flood unread "$what" 60
		[ "$(said cut)" -eq 1 ] || fail "$what: $(cat said)"
		others_served
		less_than 32768
		let_go
	done
}

@test "the log does not grow with what callers say" {
	local size
	size=$(stat -c %s "$FARM/v1/log")
	flood unread reserve 30
	size=$(($(stat -c %s "$FARM/v1/log") - size))
	[ "$size" -lt 100000 ] || fail "$size bytes"
	others_served
	sleep 1
	let_go
	flood unread reserve 1
	grep -q ' unsaid lines=[1-9]' "$FARM/v1/log"
}

@test "messages that never become whole" {
	flood parts 60 3000000
	[ "$(said ended)" -ge 50 ]
	[[ $(said said) == *"more than 16777216 bytes of messages in parts"* ]]
	others_served
	less_than 65536
}

@test "frames that never become whole" {
	flood halves 300
	others_served
	less_than 65536
}

@test "trees: of one caller so many new ones, and nobody waits for them" {
	flood trees 80
	[ "$(said trees)" -eq 80 ]
	grep -q 'toolchain.*too many new toolchains\|lacking' "$FARM/v1/log"
	others_served
	less_than 131072
}

@test "reservations" {
	flood reserves 3000 "$AS"
	[ "$(said said)" = "queue is full" ]
	[ "$(said refused)" -ge $((3000 - 1024 - 2)) ]
	less_than 16384
}

@test "a header that promises more than its codec can make" {
	flood ratio
	grep -q 'codec 1 cannot make 65536 bytes of 200' "$FARM/v1/log"
	grep -q 'codec 2 cannot make 65536 bytes of 50' "$FARM/v1/log"
	others_served
}

@test "a violation by who does not read leaves no connection behind" {
	local count
	count=$(descriptors)
	flood bad_words 10
	others_served
	wait_until 10 eval '[ "$(descriptors)" -le $((count + 4)) ]'
}

@test "output that is not read: much of it waits in the box, not here" {
	flood outputs 2 40000000 "$AS"
	[ "$(said started)" -eq 2 ]
	less_than 16384
}

@test "an input that is hundreds of times what came: the box unpacks it as it is read" {
	flood bomb 400 "$AS"
	[ "$(said raw_bytes)" -gt $((300 * $(said packed_bytes))) ]
	[ "$(said box_kb)" -lt 8192 ] || fail "the box held $(said box_kb) KiB"
	less_than 16384
}

@test "a caller that takes none of its output for half a minute gives its slot back" {
	wait_until 10 grep -q 'started 2' "$FARM/patient.said"
	wait_until 60 slots_free patient
	status_of patient | jq -e '[.last[] | select(.ending == "limit" and (.text | contains("does not take")))] | length == 2'
}
