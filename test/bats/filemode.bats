#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154,SC2317
# The first promise in file mode: the unchanged subcommands on the same files,
# so whatever they leave behind and say is the same, in success and in failure.

load helpers

setup_file() {
	farm_start 2
	export RCC_MODE=file
	warm
}
teardown_file() { farm_stop; }
setup() { [ "$(sandbox)" = "" ] || skip "no confinement here, so no file mode"; }

C=$(installed gcc clang)
CXX=$(installed g++ clang++)

# went N: so many commands ran on a volunteer, in file mode, and none had to run here.
went() {
	was_remote "$1"
	expect_counted .file_mode.jobs "$1"
	expect_counted "$REASONS // 0" 0
}

# --- every kind of compile ---------------------------------------------------

@test "options that text mode cannot take" {
	local o
	for o in "-O2 -g" "-O0 -g3" "-gsplit-dwarf" "-ffunction-sections -flto -frandom-seed=1" "--coverage -frandom-seed=1" \
		"-save-temps=obj" "-fdiagnostics-color=always" "-Wall -Wextra" "-fverbose-asm -S" "-MMD -MP" "-pipe -g"; do
		for cc in $C; do
			case "$cc $o" in clang*-frandom-seed*) o=${o% -frandom-seed=1} ;; esac
			# shellcheck disable=SC2086
			same_sh "\$RCC $cc $o -c -o obj/a.o a.c"
			went 1
		done
	done
}

@test "C++ with debug information" {
	for cxx in $CXX; do
		same_sh "\$RCC $cxx -O1 -g -std=c++17 -MMD -c -o obj/h.o h.cc"
		went 1
	done
}

@test "files beside the object, of gcc" {
	same gcc -O2 -g -fstack-usage -fdump-tree-optimized -fcallgraph-info -aux-info protos -c a.c -o obj/a.o
	went 1
	same gcc -O2 -Wa,-aln=obj/a.lst -c a.c -o obj/a.o
	went 1
}

@test "files beside the object, of clang" {
	need clang
	same clang -O2 -g -fsave-optimization-record --serialize-diagnostics obj/a.dia -c a.c -o obj/a.o
	went 1
}

@test "assembler sources, with what they include" {
	extra() { printf '%s\n' '	.include "more.s"' '	.incbin "raw"' >i.s; echo '	.long 7' >more.s; printf 'abc\377' >raw; }
	for cc in $C; do
		same "$cc" -c s.s
		went 1
		same "$cc" -DX -c u.S
		went 1
		same "$cc" -g -c i.s
		went 1
	done
}

@test "several sources in one command" {
	for cc in $C; do
		same "$cc" -g -c a.c b.c
		was_remote 1
	done
}

@test "what one source said on stdout is said once, though the next one fails" {
	extra() { echo 'int g( {' >bad.c; }
	need gcc
	same gcc -O2 -fdump-tree-optimized=stdout -c a.c bad.c
	[ -n "$(out)" ]
}

@test "what is written through, and what is replaced" {
	extra() {
		echo old >a.o && ln a.o hard && chmod 755 a.o
		echo old >a.d && ln -s a.d link.d && chmod 600 a.d
		ln -s nowhere b.o
	}
	for cc in $C; do
		same "$cc" -c a.c -MD -MF a.d
		went 1
		# to names that the command does not give
		same "$cc" -c a.c -MD -MF link.d
		same "$cc" -c b.c
	done
}

@test "each umask" {
	for mask in 022 002 077; do
		same_sh "umask $mask; \$RCC gcc -g -MD -c a.c"
		went 1
	done
}

# --- what it says --------------------------------------------------------------

warns() {
	printf '%s\n' '#define MAX(a, b) ((a) > (b) ? (a) : (b))' '#include "w.h"' 'int f(int a, unsigned b) { int unused; return MAX(a, b); }' >w.c
	printf '%s\n' 'static int g(void) { int i; return i; }' >w.h
	printf '%s\n' 'int f(void) { return missing; }' '#include "not-there.h"' >bad.c
	printf '%s\n' 'int f(void) {' '	return 1' '}' >syntax.c
}

