#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154,SC2317
# The first promise: with rcc, everything that a compile leaves behind and says
# is what the bare compiler would have left and said. One test a habit of real
# builds; was_remote where the work must have been done by a volunteer.

load helpers

setup_file() {
	farm_start 2
	warm
}
teardown_file() { farm_stop; }

C=$(installed gcc clang)
CXX=$(installed g++ clang++)

# --- names of sources and objects -------------------------------------------

@test "-c h.c" {
	for cc in $C; do
		same "$cc" -c h.c
		was_remote 1
		made h.o
	done
}

@test "-O2 -Wall -c in C++" {
	for cxx in $CXX; do
		same "$cxx" -O2 -Wall -Wextra -std=c++17 -c h.cc
		was_remote 1
	done
}

@test "cc and c++, whatever they link to" {
	same cc -O2 -c h.c
	was_remote 1
	same c++ -O2 -c h.cc
	was_remote 1
}

@test "versioned and cross-prefixed names" {
	for cc in $(installed x86_64-linux-gnu-gcc gcc-12 clang-14 aarch64-linux-gnu-gcc aarch64-linux-gnu-gcc-12); do
		same "$cc" -O -c h.c
		was_remote 1
	done
}

@test "a compiler named by its path" {
	same "$(command -v gcc)" -c h.c
	was_remote 1
}

@test "-o /abs/h.o -c ../src/h.c" {
	for cc in $C; do
		same_sh "cd build && \$RCC $cc -o \$W/obj/h.o -c ../src/h.c"
		was_remote 1
	done
}

@test "-oh.o, joined" {
	for cc in $C; do
		same "$cc" -c h.c -oobj/other.o
		was_remote 1
	done
}

@test "an object without a suffix, or with an odd one" {
	same gcc -c h.c -o object
	same gcc -c h.c -o h.lo.tmp
	was_remote 1
}

@test "-S" {
	for cc in $C; do
		same "$cc" -O2 -S h.c
		was_remote 1
		made h.s
	done
}

@test "-c -S in either order" {
	for cc in $C; do
		same "$cc" -c -S h.c
		same "$cc" -S -c h.c -o obj/h.s
	done
}

@test "-c -o - and -S -o -" {
	for cc in $C; do
		same "$cc" -c h.c -o -
		same "$cc" -S h.c -o -
	done
}

@test "-E" {
	for cc in $C; do
		same "$cc" -E a.c
		same "$cc" -E -dD h.c -o obj/h.i
	done
}

@test "names with spaces, commas, backslashes, dashes and letters that are not ASCII" {
	extra() {
		local n
		for n in 'my file' 'a,b' 'back\slash' 'größe' '日本' '-dash' 'quo"te' "apo'strophe" 'dollar$HOME' '#hash' 'a:b' 'per%d'; do
			cp h.c "./$n.c"
		done
		mkdir 'with space, and comma'
	}
	same_sh 'for f in *\ * *,* *\\* [!a-z.]*.c gr* quo* apo* dol* per*; do [ ! -f "$f" ] || $RCC gcc -MD -c "./$f" -o "with space, and comma/${f%.c}.o" || exit; done'
	was_remote 11
	made 'with space, and comma/back\slash.o'
	same gcc -c ./-dash.c a:b.c
	for n in 'my file' 'back\slash' '日本'; do
		same clang -MD -c "$n.c"
	done
}

@test "a file name that is not UTF-8" {
	extra() { cp h.c $'\xff\xfe.c'; }
	same gcc -MD -c $'\xff\xfe.c'
	was_remote 1
}

@test "the source is a symlink, and so is a directory on the way" {
	extra() { ln -s src link; ln -s ../h.c src/other.c; }
	same gcc -MD -c link/h.c
	same gcc -MD -c src/other.c
	was_remote 1
}

# --- dependencies -----------------------------------------------------------

@test "-M and -MM" {
	for cc in $C; do
		same "$cc" -M a.c
		same "$cc" -MM a.c -o obj/a.d
	done
}

@test "-MD -c a.c -o obj/a.o writes obj/a.d for obj/a.o" {
	for cc in $C; do
		same "$cc" -MD -c a.c -o obj/a.o
		was_remote 1
		grep -q '^obj/a.o: a.c' "$BATS_TEST_TMPDIR/rcc/tree/obj/a.d"
	done
}

