#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154,SC2317
# rcc among others of its kind: called by a compiler's name, twice in PATH,
# before and behind ccache, below scripts and makes. Nothing may run in
# circles, and with one local slot nothing may wait for itself.

load helpers

setup_file() {
	farm_start 2
	warm
	rcc --install-links "$FARM/links"
	rcc --install-links "$FARM/links2"
}
teardown_file() { farm_stop; }

C=$(installed gcc clang)
masked="env PATH=$FARM/links:$PATH"

# With one local slot, and nobody to help.
alone() {
	export RCC_HOSTS='' RCC_LOCAL_SLOTS=1 RCC_MODE=auto
}

# --- masquerade -------------------------------------------------------------

@test "--install-links makes a link for each compiler found" {
	local name
	for name in $(installed gcc g++ cc c++ clang clang++ gcc-12 x86_64-linux-gnu-gcc x86_64-linux-gnu-g++-12); do
		[ "$FARM/links/$name" -ef "$FARM/bin/rcc" ]
	done
	[ -z "$(find "$FARM/links" -mindepth 1 ! -type l)" ]
	[ ! -e "$FARM/links/rcc" ]
	[ ! -e "$FARM/links/ld" ]
}

@test "--install-links again is harmless, and leaves what is not ours" {
	cp -r "$FARM/links" "$BATS_TEST_TMPDIR/l"
	cd "$BATS_TEST_TMPDIR"
	run -0 rcc --install-links l
	[ "$(ls l)" = "$(ls "$FARM/links")" ]
	mkdir m
	echo mine >m/gcc
	run rcc --install-links m
	[ "$(cat m/gcc)" = mine ]
	[[ $output == *gcc* ]]
	[ m/g++ -ef "$FARM/bin/rcc" ]
}

@test "--install-links where it cannot: a line that names the place" {
	run --separate-stderr rcc --install-links /proc/nowhere
	((status >= 120 && status <= 127))
	[[ $stderr == *"/proc/nowhere"* ]]
	run --separate-stderr rcc --install-links
	[ "$status" -eq 120 ]
}

@test "gcc, g++, clang, clang++, cc as links first in PATH" {
	local cc
	for cc in $C cc; do
		AS=$masked same "$cc" -O2 -MD -c h.c
		was_remote 1
	done
	for cc in $(installed g++ clang++ c++); do
		AS=$masked same "$cc" -O2 -c h.cc
		was_remote 1
	done
}

@test "a link called by its path" {
	same_sh "if [ -n \"\$RCC\" ]; then $FARM/links/gcc -c h.c; else gcc -c h.c; fi"
	was_remote 1
}

@test "versioned and prefixed links stand for those compilers" {
	local cc
	for cc in $(installed gcc-12 x86_64-linux-gnu-gcc aarch64-linux-gnu-gcc clang-14); do
		AS=$masked same "$cc" -c h.c
		was_remote 1
		AS=$masked same "$cc" -dumpmachine
	done
}

@test "links, errors and warnings under the compiler's own name" {
	AS=$masked same gcc -c absent.c
	AS=$masked same gcc a.c -o program
	AS=$masked same gcc --no-such-option -c h.c
	AS=$masked same clang -c absent.c
}

@test "a relative directory in PATH" {
	same_sh "if [ -n \"\$RCC\" ]; then ln -s $FARM/links l; PATH=l:\$PATH gcc -c h.c; rm l; else gcc -c h.c; fi"
	was_remote 1
}

# --- recursion --------------------------------------------------------------

@test "two directories of links in PATH" {
	AS="env PATH=$FARM/links:$FARM/links2:$PATH" same gcc -c h.c
	was_remote 1
	AS="env PATH=$FARM/links:$FARM/links:$FARM/links2:$PATH" same clang -c h.c
	was_remote 1
}

@test "rcc rcc gcc" {
	AS='rcc rcc' same gcc -c h.c
	was_remote 1
	AS='rcc rcc rcc' same clang -c h.c
	was_remote 1
}

@test "rcc gcc, where gcc is a link to rcc" {
	AS="env PATH=$FARM/links:$PATH rcc" same gcc -c h.c
	was_remote 1
	AS="env PATH=$FARM/links:$PATH rcc" same g++ -c h.cc
}

@test "rcc /path/to/link" {
	same_sh "if [ -n \"\$RCC\" ]; then rcc $FARM/links/gcc -c h.c; else gcc -c h.c; fi"
	was_remote 1
}

@test "a copy of rcc is rcc as well" {
	mkdir "$FARM/copies"
	cp "$FARM/bin/rcc" "$FARM/copies/gcc"
	AS="env PATH=$FARM/links:$FARM/copies:$PATH timeout 10" same gcc -c h.c
	[ "$(status)" -eq 0 ]
}

