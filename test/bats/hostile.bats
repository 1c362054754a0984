#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2154
# A volunteer and callers who mean it ill: each of these jobs must come to
# nothing. Everything is tried at a volunteer of root's and at one of an
# ordinary user's, as far as this machine can have both.

load helpers

setup_file() {
	farm_start 0
	[ -z "$(sandbox)" ] || return 0
	chmod 711 "$FARM"
	mkdir -m 755 "$FARM/toolchain"
	printf '#define XXH_INLINE_ALL\n#include <xxhash.h>\nunsigned long long hash_of(const void *p, size_t n) { return XXH3_64bits(p, n); }\n' |
		gcc -shared -fPIC -o "$FARM/xxh.so" -xc -
	gcc -static -pthread -o "$FARM/toolchain/cc1" "$BATS_TEST_DIRNAME/hostile.c"
	export XXH=$FARM/xxh.so USERS=
	start_as "$(id -un)"
	if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
		start_as nobody
		# the same one, but with a range of user ids
		if command -v newuidmap >/dev/null; then start_as ranged; fi
	fi
}
teardown_file() { farm_stop; }
setup() {
	[ -z "$(sandbox)" ] || skip "boxes do not hold here: $(cat "$FARM/trial.said")"
	cd "$BATS_TEST_TMPDIR" || return
}

# start_as USER: a volunteer of that user's, and a secret that the user could read
start_as() {
	local dir=$FARM/v$1
	mkdir -m 755 "$dir"
	echo "int secret_of_$1[TOPSECRET];" >"$dir/secret"
	chmod 600 "$dir/secret"
	[ "$1" = "$(id -un)" ] || chown "${1/ranged/nobody}" "$dir" "$dir/secret"
	as_user "$1" rccd --store "$dir/store" --listen 127.0.0.1:0 --http 127.0.0.1:0 --jobs 2 --policy dedicated \
		--toolchain-dir "$FARM/toolchain" --toolchain-dir /usr </dev/null >"$dir/out" 2>"$dir/log" 3>&- 4>&- &
	wait_until 5 grep -q '\<listening addr=' "$dir/log" || fail "rccd of $1: $(cat "$dir/log")"
	USERS="$USERS $1"
}
as_user() {
	local user=${1/ranged/nobody} range=$1
	shift
	[ "$user" = "$(id -un)" ] || set -- setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups "$@"
	[ "$range" != ranged ] || set -- unshare --mount "$BASH" -c 'echo nobody:200000:2 >"$0" &&
		mount --bind "$0" /etc/subuid && mount --bind "$0" /etc/subgid && exec "$@"' "$FARM/subids" "$@"
	exec "$@"
}

# send USER NAME PROGRAM ARGUMENT...: stdin as a job's input; its streams are then in ./got
send() {
	local address
	address=$(address_of "$1")
	shift
	rm -rf got
	mkdir got
	python3 "$BATS_TEST_DIRNAME/caller.py" "$address" got "$@" >result || fail "no answer"
	cat result
}
# act USER WORD: what the hostile compiler does
act() {
	[ "$(id -u)" -eq 0 ] || skip "only root can make a toolchain that a volunteer takes"
	send "$1" - "$FARM/toolchain/cc1" -quiet - -o out.s <<<"$2"
}
came() { [ -e "got/stream$1" ]; }
# Nothing of any secret came back, in whatever stream.
kept() { ! grep -rqa TOPSECRET got || fail "it came back: $(grep -ra TOPSECRET got)"; }

# killed_for USER WORD CALL: ended by the system call, and it ended alone
killed_for() {
	act "$1" "$2"
	grep -q "^limit .* system call $3 is not allowed" result || fail "$2: $(cat result got/*)"
	slots_free "$1" || expect_slots_free "$1"
}

@test "the log says as whom jobs run" {
	local user
	for user in $USERS; do
		if [ "$user" = root ]; then
			log_of root | grep -q 'confined as=root uids=64000-64001'
		elif [ "$user" = ranged ]; then
			log_of ranged | grep -q 'confined as=user uids=200000-200001'
		else
			log_of "$user" | grep -q "confined as=user uid=$(id -u "$user") note=\"all jobs are one user: no range"
		fi
	done
}

