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

# The compilers that run in boxes.
compilers() {
	local p
	for p in $(jobs_left); do
		case $(readlink "/proc/$p/exe") in */cc1) echo "$p" ;; esac
	done
}
on_way() { [ -n "$(compilers)" ]; }

# A source that takes half a second, and includes h.h.
slow() { { echo '#include "h.h"'; slow_source 40; } >slow.c; }

# during CHANGE: a compile of slow.c in whose middle the change happens, against a
# bare compile after the change. The compiler has read all by then, and is held.
during() {
	same_sh 'change() { '"$1"'
		}
		if [ -z "$RCC" ]; then change; gcc -Ii1 -Ii2 -O2 -g -MD -c slow.c; exit; fi
		{ wait_until 10 on_way; sleep 0.2; p=$(compilers); kill -STOP $p; change; kill -CONT $p; } >&2 &
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
				printf 'g%d.h: in\n\t@echo "int g%d = 1;" >$@\n' $i $i
				printf 'a%d.o: a%d.c g%d.h\n\t@$(RCC) gcc -g -c a%d.c\n' $i $i $i $i
				printf 'b%d.o: b%d.c a%d.o\n\t@echo "int g%d = 2; int more;" >g%d.h\n\t@$(RCC) gcc -g -c b%d.c\n' $i $i $i $i $i $i
			done
		} >Makefile
		echo 1 >in
		for ((i = 0; i < 8; i++)); do
			for j in a b; do printf '#include "g%d.h"\n#include "h.h"\n' $i >$j$i.c; done
		done
	}
	same_sh 'if [ -n "$RCC" ]; then make -s -j4 RCC="$RCC"; else make -s; fi'
	[ "$(status)" -eq 0 ]
	expect_counted .jobs.total 16
}
