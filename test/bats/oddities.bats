#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154,SC2317
# File mode where files are odd, change under the job, or somebody is killed:
# the bare compiler's result on what is there in the end, and its status.

load helpers

setup_file() {
	farm_start 1
	export RCC_MODE=file
	export -f ours boxes box_processes below jobs_left compilers on_way wait_until
	warm
}
teardown_file() { farm_stop; }
setup() { [ "$(sandbox)" = "" ] || skip "no confinement here, so no file mode"; }

went() {
	was_remote "$1"
	expect_counted "$REASONS // 0" 0
}

# A source that takes a second, and includes h.h.
slow() { { echo '#include "h.h"'; slow_source "${1:-160}"; } >slow.c; }

# during CHANGE: a compile of slow.c in whose middle the change happens, against a
# bare compile after the change. The compiler has read all by then, and is held.
during() {
	same_sh 'change() { '"$1"'
		}
		if [ -z "$RCC" ]; then change; gcc -Ii1 -Ii2 -O2 -g -MD -c slow.c; exit; fi
		{ wait_until 10 on_way; sleep 0.1; p=$(compilers); kill -STOP $p; change; kill -CONT $p; } >&2 &
		changer=$!
		$RCC gcc -Ii1 -Ii2 -O2 -g -MD -c slow.c; s=$?; wait $changer; exit $s'
}

# --- files that change during a job -----------------------------------------------

@test "a header is rewritten, replaced, or loses its contents while the job runs" {
	extra() { slow; }
	during 'echo "struct pair { char z; };" >h.h'
	went 1
	expect_counted .file_mode.run_again 1
	during 'echo "struct pair { long w; };" >new; mv new h.h'
	went 1
	expect_counted .file_mode.run_again 1
	during ': >h.h'
	went 1
	expect_counted .file_mode.run_again 1
}

@test "a header is edited to the same size and time while the job runs" {
	extra() { slow; }
	during 'sed -i "s/a, b/c, d/" h.h; touch -d @1700000000 h.h'
	went 1
	expect_counted .file_mode.run_again 1
}

@test "a header, or the source, is deleted while the job runs" {
	extra() { slow; }
	during 'rm h.h'
	[ "$(status)" -eq 1 ]
	expect_counted .file_mode.run_again 1
	during 'rm slow.c'
	[ "$(status)" -eq 1 ]
}

@test "the source is replaced while the job runs" {
	extra() { slow; }
	during 'echo "int other;" >slow.c'
	went 1
	expect_counted .file_mode.run_again 1
}

@test "a header appears in an earlier directory while the job runs" {
	extra() { slow; mkdir i1 i2; mv h.h i2; }
	during 'echo "struct pair { short s; };" >i1/h.h'
	went 1
	expect_counted .file_mode.run_again 1
}

@test "generated headers, rewritten by a parallel build" {
	need make
	extra() {
		local i j
		{
			echo 'all: a0.o a1.o a2.o a3.o a4.o a5.o a6.o a7.o b0.o b1.o b2.o b3.o b4.o b5.o b6.o b7.o'
			printf '\t@true\n'
			for ((i = 0; i < 8; i++)); do
				# the same header is made anew between two that include it
				printf 'g%d.h: in\n\t@echo "int g%d = 1;" >$@\n' "$i" "$i"
				printf 'a%d.o: a%d.c g%d.h\n\t@$(RCC) gcc -g -c a%d.c\n' "$i" "$i" "$i" "$i"
				printf 'b%d.o: b%d.c a%d.o\n\t@echo "int g%d = 2; int more;" >g%d.h\n\t@$(RCC) gcc -g -c b%d.c\n' "$i" "$i" "$i" "$i" "$i" "$i"
			done
		} >Makefile
		echo 1 >in
		for ((i = 0; i < 8; i++)); do
			for j in a b; do printf '#include "g%d.h"\n#include "h.h"\n' "$i" >"$j$i.c"; done
		done
	}
	same_sh 'if [ -n "$RCC" ]; then make -s -j4 RCC="$RCC"; else make -s; fi'
	[ "$(status)" -eq 0 ]
	expect_counted .jobs.total 16
}

# --- odd files ----------------------------------------------------------------------