@test "where a box does not hold, rccd names the step and does not serve" {
	need setpriv
	[ "$(id -u)" -eq 0 ] || skip "takes root, to be without one of its rights"
	run --separate-stderr timeout 10 setpriv --bounding-set=-sys_admin rccd --store "$BATS_TEST_TMPDIR/s" \
		--listen 127.0.0.1:0 --http off
	[ "$status" -eq 2 ]
	grep -q '^rccd: cannot confine jobs (--insecure-no-sandbox serves without): make a network namespace:' <<<"$stderr"
	run --separate-stderr timeout 10 setpriv --bounding-set=-setuid rccd --store "$BATS_TEST_TMPDIR/s" \
		--listen 127.0.0.1:0 --http off
	[ "$status" -eq 2 ]
	grep -q 'become user 64000' <<<"$stderr"
}

@test "a line marker names a secret, and a syntax error would print its line" {
	local user
	for user in $USERS; do
		printf '# 1 "%s"\nint x = ;\n' "$FARM/v$user/secret" | send "$user" - "$(gcc -print-prog-name=cc1)" \
			-fpreprocessed -quiet - -o out.s
		grep -q '^ran exit 1' result
		grep -q 'error: expected expression' got/stream1
		kept
	done
}

@test ".incbin and .include of a secret" {
	local user as
	as=$(readlink -f "$(command -v as)")
	for user in $USERS; do
		printf '.incbin "%s"\n' "$FARM/v$user/secret" | send "$user" a.s "$as" -o out.o a.s
		grep -q '^ran exit 1' result
		kept
		printf '.include "%s"\n' "$FARM/v$user/secret" | send "$user" a.s "$as" -o out.o a.s
		grep -q '^ran exit 1' result
		kept
	done
}

@test "clang: #include of a secret" {
	local user
	need clang
	for user in $USERS; do
		printf '#include "%s"\n' "$FARM/v$user/secret" | send "$user" a.c "$(readlink -f "$(command -v clang)")" \
			-cc1 -emit-obj -o out.o -x c ./a.c
		grep -q '^ran exit 1' result
		grep -q 'file not found' got/stream1
		kept
	done
}

# Else the tests above prove nothing: without a box the secret does come back.
@test "without a box the secret comes back" {
	local as
	as=$(readlink -f "$(command -v as)")
	rccd_start bare --listen 127.0.0.1:0 --http off --insecure-no-sandbox
	printf '.incbin "%s"\n' "$FARM/v$(id -un)/secret" | send bare a.s "$as" -o out.o a.s
	grep -q '^ran exit 0' result
	grep -qa TOPSECRET got/stream3
}

@test "a small source with a huge object" {
	local user
	for user in $USERS; do
		printf '.space 0x40000000\n' | send "$user" a.s "$(readlink -f "$(command -v as)")" -o out.o a.s
		if grep -q '^ran exit 0' result; then fail "$(cat result)"; fi
		if came 3; then fail "it came back"; fi
	done
}

@test "a second process, a signal, a socket, tracing, mounting, another namespace, another user" {
	local user word
	for user in $USERS; do
		for word in bomb:clone kill:kill killall:kill socket:socket local:socket trace:ptrace mount:mount \
			namespace:unshare session:setsid root:setuid "unknown:number 999" thread:mount; do
			killed_for "$user" "${word%%:*}" "${word#*:}"
		done
		wait_until 2 no_boxes || fail "a box is left: $(boxes)"
	done
}

@test "nothing of the host can be seen" {
	local user
	for user in $USERS; do
		act "$user" look
		grep -q '^host rcc$' got/stream0
		# the box, itself, and names that are not numbers
		grep -Eqx 'processes ((self|thread-self|1|2|3) )+' got/stream0 || fail "$(cat got/stream0)"
		if grep opened got/stream0; then false; fi
		grep -q survived got/stream0
	done
}