@test "-MMD -MF d/x.d -o obj/a.o" {
	for cc in $C; do
		same "$cc" -MMD -MF d/x.d -o obj/a.o -c a.c
		was_remote 1
	done
}

@test "-MD -MFf -MTt" {
	for cc in $C; do
		same "$cc" -MD -MFf -MTt -c a.c
		was_remote 1
	done
}

@test "-MQ with characters that make minds, -MT twice" {
	same gcc -MD -MQ '$(objdir)/a b.o' -c a.c
	was_remote 1
	same gcc -MD -MT one -MT two -MF f -c a.c
	was_remote 1
}

@test "-MP" {
	for cc in $C; do
		same "$cc" -MMD -MP -c a.c
		was_remote 1
	done
}

@test "-MG with a header that does not exist" {
	extra() { printf '#include "generated.h"\nint g;\n' >g.c; }
	same gcc -MM -MG g.c
	same gcc -MD -MG -c g.c
}

@test "-Wp,-MD,depsfile" {
	for cc in $C; do
		same "$cc" -Wp,-MD,obj/.a.o.d -c a.c -o obj/a.o
		same "$cc" -Wp,-MMD,obj/.a.o.d -c a.c -o obj/a.o
	done
}

@test "DEPENDENCIES_OUTPUT and SUNPRO_DEPENDENCIES" {
	for cc in $C; do
		same_sh "DEPENDENCIES_OUTPUT=deps \$RCC $cc -c a.c"
		same_sh "DEPENDENCIES_OUTPUT='deps target.o' \$RCC $cc -c a.c"
		same_sh "SUNPRO_DEPENDENCIES=deps \$RCC $cc -c a.c"
	done
	same_sh 'DEPENDENCIES_OUTPUT=deps $RCC gcc -c a.c'
	made deps
}

# --- several, none, elsewhere -----------------------------------------------

@test "-c a.c b.c" {
	for cc in $C; do
		same "$cc" -c a.c b.c
		made b.o
	done
}

@test "several sources, one of them wrong" {
	extra() { echo 'int bad = ;' >bad.c; }
	for cc in $C; do
		same "$cc" -c a.c bad.c b.c
	done
}

@test "a source after an object, a link, and both in one command" {
	extra() { gcc -c b.c h.c; }
	same gcc a.c b.o h.o -o program
	same clang a.c b.c h.c
	same gcc -shared -fPIC h.c -o libh.so
}

@test "-DX=quasi.c bar.c -c" {
	for cc in $C; do
		same "$cc" -DX=quasi.c bar.c -c
		was_remote 1
	done
}

@test "-include z.c -c a.c is remote" {
	for cc in $C; do
		same "$cc" -include z.c -c a.c
		was_remote 1
	done
}

@test "'-DMSG=\"hello x\"'" {
	for cc in $C; do
		same "$cc" '-DMSG="hello x"' -c bar.c
		was_remote 1
		same "$cc" -DMSG='"a \"b\" $HOME `c` \\ d\n"' -c bar.c
	done
}

@test "-I, -isystem, -iquote, -idirafter, -I- and a header of the same name" {
	extra() { mkdir i1 i2; echo '#define WHO 1' >i1/who.h; echo '#define WHO 2' >i2/who.h; printf '#include "who.h"\nint w = WHO;\n' >w.c; }
	same gcc -Ii1 -Ii2 -MD -c w.c
	was_remote 1
	same gcc -isystem i2 -idirafter i1 -MD -c w.c
	was_remote 1
	same clang -iquote i2 -Ii1 -MMD -c w.c
	was_remote 1
}

@test "CPATH and C_INCLUDE_PATH" {
	extra() { mkdir i1; echo '#define WHO 1' >i1/who.h; printf '#include <who.h>\nint w = WHO;\n' >w.c; }
	for cc in $C; do
		same_sh "CPATH=i1 \$RCC $cc -MD -c w.c"
		same_sh "C_INCLUDE_PATH=\$W/i1 \$RCC $cc -MD -c w.c"
	done
}

@test "umask 0 gives 0666, umask 077 gives 0600" {
	for cc in $C; do
		same_sh "umask 0; \$RCC $cc -MD -c h.c"
		was_remote 1
		[ "$(stat -c %a "$BATS_TEST_TMPDIR/rcc/tree/h.o")" = 666 ]
		same_sh "umask 077; \$RCC $cc -MD -c h.c"
		was_remote 1
	done
}