@test "odd names: spaces, newlines, bytes that are no UTF-8, 255 bytes, case" {
	extra() {
		local long
		printf -v long '%0251d.h' 7
		mkdir $'a dir' $'\377\376' $'n\nl'; echo 'int nl;' >$'n\nl/nl.h'; echo '#include "nl.h"' >nl.c
		echo 'int s;' >$'a dir/sp ace.h'; echo 'int u;' >$'\377\376/\200.h'
		echo 'int l;' >"${long:1}1"; echo 'int lower;' >case.h; echo 'int upper;' >Case.h
		printf '#include "%s"\n' $'sp ace.h' $'\200.h' "${long:1}1" case.h Case.h >odd.c
		cp odd.c $'o\ndd.c'
	}
	for cc in gcc $(installed clang); do
		same "$cc" -g -MD $'-Ia dir' $'-I\377\376' -c odd.c
		[ "$(status)" -eq 0 ]
		went 1
	done
	same gcc -g $'-Ia dir' $'-I\377\376' -c $'o\ndd.c' -o odd.o
	[ "$(status)" -eq 0 ]
	same gcc -g $'-In\nl' -c nl.c
	[ "$(status)" -eq 0 ]
}

@test "mtimes in the future, in 1970, equal, without nanoseconds" {
	extra() {
		local i
		for i in 1 2 3 4; do printf '#pragma once\nint t%d;\n' "$i" >"t$i.h"; done
		touch -d 2105-01-01 t1.h; touch -d @0 t2.h; touch -d @1500000000 t3.h t4.h
		printf '#include "t%d.h"\n' 1 2 3 4 >t.c
		echo 'const char *stamp = __TIMESTAMP__;' >stamp.c
		touch -d @1600000000 t.c stamp.c
	}
	same gcc -g -c stamp.c
	expect_counted .jobs.total 1
	same_sh '$RCC gcc -g -MD -c t.c && cp t.o first.o && echo "int z3;" >t3.h && touch -d @1500000000 t3.h && $RCC gcc -g -MD -c t.c'
	[ "$(status)" -eq 0 ]
	went 2
}

@test "hard links, and two files of the same contents, with #pragma once" {
	extra() {
		printf '#pragma once\nint here;\nenum { N = __COUNTER__ };\n' >one.h
		ln one.h two.h
		printf '#include "one.h"\n#include "two.h"\n' >links.c
		printf '#pragma once\nstatic int k = __COUNTER__;\n' >p.h; mkdir sub; cp -p p.h sub/p.h
		touch -d @1700000000 p.h sub/p.h
		printf '#include "p.h"\n#include "sub/p.h"\n' >copies.c
	}
	for cc in gcc $(installed clang); do
		same "$cc" -g -MD -c links.c
		went 1
		same "$cc" -g -MD -c copies.c
		went 1
	done
}

@test "a source by a link, a loop of links, a dangling one, an empty header" {
	extra() {
		ln -s loop1 loop2; ln -s loop2 loop1; ln -s /nowhere/at/all.h dangling.h; : >empty.h
		ln -s src/../a.c by-link.c; ln -s . again
		printf '#include "loop1"\n' >loop.c; printf '#include "dangling.h"\n' >dangling.c
		printf '#include "empty.h"\n#include "again/again/again/h.h"\nint e;\n#if __has_include("loop1/x.h")\nint l;\n#endif\n' >empty.c
	}
	for cc in gcc $(installed clang); do
		for f in by-link loop dangling empty; do
			same "$cc" -g -MD -c $f.c
			went 1
		done
	done
}

@test "200 directories deep, and an absolute path" {
	extra() {
		local deep i
		for ((i = 0; i < 200; i++)); do deep+=deep/; done
		mkdir -p "$deep"; cp h.h "$deep/deep.h"
		printf '#include "%sdeep.h"\n' "$deep" >rel.c; printf '#include "%s/%sdeep.h"\n' "$W" "$deep" >abs.c
	}
	for f in rel abs; do
		same gcc -g -MD -c $f.c
		[ "$(status)" -eq 0 ]
		expect_counted .jobs.total 1
	done
}

@test "a directory of 50,000 entries in the include path" {
	mkdir "$BATS_TEST_TMPDIR/many"
	(cd "$BATS_TEST_TMPDIR/many" && seq -f 'e%.0f.h' 50000 | xargs touch && echo 'int e;' >e49999.h)
	extra() { printf '#include "e49999.h"\n#include "h.h"\n#if __has_include("e50001.h")\n#error\n#endif\n' >m.c; }
	same gcc -g -I"$BATS_TEST_TMPDIR/many" -c m.c
	[ "$(status)" -eq 0 ]
	went 1
	rm -r "$BATS_TEST_TMPDIR/many"
}