@test "warnings, with caret lines and notes of macros" {
	extra() { warns; }
	for cc in $C; do
		same "$cc" -Wall -Wextra -O2 -c w.c
		went 1
		same "$cc" -Wall -Wextra -fdiagnostics-color=always -c w.c
		went 1
		[ -n "$(err)" ]
	done
}

@test "failures: words, status, and what is left" {
	extra() { warns; echo old >bad.o; echo old >syntax.o; }
	for cc in $C; do
		same "$cc" -MD -c bad.c
		[ "$(status)" = 1 ]
		went 1
		same "$cc" -c syntax.c -o syntax.o
		went 1
		same "$cc" -S syntax.c -o syntax.o
		went 1
		same "$cc" -Wall -Werror -c w.c
		went 1
	done
}

@test "the assembler's words" {
	extra() { printf 'f:\n\tnonsense\n' >n.s; echo 'void f(void) { __asm__("nonsense"); }' >n.c; echo '__asm__(".warning \"hm\"");' >odd.c; }
	for cc in $C; do
		same "$cc" -c n.s
		went 1
		same "$cc" -c n.c -o n.o
		went 1
	done
	# of the file between two steps, whose name shows
	same gcc -pipe -c odd.c
	was_local diagnostics
}

@test "stdout and stderr in one file, both used: compiled here" {
	extra() { warns; }
	same_sh '$RCC gcc -Wall -Wextra -fdump-statistics -Q -c w.c 2>&1 | sed "s/[0-9.]*//g" | sort | uniq | head -n 3'
}

# --- the preprocessor's corners --------------------------------------------------

@test "__has_include, X macros, links, and the order of directories" {
	extra() {
		mkdir -p i1 i2 real && ln -s real linked
		printf '%s\n' '#if __has_include("never.h")' '#error' '#endif' '#if __has_include("x.def")' 'int has;' '#endif' \
			'#define X(n) int a##n;' '#include "x.def"' '#undef X' '#define X(n) int b##n;' '#include "x.def"' \
			'#include "both.h"' '#include "linked/l.h"' >p.c
		echo 'X(1) X(2)' >x.def
		echo 'int one;' >i1/both.h; echo 'int two;' >i2/both.h; echo '#include "../h.h"' >real/l.h
	}
	for cc in $C; do
		same "$cc" -g -MD -Ii1 -Ii2 -c p.c
		went 1
		same "$cc" -g -MD -Ii2 -Ii1 -c p.c
		went 1
	done
}

@test "precompiled headers, made and used" {
	for cc in $C; do
		same_sh "\$RCC $cc -O1 -x c-header h.h -o h.h.pch.$cc && echo made"
		went 1
	done
	same_sh '$RCC gcc -O1 h.h && $RCC gcc -O1 -g -c h.c'
	went 2
}

@test "a module of C++20, built and imported" {
	extra() { printf '%s\n' 'export module m;' 'export int f() { return 3; }' >m.cc; printf '%s\n' 'import m;' 'int g() { return f(); }' >u.cc; }
	export SOURCE_DATE_EPOCH=1700000000	# gcc's modules hold the time
	same_sh '$RCC g++ -std=c++20 -fmodules-ts -c m.cc && $RCC g++ -std=c++20 -fmodules-ts -c u.cc'
	went 2
	need clang++
	same_sh '$RCC clang++ -std=c++20 -x c++-module --precompile m.cc -o m.pcm &&
		$RCC clang++ -std=c++20 -fmodule-file=m.pcm -c u.cc'
	went 2
}

# --- what changes between two builds, and during one -------------------------------

# Runs both parts in each world, so that the second is known from before.
@test "a header that appears, and shadows another" {
	extra() { mkdir -p i1 i2; echo 'int v = 2;' >i2/v.h; printf '#include "v.h"\n' >v.c; }
	same_sh '$RCC gcc -Ii1 -Ii2 -g -c v.c && cp v.o first.o && echo "int v = 1;" >i1/v.h && $RCC gcc -Ii1 -Ii2 -g -c v.c'
	went 2
}