@test "-o nodir/a.o fails and makes nothing" {
	for cc in $C; do
		same "$cc" -c a.c -o nodir/a.o
		[ "$(status)" -ne 0 ]
	done
}

@test "-MF nodir/a.d" {
	for cc in $C; do
		same "$cc" -MD -MF nodir/a.d -c a.c
	done
}

@test "-c -fsyntax-only makes nothing" {
	for cc in $C; do
		same "$cc" -c -fsyntax-only a.c
	done
}

@test "a source that does not exist, is a directory, cannot be read" {
	for cc in $C; do
		same "$cc" -c absent.c
		same "$cc" -c src
		same "$cc" -c
		same "$cc"
	done
}

@test "-x c file.txt, -xc, -x none" {
	extra() { cp h.c file.txt; cp h.c file; }
	for cc in $C; do
		same "$cc" -x c -c file.txt
		was_remote 1
		same "$cc" -xc -c file
		was_remote 1
		same "$cc" -x c -c file.txt -x none b.c
	done
	same g++ -x c++ -c file.txt
	was_remote 1
	same gcc -x c++ -c h.c
	was_remote 1
}

@test "C++ by other suffixes: .C .cpp .cxx .CPP .c++" {
	local s
	extra() { local s; for s in C cpp cxx CPP c++; do cp h.cc "h.$s"; done; }
	for s in C cpp cxx CPP c++; do
		same g++ -c "h.$s"
		was_remote 1
	done
	same gcc -c h.cpp
	was_remote 1
}

@test "preprocessed sources: .i and .ii" {
	extra() { gcc -E h.c -o p.i; g++ -E h.cc -o q.ii; }
	same gcc -c p.i
	same g++ -c q.ii
	same gcc -fpreprocessed -c p.i
}

@test "-c file.s and file.S" {
	for cc in $C; do
		same "$cc" -c s.s
		same "$cc" -c u.S
		same "$cc" -MD -DX -c u.S -o obj/u.o
	done
}

@test "-pipe" {
	same gcc -pipe -O2 -c h.c
	was_remote 1
}

@test "@file with quoting" {
	extra() {
		printf '%s\n' '-O2 "-DMSG=\"two  words\"" -c' "'bar.c'" '-o obj/b\ r.o' >args
		printf '%s\n' '@args' '-DX' >outer
	}
	for cc in $C; do
		same "$cc" @args
		was_remote 1
		same "$cc" @outer
		same "$cc" @absent -c h.c
	done
}

@test "a very long command line" {
	same_sh '$RCC gcc $(seq -f "-DNAME_NUMBER_%.0f=a_value_that_is_rather_long" 2000) -c h.c'
	was_remote 1
	[ "$(status)" -eq 0 ]
}

# --- standard input and odd files -------------------------------------------

@test "the source on stdin" {
	for cc in $C; do
		same_sh "\$RCC $cc -x c - -c -o obj/in.o <h.c"
		was_remote 1
		same_sh "\$RCC $cc -xc -S -o - - <h.c"
		same_sh "cat a.c | \$RCC $cc -MD -MF in.d -c -xc - -o in.o"
		was_remote 1
	done
}

@test "other stdin is never read" {
	for cc in $C; do
		same_sh "printf 'one\ntwo\n' | { \$RCC $cc -c h.c; cat; }"
		was_remote 1
		[ "$(out)" = $'one\ntwo' ]
	done
	same_sh "printf 'one\ntwo\n' | { \$RCC gcc -c a.c b.c; \$RCC gcc -fsyntax-only a.c; \$RCC gcc --version >/dev/null; cat; }"
	[ "$(out)" = $'one\ntwo' ]
}

@test "stdin is closed" {
	same_sh '$RCC gcc -c h.c <&-'
	same_sh '$RCC gcc -c h.c <&- >&-'
}

@test "a FIFO is read once, by the compiler" {
	extra() { mkfifo pipe.c; }
	for cc in $C; do
		same_sh "cat h.c >pipe.c & timeout 10 \$RCC $cc -c pipe.c; wait"
		[ "$(status)" -eq 0 ]
	done
}