@test "a source of 30 MB" {
	extra() { { echo '#include "h.h"'; yes '// a comment of some length, which is all there is in most of this file, line by line' | head -c 30000000; printf '\nint big;\n'; } >big.c; }
	same gcc -g -c big.c
	[ "$(status)" -eq 0 ]
	rm -rf "$BATS_TEST_TMPDIR"/{bare1,bare2,rcc}
}

@test "a FIFO or a device as header" {
	extra() { mkfifo f.h; printf '#include "f.h"\nint after;\n' >f.c; printf '#include "/dev/null"\nint n;\n' >null.c; }
	same_sh 'echo "int from;" >f.h & p=$!; $RCC gcc -c f.c; s=$?; wait $p; exit $s'
	[ "$(status)" -eq 0 ]
	was_remote 0
	same gcc -g -c null.c
	[ "$(status)" -eq 0 ]
}

# --- odd places -----------------------------------------------------------------------

@test "the working directory is gone, or the output's is, or is read-only, or the output is a directory" {
	extra() { mkdir taken.o gone ro; cp a.c h.h ro; chmod 555 ro; }
	same_sh 'cd gone && rmdir ../gone && $RCC gcc -g -c $W/a.c -o $W/gone.o'
	same gcc -g -MD -c a.c -o none/a.o
	[ "$(status)" -eq 1 ]
	same gcc -g -c a.c -o taken.o
	[ "$(status)" -eq 1 ]
	same_sh 'cd ro && $RCC gcc -g -MD -c a.c'
}

@test "umask 0777" {
	same_sh 'umask 777; $RCC gcc -g -MD -c a.c'
	was_local debug-info	# no volunteer is blamed for what it could not read, and as text it would differ
}

