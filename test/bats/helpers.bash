# helpers.bash - what every test here needs: a farm of volunteers on loopback,
# and "same", which runs one command with and without rcc and compares all
# that can be seen of it afterwards.
#
# RCC_BIN names the directory of the four programs (default: build). Each farm
# runs copies of them from a directory of its own, so that whatever is left of
# it can be found by its executable's name.
# shellcheck shell=bash

bats_require_minimum_version 1.5.0

REPO=${BATS_TEST_DIRNAME%/test/bats}
case ${RCC_BIN:=build} in
/*) PROGRAMS=$RCC_BIN ;;
*) PROGRAMS=$REPO/$RCC_BIN ;;
esac
SYSTEM_PATH=/usr/local/bin:/usr/bin:/bin
W=$BATS_TEST_TMPDIR/w		# where every compile of a test happens

# --- small things -----------------------------------------------------------

# wait_until SECONDS COMMAND...: until the command succeeds
wait_until() {
	local tries=$(($1 * 20))
	shift
	until "$@"; do
		((tries-- > 0)) || return 1
		sleep 0.05
	done
}

fail() {
	printf '%s\n' "$*" >&2
	return 1
}

# need PROGRAM...: skips the test where one is missing
need() {
	local p
	for p; do
		command -v "$p" >/dev/null || skip "$p is not installed"
	done
}

# Which of these compilers exist here.
installed() {
	local p
	for p; do
		if command -v "$p" >/dev/null; then echo "$p"; fi
	done
}

clean_environment() {
	local v
	for v in $(compgen -e); do
		case $v in
		RCC_BIN) ;;
		RCC_* | CCACHE_* | MAKEFLAGS | MAKELEVEL | MFLAGS | CC | CXX | CFLAGS | CXXFLAGS | CPATH | *_INCLUDE_PATH | \
			LIBRARY_PATH | COMPILER_PATH | GCC_* | DEPENDENCIES_OUTPUT | SUNPRO_DEPENDENCIES | SOURCE_DATE_EPOCH | \
			COLUMNS | NO_COLOR | LC_* | LANGUAGE | XDG_*)
			unset "$v"
			;;
		esac
	done
	export LANG=C.UTF-8 TERM=xterm-256color HOME=$FARM/home
}

# --- the farm ---------------------------------------------------------------

# farm_start N [RCCD-OPTION...]: a place of our own with N volunteers, named 1 to N
farm_start() {
	local count=$1 i
	shift
	FARM=$(mktemp -d /tmp/rccb.XXXXXX)
	clean_environment
	mkdir "$FARM/bin" "$FARM/home" "$FARM/run"
	chmod 700 "$FARM/run"
	cp "$PROGRAMS"/{rcc,rcc-agent,rccd,rccd-box} "$FARM/bin"
	export FARM PATH=$FARM/bin:$SYSTEM_PATH
	export RCC_RUNTIME_DIR=$FARM/run RCC_MODE=text RCC_LOCAL_SLOTS=0 RCC_HOSTS=
	for ((i = 1; i <= count; i++)); do
		volunteer "$i" "$@"
	done
}

# Where boxes do not hold (a container without namespaces), jobs go without.
sandbox() {
	local uid=0
	[ "$(id -u)" != 0 ] || uid=64000
	mkdir -p "$FARM/trial"
	if ! [ -e "$FARM/sandbox" ]; then
		rccd-box --probe "$FARM/trial" "$uid" confined >"$FARM/trial.said" 2>&1 || echo --insecure-no-sandbox >"$FARM/sandbox"
		touch "$FARM/sandbox"
	fi
	cat "$FARM/sandbox"
}

# volunteer NAME [RCCD-OPTION...]: starts one and adds it to RCC_HOSTS
volunteer() {
	local name=$1
	shift
	rccd_start "$name" --listen 127.0.0.1:0 --http 127.0.0.1:0 --jobs 2 "$@"
	RCC_HOSTS="$RCC_HOSTS${RCC_HOSTS:+ }$(address_of "$name")"
}

# rccd_start NAME OPTION...: and waits until it listens. Its owner is nobody's concern, unless --policy says so.
rccd_start() {
	local dir=$FARM/v$1
	shift
	mkdir -p "$dir/tmp"
	: >"$dir/log"
	# shellcheck disable=SC2046 # one word, or none
	TMPDIR=$dir/tmp rccd --store "$dir/store" --policy dedicated $(sandbox) "$@" </dev/null >"$dir/out" 2>"$dir/log" 3>&- 4>&- &
	echo $! >"$dir/pid"
	if ! wait_until 5 grep -q '\<listening addr=' "$dir/log"; then
		fail "rccd did not start: $(cat "$dir/log")"
	fi
}

# probe OPTION... COMMAND...: see probe.c
probe() {
	[ -x "$FARM/probe" ] || cc -o "$FARM/probe" "$BATS_TEST_DIRNAME/probe.c" -lutil
	"$FARM/probe" "$@"
}

pid_of() { cat "$FARM/v$1/pid"; }
log_of() { cat "$FARM/v$1/log"; }
address_of() { sed -n 's/.*\<listening addr=\([^ ]*\).*/\1/p' "$FARM/v$1/log" | tail -n 1; }
http_of() { sed -n 's/.*\<http addr=\([^ ]*\).*/\1/p' "$FARM/v$1/log" | tail -n 1; }
status_of() { curl -sS --max-time 5 "http://$(http_of "$1")/status.json"; }