@test "/dev/fd as a source" {
	for cc in $C; do
		same_sh "\$RCC $cc -x c -c /dev/fd/7 -o h.o 7<h.c"
		same_sh "cat h.c | \$RCC $cc -x c -c /dev/stdin -o h.o"
		same_sh "\$RCC $cc -x c -c <(cat h.c) -o h.o"
	done
}

@test "an included FIFO is read once" {
	extra() { mkfifo pipe.h; echo '#include "pipe.h"' >p.c; }
	same_sh 'cat h.h >pipe.h & timeout 10 $RCC gcc -c p.c; wait'
	[ "$(status)" -eq 0 ]
}

@test "an empty file" {
	extra() { : >e.c; : >e.cc; }
	for cc in $C; do
		same "$cc" -c e.c
		was_remote 1
	done
	same g++ -MD -c e.cc
	was_remote 1
}

@test "a file without a last newline, with NULs, with CRLF" {
	extra() { printf 'int a;' >n.c; printf 'int a;\0int b;\n' >z0.c; printf '#define A \\\r\n 1\r\nint a = A;\r\n' >crlf.c; }
	for cc in $C; do
		same "$cc" -c n.c
		same "$cc" -c z0.c
		same "$cc" -c crlf.c
	done
}

@test "a file of 200,000 lines" {
	extra() { { echo 'const unsigned char blob[] = {'; seq -f '%.0f & 255, 7, 9,' 200000; echo '};'; } >long.c; }
	same gcc -c long.c
	was_remote 1
}

@test "fifty compiles at once" {
	extra() { local i; for ((i = 0; i < 50; i++)); do echo "int f$i(int x) { return x * $i; }" >"p$i.c"; done; }
	same_sh 'seq 0 49 | xargs -P 50 -I{} $RCC gcc -O2 -MD -c p{}.c -o obj/p{}.o'
	was_remote 50
	[ "$(status)" -eq 0 ]
}

# --- options that leave more files, or read them ----------------------------

@test "--coverage" {
	for cc in $C; do
		same "$cc" --coverage -c h.c -o obj/h.o
	done
}

@test "-fprofile-use of a profile that exists, and of one that does not" {
	same gcc -O2 -fprofile-use -c h.c
	same gcc -O2 -fprofile-generate -c h.c
}

@test "-g: locally exact, in text mode the code is the same" {
	for cc in $C; do
		RCC_MODE=auto same "$cc" -g -O2 -c h.c
	done
	extra() { cp h.c g.c; }
	same_sh '$RCC gcc -g -O2 -c g.c && objcopy --strip-debug g.o && rm -rf g.d'
	was_remote 1
}

@test "-g by a compiler that speaks the caller's language" {
	local gcc
	gcc=/usr/share/locale/de/LC_MESSAGES/gcc
	[ -e "$gcc.mo" ] || [ -e "$gcc-$(g++ -dumpversion).mo" ] || skip "this compiler has no German catalogue"
	export LC_ALL=C.UTF-8 LANGUAGE=de
	extra() { echo 'namespace n { using ::__builtin_va_list; } int f() { return 0; }' >n.cc; }
	# the rest of what -g records depends on the mode
	same_sh '$RCC g++ -g -c n.cc && readelf -p .debug_line_str n.o | grep -o eingebaut; rm n.o'
	was_remote 1
	grep -q eingebaut <(out)
}

@test "-gsplit-dwarf" {
	for cc in $C; do
		RCC_MODE=auto same "$cc" -g -gsplit-dwarf -c h.c -o obj/h.o
		made obj/h.dwo
		same_sh "\$RCC $cc -g -gsplit-dwarf -c h.c -o obj/h.o && objcopy --strip-debug obj/h.o && rm obj/*.dwo"
	done
}

@test "-save-temps" {
	for cc in $C; do
		same "$cc" -save-temps -c h.c
		same "$cc" -save-temps=obj -c h.c -o obj/h.o
	done
}

@test "-fstack-usage and -fcallgraph-info" {
	same gcc -fstack-usage -c h.c -o obj/h.o
	made obj/h.su
	same gcc -fcallgraph-info -c h.c
	same clang -fstack-usage -c h.c
}