# As somebody else than root, who has no agent of ours: one of his own.
as_user() {
	[ "$(id -u)" -eq 0 ] || skip 'only root can be somebody else'
	need setpriv
	mkdir -m 700 "$FARM/user"
	chown 64001:64001 "$FARM/user"
	chmod 755 "$FARM" "$FARM/bin"
	chmod 711 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/* "$BATS_TEST_TMPDIR"
	export USER_DO="setpriv --reuid=64001 --regid=64001 --clear-groups env HOME=$FARM/user RCC_RUNTIME_DIR=$FARM/user"
}

@test "permission denied for the caller: a header, a directory, where it starts" {
	as_user
	extra() {
		mkdir shut unread; echo 'int s;' >shut/s.h; cp a.c h.h unread; echo 'int d;' >denied.h; chmod 0 denied.h
		chmod 666 h.h; chmod 711 unread; chmod 777 .
		printf '#include "denied.h"\n' >denied.c; printf '#include "s.h"\n' >shut.c; chown -R 64001 .; chown 0 denied.h shut; chmod 700 shut
		chmod 777 "$BATS_TEST_TMPDIR/tmp"
	}
	as_user_rcc() { same_sh "export D=\"$USER_DO\"; $1"; }
	as_user_rcc '$D $RCC gcc -g -c denied.c'
	[ "$(status)" -eq 1 ]
	[[ $(err) == *denied* ]]
	as_user_rcc '$D $RCC gcc -g -Ishut -I. -c shut.c'
	[ "$(status)" -eq 1 ]
	as_user_rcc 'chown 64002 unread; cd unread && $D $RCC gcc -g -c a.c -o ../a.o'
	[ "$(status)" -eq 0 ]
	setpriv --reuid=64001 --regid=64001 --clear-groups env "RCC_RUNTIME_DIR=$FARM/user" "HOME=$FARM/user" rcc --stats --json >"$FARM/user/stats"
	[ "$(jq .jobs.remote "$FARM/user/stats")" -ge 1 ]
	setpriv --reuid=64001 --regid=64001 --clear-groups env "RCC_RUNTIME_DIR=$FARM/user" "HOME=$FARM/user" rcc --stop-agent
}

@test "the disk is full" {
	[ "$(id -u)" -eq 0 ] || skip 'mounting a small file system takes root'
	mkdir "$FARM/full"
	mount -t tmpfs -o size=64k none "$FARM/full" 2>/dev/null || skip 'this container may not mount'
	extra() { rm -rf "$FARM"/full/*; echo 'const unsigned char blob[300000] = { 1 };' >big.c; }
	same_sh '$RCC gcc -g -c big.c -o $FARM/full/big.o; s=$?; ls -A $FARM/full; exit $s' || { umount "$FARM/full"; false; }
	umount "$FARM/full"
	[ "$(status)" -ne 0 ]
}

# --- private files ----------------------------------------------------------------------

@test "a file that only its owner may read travels only from where the command looks" {
	mkdir -p "$FARM/secret"
	echo 'int secret;' >"$FARM/secret/s.h"
	chmod 600 "$FARM/secret/s.h"
	extra() { chmod 600 h.h a.c; printf '#include "%s"\n' "$FARM/secret/s.h" >s.c; }
	same gcc -g -c a.c
	went 1
	same gcc -g -c s.c
	was_local files-unfit
	same gcc -g -I"$FARM/secret" -c s.c
	went 1
	# and nobody is told of it because of that one, nor kept here
	same gcc -O1 -g -c b.c
	went 1
}

# --- somebody is killed --------------------------------------------------------------------

# killed WHO: at a moment when the compiler runs on the volunteer, which is held there
killed() {
	extra() { slow 300; }
	same_sh '[ -z "$RCC" ] || { wait_until 10 on_way; kill -STOP $(compilers); kill -9 '"$1"'; } 2>/dev/null &
		killer=$!; $RCC gcc -O2 -g -MD -c slow.c; s=$?; wait $killer; exit $s'
	[ "$(status)" -eq 0 ]
	wait_until 5 no_jobs_left
}

@test "kill -9 of the agent during a job" {
	killed '$(ours rcc-agent)'
	# nothing was asked of the wrapper yet: it asks a new agent
	went 1
	expect_slots_free 1
	wait_until 5 warm_once
}

@test "kill -9 of the box, and of the compiler, during a job" {
	killed '$(boxes)'
	one_reason 'box-failed|server-lost|job-killed'
	expect_slots_free 1
	killed '$(compilers)'
	one_reason job-killed
	expect_slots_free 1
	same gcc -g -c a.c
	went 1
}

@test "kill -9 of the volunteer during a job" {
	local hosts=$RCC_HOSTS
	RCC_HOSTS=
	volunteer mortal
	warm
	killed "$(pid_of mortal)"
	one_reason server-lost
	RCC_HOSTS=$hosts
}

@test "RCC_FALLBACK=0: each of these is an error that says so, and leaves no object" {
	local hosts=$RCC_HOSTS who
	RCC_HOSTS=
	volunteer stern
	mkdir "$W" && cd "$W" && sources && slow
	for who in '$(boxes)' '$(compilers)' "$(pid_of stern)"; do
		warm	# and until it is no longer left alone for the last failure
		# shellcheck disable=SC2086
		{ wait_until 10 on_way; eval "kill -STOP \$(compilers); kill -9 $who"; } &
		killer=$!
		RCC_FALLBACK=0 run -122 --separate-stderr rcc gcc -O2 -g -MD -c slow.c
		wait $killer
		[ -z "$output" ]
		[ "${#stderr_lines[@]}" -eq 1 ]
		[[ $stderr == rcc:* ]]
		[ ! -e slow.o ]
		[ ! -e slow.d ]
		wait_until 5 no_jobs_left
	done
	RCC_HOSTS=$hosts
}

# --- two callers -------------------------------------------------------------------------

@test "two agents miss the same files at one volunteer at once" {
	mkdir -m 700 "$FARM/run2"
	extra() {
		local i
		for i in 1 2 3 4 5 6; do { echo "#pragma once"; seq -f "int n${i}_%.0f_$RANDOM;" 500; } >n$i.h; done
		printf '#include "n%d.h"\n' 1 2 3 4 5 6 >n.c
		cp n.c m.c
	}
	# the same words in all three worlds, but never seen by the volunteer
	RANDOM=17
	mkdir "$BATS_TEST_TMPDIR/made" && (cd "$BATS_TEST_TMPDIR/made" && extra)
	extra() { cp -p "$BATS_TEST_TMPDIR"/made/* .; }
	same_sh '$RCC gcc -g -c n.c & one=$!; RCC_RUNTIME_DIR=$FARM/run2 $RCC gcc -g -c m.c; s=$?; wait $one && exit $s'
	[ "$(status)" -eq 0 ]
	went 1
	[ "$(RCC_RUNTIME_DIR=$FARM/run2 rcc --stats --json | jq .jobs.total)" -eq 1 ]
	RCC_RUNTIME_DIR=$FARM/run2 rcc --stop-agent
}