@test "no compiler but rcc itself: one line, not a circle" {
	run -123 --separate-stderr env PATH="$FARM/links:$FARM/links2" "$FARM/links/gcc" -c h.c
	[[ $stderr == *gcc* ]]
	[ "${#stderr_lines[@]}" -eq 1 ]
}

@test "a script called gcc that calls rcc gcc, first in PATH" {
	mkdir "$FARM/scripts"
	printf '#!/bin/sh\nPATH=%s exec rcc gcc "$@"\n' "$PATH" >"$FARM/scripts/gcc"
	chmod +x "$FARM/scripts/gcc"
	AS="env PATH=$FARM/scripts:$PATH rcc" same gcc -c h.c
	was_remote 1
	alone
	AS="timeout 20 env PATH=$FARM/scripts:$PATH rcc" same gcc -c h.c
	[ "$(status)" -eq 0 ]
}

# --- ccache -----------------------------------------------------------------

cached() {
	need ccache
	export CCACHE_DIR=$FARM/ccache-$BATS_TEST_NUMBER
}

@test "CCACHE_PREFIX=rcc: a miss goes to a volunteer, a hit nowhere" {
	cached
	AS='env CCACHE_PREFIX=rcc ccache' same gcc -O2 -MD -c h.c
	was_remote 1
	AS='env CCACHE_PREFIX=rcc ccache' same gcc -O2 -MD -c h.c
	was_remote 0
}

@test "rcc ccache gcc, and ccache rcc gcc" {
	cached
	AS='rcc ccache' same gcc -c h.c
	AS='ccache rcc' same gcc -c b.c
}

@test "ccache's links before ours, and ours before ccache's" {
	cached
	[ -d /usr/lib/ccache ] || skip 'no /usr/lib/ccache'
	AS="env PATH=/usr/lib/ccache:$FARM/links:$PATH timeout 20" same gcc -c h.c
	[ "$(status)" -eq 0 ]
	AS="env PATH=$FARM/links:/usr/lib/ccache:$PATH timeout 20" same gcc -c b.c
	[ "$(status)" -eq 0 ]
}

@test "ccache's links behind rcc with CCACHE_PREFIX=rcc and one local slot" {
	cached
	alone
	[ -d /usr/lib/ccache ] || skip 'no /usr/lib/ccache'
	# not with our links behind it: ccache takes no prefix that is the same file as its compiler
	AS="timeout 20 env CCACHE_PREFIX=rcc PATH=/usr/lib/ccache:$PATH rcc" same gcc -c h.c
	[ "$(status)" -eq 0 ]
}

# --- one local slot ---------------------------------------------------------

@test "one local slot: rcc in a script in rcc" {
	alone
	AS='timeout 20 rcc sh -c '\''rcc "$@"'\'' sh' same_sh 'eval "$RCC gcc -c h.c"'
	[ "$(status)" -eq 0 ]
	made h.o
}

@test "one local slot: a compiler that calls rcc while it holds the slot" {
	alone
	mkdir -p "$FARM/tools"
	printf '#!/bin/sh\nrcc gcc -c b.c -o obj/inner.o || exit\nexec %s "$@"\n' "$(gcc -print-prog-name=cc1)" >"$FARM/tools/cc1"
	chmod +x "$FARM/tools/cc1"
	AS='timeout 20 rcc' same gcc -B "$FARM/tools" -c h.c
	[ "$(status)" -eq 0 ]
	made obj/inner.o
}

@test "one local slot: make below rcc, with rcc below make" {
	need make
	alone
	extra() { printf 'all: a.o b.o h.o\n%%.o: %%.c ; $(RCC) gcc -c -o $@ $<\n' >Makefile; }
	AS='timeout 30 rcc' same_sh '$RCC make -s -j3 RCC="$RCC"'
	[ "$(status)" -eq 0 ]
}

@test "one local slot: links that compile (-flto) and twelve at once" {
	alone
	AS="timeout 60 env PATH=$FARM/links:$PATH" same_sh '$RCC gcc -O2 -flto=2 -frandom-seed=1 a.c b.c h.c -o program && ./program x'
	[ "$(status)" -eq 0 ]
	same_sh 'seq 12 | timeout 30 xargs -P 12 -I{} $RCC sh -c "$RCC gcc -c h.c -o obj/{}.o"'
	[ "$(status)" -eq 0 ]
}

@test "one local slot: a slot is given back when its holder is killed" {
	alone
	mkdir "$W"
	cd "$W"
	slow_source 300 >slow.c
	sources
	rcc gcc -O2 -c slow.c 3>&- &
	sleep 0.3
	kill -9 $!
	wait $! || true
	SECONDS=0
	timeout 20 rcc gcc -c h.c
	((SECONDS < 5))
}