@test "-fdump-tree, -fopt-info, -ftime-trace" {
	same gcc -O2 -fdump-tree-optimized -c h.c
	same gcc -O2 -fopt-info-all=notes -c h.c
	same_sh '$RCC clang -ftime-trace -c h.c && rm h.json'
}

@test "a precompiled header: making it, using it" {
	for cxx in $CXX; do
		same "$cxx" -x c++-header h.h -o h.h.gch
	done
	extra() { gcc -x c-header h.h -o h.h.gch; }
	same gcc -c h.c
	same gcc -include h.h -Winvalid-pch -c b.c
}

@test "a precompiled header of clang" {
	extra() { clang -x c-header h.h -o h.pch; }
	same clang -include-pch h.pch -c b.c
}

@test "LTO" {
	for cc in $C; do
		same "$cc" -O2 -flto -frandom-seed=1 -c h.c
		same "$cc" -O2 -flto -c h.c
	done
}

@test "-Wa,-alh=file" {
	same gcc -Wa,-alh=obj/h.lst -c h.c
	made obj/h.lst
	same gcc -Wa,-alh -c h.c
	same gcc -Wa,--noexecstack -c h.c
	same gcc -Wa,-MD,as.d -c h.c
}

@test "-march=native and -mcpu=native" {
	for cc in $C; do
		same "$cc" -O2 -march=native -c h.c
		same "$cc" -O2 -mtune=native -c h.c
		same "$cc" -mcpu=native -c h.c
	done
}

@test "-frecord-gcc-switches, -frecord-command-line, -grecord-gcc-switches" {
	same gcc -frecord-gcc-switches -c h.c
	same clang -frecord-command-line -c h.c
	RCC_MODE=auto same gcc -g -grecord-gcc-switches -c h.c
}

@test ".incbin in asm" {
	extra() { printf 'payload' >blob; printf 'asm(".section .rodata\\n.incbin \\"blob\\"\\n.text");\nint i;\n' >i.c; }
	for cc in $C; do
		same "$cc" -c i.c
		grep -q payload "$BATS_TEST_TMPDIR/rcc/tree/i.o"
	done
}

@test "-fplugin, -B, -specs, -wrapper, --sysroot" {
	extra() { mkdir tools; printf '*cc1_options:\n+ -DX\n\n' >specs; }
	same gcc -fplugin=./absent.so -c h.c
	same gcc -B tools -c h.c
	same gcc -specs=specs -c bar.c
	same gcc -wrapper env,A=b -c h.c
	same gcc --sysroot=/nowhere -c b.c
}

@test "-v, -###, --version, -dumpversion, -print-search-dirs, -Q" {
	for cc in $C; do
		same "$cc" '-###' -c h.c
		same "$cc" -v -c h.c
		same "$cc" --version
		same "$cc" -dumpmachine
		same "$cc" -print-search-dirs
		same "$cc" --help
	done
	same gcc -Q --help=warnings
	same_sh '$RCC gcc -Q -c h.c 2>/dev/null'
}

@test "sanitizers, hardening, sections, visibility" {
	same gcc -O2 -fsanitize=address,undefined -c a.c
	same gcc -O2 -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIC -ffunction-sections -fdata-sections -fvisibility=hidden -c a.c
	was_remote 1
	same clang -O2 -fsanitize=address -c a.c
}

@test "-m32 and -mcmodel, -fshort-enums, -std, -ansi -pedantic" {
	same gcc -m32 -c b.c
	same gcc -mcmodel=large -fshort-enums -std=c99 -pedantic -c b.c
	same gcc -ansi -c b.c
}

@test "-ffile-prefix-map and -fdebug-prefix-map" {
	extra() { echo 'const char *f = __FILE__;' >f.c; }
	for cc in $C; do
		same_sh "\$RCC $cc -ffile-prefix-map=\$W=/x -c \$W/f.c"
	done
}

@test "__FILE__, __BASE_FILE__, __INCLUDE_LEVEL__, __LINE__, __COUNTER__, __VA_OPT__" {
	extra() {
		printf '%s\n' '#line 7 "other.c"' 'const char *f = __FILE__, *b = __BASE_FILE__; int l = __LINE__, i = __INCLUDE_LEVEL__,' \
			'c = __COUNTER__, d = __COUNTER__;' >f.c
	}
	for cc in $C; do
		same "$cc" -c f.c
		same_sh "\$RCC $cc -c \$W/f.c"
	done
}

