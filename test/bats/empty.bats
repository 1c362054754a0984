#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2154
# A volunteer on a machine without any compiler, nor anything that one needs:
# its root file system holds rccd, its box, and their libraries.

load helpers

setup_file() {
	farm_start 0
	export NEEDS=
	[ "$(id -u)" -eq 0 ] || NEEDS="root, to have another root"
	command -v python3 >/dev/null || NEEDS=python3
	[ -z "$(sandbox)" ] || NEEDS="boxes that hold"
	[ -z "$NEEDS" ] || return 0
	rccd --make-key "$FARM/key" >/dev/null
	export RCC_KEY_FILE=$FARM/key
	make_root "$FARM/root"
	start_empty
}
teardown_file() {
	# its program is named by its own root, where farm_stop does not look
	[ -n "$NEEDS" ] || stop_empty
	farm_stop
}
setup() {
	[ -z "$NEEDS" ] || skip "takes $NEEDS"
	mkdir "$W"
	cd "$W" || return
	printf '#include <stdio.h>\nint main(void) { return printf("%%d\\n", __LINE__); }\n' >h.c
	printf '#include <map>\n#include <string>\nint f(std::map<std::string, int> &m) { return ++m["x"]; }\n' >m.cc
	echo 'int f(int x) { return x + __LINE__; }' >plain.c
}

# What ldd says they load, and the loader; nothing of it is a compiler's alone.
make_root() {
	local file
	mkdir -p "$1"/{store,etc,tmp}
	cp "$FARM"/bin/{rccd,rccd-box} "$FARM/key" "$1"
	for file in $(ldd "$FARM/bin/rccd" | grep -o '/[^ ]*'); do
		mkdir -p "$1${file%/*}"
		cp -L "$file" "$1$file"
	done
}

# The volunteer "empty"; its log is where helpers look for it.
start_empty() {
	mkdir -p "$FARM/vempty"
	: >"$FARM/vempty/log"
	python3 "$BATS_TEST_DIRNAME/elsewhere.py" "$FARM/root" /rccd --store /store --listen 127.0.0.1:0 --http 127.0.0.1:0 \
		--jobs 4 --policy dedicated --key-file /key </dev/null >/dev/null 2>"$FARM/vempty/log" 3>&- 4>&- &
	echo $! >"$FARM/vempty/pid"
	wait_until 10 grep -q '\<listening addr=' "$FARM/vempty/log" || fail "rccd: $(log_of empty)"
	RCC_HOSTS=$(address_of empty)
	export RCC_HOSTS
}
stop_empty() {
	kill "-${1:-TERM}" "$(pid_of empty)"
	wait_until 10 dead "$(pid_of empty)"
}

# there COMPILER ARGUMENT...: the object is the one made here, and was made there
there() {
	local remote
	remote=$(rcc --stats --json | jq .jobs.remote)
	rcc "$@" -o there.o
	"$@" -o here.o
	cmp here.o there.o || fail "$*: another object"
	[ "$(rcc --stats --json | jq .jobs.remote)" -eq $((remote + 1)) ] || fail "$*: not there: $(rcc --stats; rcc --hosts)"
}

# Each blob is what its name says; nothing is left half-way.
store_is_sound() {
	local file sum
	[ -z "$(ls -A "$FARM/root/store/incoming")" ] || fail "left: $(ls "$FARM/root/store/incoming")"
	for file in "$FARM"/root/store/blobs/*/*; do
		[ -e "$file" ] || continue
		sum=$(sha256sum <"$file")
		[ "${file#"$FARM/root/store/blobs/"}" = "${sum:0:2}/${sum:2:62}" ] || fail "$file holds ${sum%% *}"
	done
}

@test "its machine has no compiler, and no library of one" {
	[ -z "$(find "$FARM/root" \( -name 'cc1*' -o -name 'as' -o -name '*-as' -o -name 'clang*' -o -name 'libisl*' -o -name 'libbfd*' \))" ]
}

@test "it compiles for every compiler that there is here" {
	local c source found=0
	for c in $(installed gcc clang aarch64-linux-gnu-gcc gcc-11 gcc-12 gcc-13); do
		source=h.c
		"$c" -c h.c -o here.o 2>here.txt || source=plain.c # a cross compiler may have come without its headers
		there "$c" -O2 -c "$source"
		found=$((found + 1))
	done
	for c in $(installed g++ clang++ g++-11); do
		there "$c" -O2 -c m.cc
		found=$((found + 1))
	done
	[ "$found" -ge 1 ]
	[ "$(status_of empty | jq '[.toolchains[] | select(.state == "ready")] | length')" -ge 1 ]
	[ "$(rcc --stats --json | jq .jobs.local)" -eq 0 ]
	store_is_sound
}

@test "two callers with one compiler: it is brought once" {
	local i builds=()
	stop_empty
	rm -rf "$FARM/root/store"
	mkdir "$FARM/root/store"
	start_empty
	for i in 1 2; do
		mkdir -m 700 "$FARM/run$i"
		RCC_RUNTIME_DIR=$FARM/run$i rcc gcc -O2 -c h.c -o "h$i.o" 3>&- 4>&- &
		builds+=($!)
	done
	wait "${builds[@]}"
	gcc -O2 -c h.c -o here.o
	for i in 1 2; do
		cmp here.o "h$i.o"
		[ "$(RCC_RUNTIME_DIR=$FARM/run$i rcc --stats --json | jq .jobs.remote)" -eq 1 ]
		RCC_RUNTIME_DIR=$FARM/run$i rcc --stop-agent
	done
	[ "$(log_of empty | grep -c 'toolchain state=fetching')" -eq 1 ]
}

@test "killed again and again while a compiler comes: the store is sound each time" {
	local i builds=()
	for ((i = 0; i < ${KILLS:-12}; i++)); do
		stop_empty KILL
		rm -rf "$FARM/root/store/roots" "$FARM/root/store/trees"
		find "$FARM/root/store/blobs" -type f 2>/dev/null | sort -R | head -n 8 | xargs -r rm -f
		start_empty
		rcc gcc -O2 -c h.c -o killed.o 3>&- 4>&- &
		builds=($!)
		sleep "0.$((RANDOM % 3))$((RANDOM % 10))"
		stop_empty KILL
		wait "${builds[@]}"		# here, if it must
		gcc -O2 -c h.c -o here.o
		cmp here.o killed.o
		rm -rf "$FARM/root/store/incoming/"*	# what a start removes
		store_is_sound
		start_empty
	done
	wait_until 60 there_again
}
there_again() { there gcc -O2 -c h.c 2>/dev/null; }