@test "two jobs at once are two users, where there are users for them" {
	local user
	[ "$(id -u)" -eq 0 ] || skip "only root can make a toolchain that a volunteer takes"
	for user in $USERS; do
		uids_of_two "$user" >uids
		case $user in
		nobody) [ "$(sort -u uids | wc -l)" -eq 1 ] ;;
		ranged) [ "$(sort uids | xargs)" = "200000 200001" ] ;;
		*) [ "$(sort uids | xargs)" = "64000 64001" ] ;;
		esac || fail "$user: $(xargs <uids)"
	done
}
# As the machine sees them, while both run.
uids_of_two() {
	local n pid jobs=()
	for n in 1 2; do
		mkdir -p "two$n"
		(cd "two$n" && act "$1" wait >/dev/null) 3>&- &
		jobs+=($!)
	done
	wait_until 10 two_wait || fail "they do not run: $(waiting)"
	for pid in $(waiting); do stat -c %u "/proc/$pid"; done
	kill -9 $(waiting)
	# a bare wait would wait for the clock of bats as well
	wait "${jobs[@]}" || :
}
waiting() { find /proc -maxdepth 2 -name exe -lname "*$FARM/toolchain/cc1" 2>/dev/null | cut -d/ -f3; }
two_wait() { [ "$(waiting | wc -l)" -eq 2 ]; }

@test "nothing can be written but its own directory" {
	local user
	for user in $USERS; do
		act "$user" write
		[ "$(cat got/stream0)" = "tried
survived" ] || fail "$(cat got/stream0)"
		[ "$(stat -c %a "$FARM/toolchain/cc1")" = 755 ]
	done
}

@test "threads, files and bytes are bounded" {
	local user word
	for user in $USERS; do
		for word in threads files disk; do
			act "$user" "$word"
			grep -q ' few$' got/stream0 || fail "$word: $(cat result got/*)"
		done
	done
}

@test "memory is bounded, however it is held" {
	local word
	[ "$(id -u)" -eq 0 ] || skip "only root can make a toolchain that a volunteer takes"
	rccd_start small --listen 127.0.0.1:0 --http 127.0.0.1:0 --jobs 2 --toolchain-dir "$FARM/toolchain" --toolchain-dir /usr \
		--job-memory 128M
	disown
	for word in memory shared disk; do
		act small "$word"
		grep -q '^limit .*memory: more than 128 MB' result || fail "$word: $(cat result got/*)"
		expect_slots_free small
	done
	kill "$(pid_of small)"
	wait_until 5 dead "$(pid_of small)"
}

@test "a set-user-id file comes back as bytes, a directory not at all" {
	local user
	for user in $USERS; do
		act "$user" setuid
		if ! grep -q '^ran exit 0' result; then grep -q '^limit .*system call' result; fi
		act "$user" directory
		if came 2; then fail "it came back: $(cat got/stream2)"; fi
	done
}

@test "a link in the place of the output is not read, a pipe not made" {
	local user
	for user in $USERS; do
		act "$user" link
		grep -q '^ran exit 0' result
		if came 2; then fail "it came back: $(cat got/stream2)"; fi
		killed_for "$user" device "mknod.*"
	done
}

@test "arguments that read, write or load are refused" {
	local user cc1 word
	cc1=$(gcc -print-prog-name=cc1)
	for user in $USERS; do
		for word in -fplugin=./p.so @args -specs=x -wrapper /etc/passwd -fdump-tree-all=/tmp/x; do
			send "$user" - "$cc1" -quiet "$word" - -o out.s <<<'int x;'
			grep -q "^refused .*${word%%/*}.*is not allowed here" result || fail "$word: $(cat result)"
		done
		send "$user" - "$cc1" -quiet - -o /tmp/out.s <<<'int x;'
		grep -q '^refused' result
	done
}

@test "after all of it: the volunteers serve, and nothing is left" {
	local user
	for user in $USERS; do
		send "$user" - "$(gcc -print-prog-name=cc1)" -fpreprocessed -quiet - -o out.s <<<'int x;'
		grep -q '^ran exit 0' result
		grep -q '\.globl.x' got/stream2
		expect_slots_free "$user"
		wait_until 2 test -z "$(find "$FARM/v$user/store/jobs" -mindepth 1)"
	done
}