@test "__DATE__ and __TIME__ under SOURCE_DATE_EPOCH; __TIMESTAMP__" {
	extra() {
		printf 'const char *d = __DATE__ " " __TIME__;\n' >date.c
		printf 'const char *t = __TIMESTAMP__;\n' >stamp.c
		touch -d 2001-02-03 stamp.c
	}
	for cc in $C; do
		# older clangs go by the clock all the same
		[ "$cc" = clang ] || same_sh "SOURCE_DATE_EPOCH=1000000000 \$RCC $cc -c date.c"
		same "$cc" -c stamp.c
	done
}

@test "__has_include, #include_next, #pragma once, #include of a macro" {
	extra() {
		mkdir i1
		printf '#pragma once\n#include_next <stddef.h>\n' >i1/stddef.h
		printf '%s\n' '#if __has_include("absent.h")' '#error' '#endif' '#define H "h.h"' '#include H' '#include H' \
			'#include <stddef.h>' 'size_t s;' >p.c
	}
	for cc in $C; do
		same_sh "\$RCC $cc -Ii1 -MD -c p.c 2>&1"
	done
}

@test "#pragma GCC, _Pragma, #ident, #warning" {
	extra() {
		printf '%s\n' '#pragma GCC diagnostic ignored "-Wunused-variable"' '#pragma GCC optimize ("O3")' '#ident "v1"' \
			'_Pragma("pack(1)")' 'struct s { char c; int i; };' 'int size = sizeof(struct s);' >p.c
		printf '#warning careful\nint w;\n' >w.c
	}
	for cc in $C; do
		same "$cc" -Wall -c p.c
		same "$cc" -c w.c
	done
}

# --- diagnostics ------------------------------------------------------------

warns() {
	extra() {
		printf '%s\n' '#define UNUSED_VAR(n) int n' '#define DIV(a, b) ((a) / (b))' 'int f(void)' '{' '	UNUSED_VAR(v);' \
			'	return DIV(1, 0);' '}' >w.c
		printf '%s\n' '#define NOTHING(x) x' 'int g(void) { return NOTHING(undeclared); }' 'int *p = "string";' >e.c
	}
}

@test "a warning is printed once, as the bare compiler prints it" {
	warns
	for cc in $C; do
		same "$cc" -Wall -c w.c
		[ "$(status)" -eq 0 ]
		err | grep -q 'warning:'
	done
}

@test "-Werror on a macro's warning" {
	warns
	for cc in $C; do
		same "$cc" -Wall -Werror -MD -c w.c
		[ "$(status)" -ne 0 ]
		if made w.o; then false; fi
	done
}

@test "errors, with -MD and an object that was there before" {
	warns
	for cc in $C; do
		same_sh "echo old >e.o; \$RCC $cc -MD -c e.c"
		[ "$(status)" -ne 0 ]
		[ -n "$(err)" ]
	done
}

@test "errors in C++ templates and headers" {
	extra() {
		printf 'template <class T> void t(T x) { x.nothing(); }\n' >t.h
		printf '#include <vector>\n#include "t.h"\nvoid f() { std::vector<int> v; t(v); }\n' >t.cc
	}
	for cxx in $CXX; do
		same "$cxx" -Wall -c t.cc
		[ "$(status)" -ne 0 ]
	done
}

@test "-Wmultistatement-macros, -Wmisleading-indentation, -Wunused-macros" {
	extra() {
		printf '%s\n' '#define SWAP(a, b) t = a; a = b; b = t' '#define UNUSED' 'void f(int a, int b, int t)' '{' '	if (a)' '		SWAP(a, b);' \
			'	if (t)' '		a++;' '		b++;' '}' >m.c
	}
	for cc in $C; do
		same "$cc" -Wall -Wextra -Wunused-macros -c m.c
	done
}

@test "-fdiagnostics-format=json, -fdiagnostics-color=always, -fmessage-length=40" {
	warns
	same gcc -Wall -fdiagnostics-format=json -c w.c
	same gcc -Wall -fdiagnostics-color=always -c w.c
	same gcc -Wall -fmessage-length=40 -c w.c
	same clang -Wall -fcolor-diagnostics -c w.c
	same_sh 'GCC_COLORS="warning=01;36" $RCC gcc -fdiagnostics-color=always -Wall -c w.c'
}