# slots_free NAME: does the volunteer say that nothing runs and nothing waits?
slots_free() { status_of "$1" | jq -e '.free == .slots and .queued == 0 and .running == []' >/dev/null; }
expect_slots_free() {
	local name
	for name; do
		wait_until 5 slots_free "$name" || fail "volunteer $name still works: $(status_of "$name")"
	done
}

# ours [PROGRAM]: pids of this farm's processes
ours() { find /proc -maxdepth 2 -name exe -lname "$FARM/bin/${1:-*}" 2>/dev/null | cut -d/ -f3; }
none_of() { [ -z "$(ours "$@")" ]; }
# Of the rccd-box processes: those that another has made, and those that make them.
boxes() { box_processes yes; }
spawners() { box_processes no; }
box_processes() {
	local p parent made all
	all=$(ours rccd-box)
	for p in $all; do
		parent=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$p/status" 2>/dev/null) || continue
		made=no
		case $'\n'$all$'\n' in *$'\n'$parent$'\n'*) made=yes ;; esac
		if [ "$made" = "$1" ]; then echo "$p"; fi
	done
}
# One for each rccd that lives, and no other.
no_boxes() { [ "$(ours rccd-box | wc -l)" -eq "$(ours rccd | wc -l)" ]; }
# Processes of any program that work below the farm: a volunteer's jobs.
jobs_left() {
	local p
	find /proc -maxdepth 2 -name cwd -lname "$FARM/v*" 2>/dev/null | cut -d/ -f3
	for p in $(ours rccd-box); do below "$p"; done
}
# below PID: its children, and theirs; a confined job cannot be told by its directory
below() {
	local c
	# shellcheck disable=SC2013 # words, on one line
	for c in $(cat "/proc/$1/task"/*/children 2>/dev/null); do echo "$c"; below "$c"; done
}
no_jobs_left() { [ -z "$(jobs_left)" ]; }
# compilers [NAME]: those that run in boxes, all or that volunteer's
compilers() {
	local p
	for p in $(if [ $# -gt 0 ]; then below "$(pid_of "$1")"; else jobs_left; fi); do
		case $(readlink "/proc/$p/exe") in */cc1) echo "$p" ;; esac
	done
}
on_way() { [ -n "$(compilers "$@")" ]; }
dead() { ! [ -e "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null; }

# volunteer_kill NAME: as a power cut would
volunteer_kill() {
	kill -9 "$(pid_of "$1")"
	wait_until 5 dead "$(pid_of "$1")"
}

# Ends every process of the farm; fails if one does not go when told to.
farm_stop() {
	local left pid
	rcc --stop-agent >"$FARM/stop.out" 2>&1 || true
	# agents of other namespaces do not hear --stop-agent
	for pid in $(ours rccd) $(ours rcc-agent); do
		kill -TERM "$pid" 2>/dev/null || true
	done
	wait_until 5 none_of || true
	left=$(ours; jobs_left)
	for pid in $left; do
		echo "left over: $pid $(tr '\0' ' ' <"/proc/$pid/cmdline")" >&2
		kill -9 "$pid" 2>/dev/null || true
	done
	rm -rf "$FARM"
	[ -z "$left" ]
}

# Until every volunteer is known to the agent: a first compile that goes there.
warm() {
	wait_until 5 warm_once || fail "no compile went to $RCC_HOSTS: $(rcc --stats)"
}
warm_once() {
	local before after
	mkdir -p "$FARM/warm"
	echo 'int warm;' >"$FARM/warm/w.c"
	before=$(rcc --stats --json | jq .jobs.remote)
	rcc gcc -c "$FARM/warm/w.c" -o "$FARM/warm/w.o"
	after=$(rcc --stats --json | jq .jobs.remote)
	((after > before))
}

# --- what happened, by rcc's own account ------------------------------------

remember() { rcc --stats --json >"$BATS_TEST_TMPDIR/stats" 2>/dev/null || true; }

# counted EXPRESSION: how much that figure grew since remember()
counted() {
	local now
	now=$(rcc --stats --json | jq "$1 // 0")
	echo $((now - $(jq "$1 // 0" "$BATS_TEST_TMPDIR/stats")))
}
REASONS='([.reasons[]] | add)'
counted_is() { [ "$(counted "$1")" -eq "$2" ]; }

expect_counted() {
	wait_until 2 counted_is "$1" "$2" || fail "$1: $(counted "$1"), not $2: $(rcc --stats)"
}
was_remote() { expect_counted .jobs.remote "$1"; }
# was_local REASON: nothing went, for this reason
was_local() {
	expect_counted ".reasons[\"$1\"]" "${2:-1}"
	expect_counted .jobs.remote 0
}
# one_reason 'KEY|KEY': exactly one was counted, and it is among these
one_reason() {
	local r
	expect_counted "$REASONS" 1
	for r in ${1//|/ }; do
		if counted_is ".reasons[\"$r\"]" 1; then return 0; fi
	done
	fail "another reason than $1: $(rcc --stats)"
}

# --- same -------------------------------------------------------------------

# The sources that every compile of "same" finds. A test adds its own by
# defining extra().
sources() {
	mkdir src build obj d
	printf '%s\n' '#define TWICE(x) ((x) + (x))' 'struct pair { int a, b; };' 'int sum(struct pair p);' >h.h
	printf '%s\n' '#include <stddef.h>' '#include "h.h"' 'int sum(struct pair p)' '{' '	return TWICE(p.a) + p.b;' '}' \
		'size_t size = sizeof(struct pair);' >h.c
	cp h.h h.c src
	printf '%s\n' '#include <stdio.h>' '#include "h.h"' 'int main(int argc, char **argv)' '{' \
		'	for (int i = 0; i < argc; i++)' '		printf("%d: %s\n", TWICE(i), argv[i]);' '	return 0;' '}' >a.c
	printf '%s\n' '#include "h.h"' 'int b(void) { struct pair p = { 1, 2 }; return sum(p); }' >b.c
	printf '%s\n' '#ifdef X' 'int x;' '#endif' '#ifdef MSG' 'const char *msg = MSG;' '#endif' 'int bar;' >bar.c
	printf '%s\n' 'static inline int z(int i) { return i * 3; }' >z.c
	printf '%s\n' '#include "h.h"' 'template <class T> T twice(T t) { return t + t; }' \
		'int h(int i) { return twice(i) + TWICE(i); }' >h.cc
	printf '%s\n' '	.text' '	.globl f' 'f:	nop' '	.data' '	.long 42' >s.s
	printf '%s\n' '#define ANSWER 42' '	.data' '	.long ANSWER' >u.S
	# a precompiled header holds the second in which its header was written
	find . -type f -exec touch -d @1700000000 {} +
}
extra() { :; }

# run_once NAME PREFIX SCRIPT: the script in a new $W, its world kept as NAME.
# A second directory, TMPDIR, shows whether temporary files stay.
run_once() {
	local kept=$BATS_TEST_TMPDIR/$1 status=0
	rm -rf "$W" "$BATS_TEST_TMPDIR/tmp" "$kept"
	mkdir "$W" "$BATS_TEST_TMPDIR/tmp" "$kept"
	cd "$W" || return
	sources
	extra
	RCC=$2 W=$W TMPDIR=$BATS_TEST_TMPDIR/tmp bash -c "$3" </dev/null >"$kept/out" 2>"$kept/err" || status=$?
	cd "$BATS_TEST_TMPDIR" || return
	echo "$status" >"$kept/status"
	mv "$W" "$kept/tree"
	mv "$BATS_TEST_TMPDIR/tmp" "$kept/tmp"
}

# same COMMAND...: with rcc as without
same() { same_sh "\$RCC $(printf '%q ' "$@")"; }

# same_sh SCRIPT: a shell script in which $RCC stands before the compiler.
# AS is what $RCC stands for (default: rcc).
same_sh() {
	run_once bare1 '' "$1"
	run_once bare2 '' "$1"
	remember
	run_once rcc "${AS-rcc}" "$1"
	worlds_agree
}

status() { cat "$BATS_TEST_TMPDIR/rcc/status"; }
out() { cat "$BATS_TEST_TMPDIR/rcc/out"; }
err() { cat "$BATS_TEST_TMPDIR/rcc/err"; }
made() { [ -e "$BATS_TEST_TMPDIR/rcc/tree/$1" ]; }

# Temporary names and addresses, which no two runs share.
neutral() {
	LC_ALL=C sed -E -e 's/\bcc[A-Za-z0-9]{6}\b/ccXXXXXX/g' -e 's/-[0-9a-f]{6,8}\b/-XXXXXX/g' -e 's/0x[0-9a-f]{8,}/0xX/g' "$@"
}

# Names, types, modes, link counts and targets below a directory.
listing() {
	(cd "$1/tree" && find . -mindepth 1 -printf '%P\t%y\t%m\t%n\t%l\n' | LC_ALL=C sort)
	(cd "$1/tmp" && find . -mindepth 1 -printf 'TMPDIR/%P\t%y\n' | neutral | LC_ALL=C sort)
}

worlds_agree() {
	local bad=0
	cd "$BATS_TEST_TMPDIR" || return
	listing bare1 >bare1.list
	listing rcc >rcc.list
	diff -u bare1.list rcc.list >&2 || bad=1
	(cd bare1 && find . -path ./tmp -prune -o -type f -exec sha256sum {} + | LC_ALL=C sort) >bare1.sums
	(cd rcc && find . -path ./tmp -prune -o -type f -exec sha256sum {} + | LC_ALL=C sort) >rcc.sums
	cmp -s bare1.sums rcc.sums || contents_agree || bad=1
	return $bad
}

# Slower: which files differ, and may they? Only where two bare runs do too.
contents_agree() {
	local f bad=0
	while IFS= read -r -d '' f; do
		[ -e "bare1/$f" ] || continue		# the listing has said so
		cmp -s "bare1/$f" "rcc/$f" && continue
		may_differ "$f" && continue
		echo "differs: $f" >&2
		diff -a -u "bare1/$f" "rcc/$f" | head -n 40 | cat -v >&2
		bad=1
	done < <(cd rcc && find . -path ./tmp -prune -o -type f -print0)
	return $bad
}
may_differ() {
	cmp -s "bare1/$1" "bare2/$1" && return 1
	cmp -s <(neutral "bare1/$1") <(neutral "bare2/$1") || return 0
	cmp -s <(neutral "bare1/$1") <(neutral "rcc/$1")
}

# A compile of one to two seconds with little to preprocess.
slow_source() {
	local i
	for ((i = 1; i <= ${1:-300}; i++)); do
		echo "int f$i(int *p, int n) { int s = 0; for (int i = 0; i < n; i++) for (int j = 0; j < n; j++) {" \
			"s += p[i] * p[j + $i]; if (s & $i) p[j] = s; } return s; }"
	done
}