@test "a header that goes, and one that is edited at the same size and time" {
	extra() { echo 'int v = 2;' >v.h; printf '#include "v.h"\n' >v.c; }
	same_sh '$RCC gcc -g -c v.c && cp v.o first.o && echo "int v = 3;" >v.h && touch -d @1700000000 v.h && $RCC gcc -g -c v.c &&
		cp v.o second.o && rm v.h && $RCC gcc -g -c v.c'
	[ "$(status)" = 1 ]
	went 3
}

# What the first build saw of it a moment before is believed until the first job of the second one ends.
@test "a header that is edited between two builds, within the second" {
	extra() {
		printf 'int v = 2;\n' >v.h
		touch -d @1700000000 v.h
		for u in 1 2 3 4; do printf '#include "v.h"\nint u%d;\n' $u >u$u.c; done
	}
	same_sh 'all() { pids=; for u in 1 2 3 4; do $RCC gcc -g -c u$u.c & pids="$pids $!"; done; for p in $pids; do wait $p || return; done; }
		all && all && echo "int v = 3;" >v.h && all'
	went 12
}

@test "a header that goes while it is taken to be there, on a volunteer that has it not" {
	extra() {
		printf 'int v = 2;\n' >v.h
		touch -d @1700000000 v.h
		printf '#include "v.h"\n' >v.c
	}
	same_sh 'export RCC_HOSTS='"$(address_of 1)"' && $RCC gcc -g -c v.c && $RCC gcc -g -c v.c && rm v.h &&
		RCC_HOSTS='"$(address_of 2)"' && $RCC gcc -g -c v.c'
	[ "$(status)" = 1 ]
	went 3
}

@test "a second build asks nothing, and sends little" {
	rm -rf "$W" && mkdir "$W" && cd "$W" && sources
	RCC_HOSTS=$(address_of 1)
	rcc gcc -O1 -g -c a.c
	remember
	rcc gcc -O1 -g -c a.c
	went 1
	expect_counted .file_mode.questions 0
	expect_counted .file_mode.contents 0
	[ "$(counted .bytes.sent)" -lt 4096 ] || fail "sent $(counted .bytes.sent)"
}

@test "an output of last time that is read after all" {
	same_sh 'one() { $RCC gcc -MD -MF a.d -MT // -c a.c -o a.o; }; echo "int x;" >a.c && one && one &&
		printf "#include \"a.d\"\nint y;\n" >a.c && one'
	went 3
	[ "$(status)" = 0 ]
}

# --- what file mode cannot do ---------------------------------------------------

@test "what only works here is compiled here" {
	extra() { echo '#include "/proc/cpuinfo"' >proc.c; printf '#if __has_include("/sys/kernel/mm")\nint sys;\n#endif\n' >sys.c; }
	same gcc -c proc.c
	was_local files-unfit
	same gcc -c sys.c
	was_local files-unfit
	same_sh 'echo "int x;" | $RCC gcc -x c - -c -o x.o'
	was_local input-odd
}

@test "nothing runs in file mode where it is not offered" {
	local hosts=$RCC_HOSTS
	rccd_start plain --insecure-no-sandbox --listen 127.0.0.1:0 --http off
	RCC_HOSTS=$(address_of plain)
	same gcc -g -c a.c
	was_local no-candidate
	RCC_MODE=auto same gcc -g -c a.c
	was_local debug-info
	RCC_HOSTS=$hosts
	kill "$(pid_of plain)"
	wait_until 5 dead "$(pid_of plain)"
}

@test "a directory that is named by a link" {
	extra() { mkdir real && cp a.c h.h real && ln -s real named; }
	for cc in $C; do
		same "$cc" -g -MD -c named/a.c -o named/a.o
		went 1
		same_sh "cd named && \$RCC $cc -g -MD -c \$W/named/a.c -o \$W/named/a.o"
		went 1
	done
}