@test "-w, -Wno-error, -fmax-errors, -fsyntax-only with errors" {
	warns
	same gcc -w -c w.c
	same gcc -Wall -Werror -Wno-error=unused-variable -c w.c
	same gcc -fmax-errors=1 -c e.c
	same gcc -fsyntax-only e.c
}

@test "an option that no compiler knows" {
	for cc in $C; do
		same "$cc" --no-such-option -c h.c
		same "$cc" -fno-such-thing -c h.c
		same "$cc" -Wno-no-such-warning -c h.c
	done
}

@test "a warning of the driver itself" {
	same gcc -c h.c -lm
	same clang -c h.c -lm
	same clang -c h.c -Wl,--gc-sections -L/x
}

@test "a missing header" {
	extra() { printf '#include "absent.h"\nint a;\n' >m.c; }
	for cc in $C; do
		same "$cc" -MD -c m.c
		[ "$(status)" -ne 0 ]
	done
}

@test "messages in the caller's language" {
	warns
	same_sh 'LC_ALL=de_DE.UTF-8 LANGUAGE=de $RCC gcc -Wall -c w.c'
	same_sh 'LC_ALL=C $RCC gcc -Wall -c e.c'
}

@test "success without diagnostics is one job, done once" {
	same gcc -Wall -O2 -c a.c
	was_remote 1
	expect_counted .jobs.total 1
	expect_counted "$REASONS" 0
}

# --- ends that are not exits ------------------------------------------------

@test "an internal compiler error" {
	need clang
	extra() { printf 'int a;\n#pragma clang __debug crash\n' >crash.c; }
	same clang -c crash.c
	[ "$(status)" -ne 0 ]
	err | grep -q 'PLEASE ATTACH\|Stack dump'
}

@test "a subcommand killed by SIGSEGV" {
	extra() {
		{ printf 'int x = '; head -c 300000 /dev/zero | tr '\0' '('; printf 1; head -c 300000 /dev/zero | tr '\0' ')'; echo ';'; } >deep.c
	}
	same gcc -MD -c deep.c
	[ "$(status)" -ne 0 ]
	err | grep -q 'internal compiler error'
}

@test "a subcommand killed by SIGKILL" {
	extra() { mkdir tools; printf '#!/bin/sh\nkill -9 $$\n' >tools/cc1; chmod +x tools/cc1; }
	same gcc -B tools -c h.c
	[ "$(status)" -ne 0 ]
	err | grep -q 'Killed'
}

@test "an assembler that refuses" {
	extra() { echo 'void f(void) { asm("no such instruction"); }' >asm.c; }
	for cc in $C; do
		same "$cc" -c asm.c
		[ "$(status)" -ne 0 ]
	done
	same_sh 'echo old >asm.o; $RCC gcc -MD -c asm.c'
}

# --- what is no compiler ----------------------------------------------------

@test "false -c x.c and true -c x.c" {
	same false -c h.c
	[ "$(status)" -eq 1 ]
	same true -c h.c
	[ "$(status)" -eq 0 ]
}

@test "any other program is simply run, under its own name" {
	same sh -c 'echo "$0" "$@"; exit 7' gcc -c h.c
	[ "$(status)" -eq 7 ]
	same sh -c 'kill -TERM $$'
	same_sh 'A="b c" $RCC env | grep ^A='
}

@test "a compiler that does not exist, or cannot be run" {
	cd "$BATS_TEST_TMPDIR"
	run -127 --separate-stderr rcc no-such-compiler -c h.c
	[ -z "$output" ]
	[[ $stderr == *no-such-compiler* ]]
	[ "${#stderr_lines[@]}" -eq 1 ]
	echo 'int x;' >plain
	run -126 --separate-stderr rcc ./plain -c h.c
	[[ $stderr == *plain* ]]
	run -127 rcc ./absent/gcc -c h.c
}

@test "make -j, with its jobserver" {
	need make
	extra() {
		printf '%s\n' 'all: a.o b.o h.o' '%.o: %.c' '	+$(RCC) gcc -MMD -c -o $@ $<' 'sub: ; $(MAKE) all' >Makefile
	}
	same_sh 'make -s -j4 RCC="$RCC" sub 2>&1'
	was_remote 3
}
