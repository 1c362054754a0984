#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154,SC2317
# A job in file mode sees its caller's files, and what it does to them comes
# back: the compilers' own programs, run in such a root and outside of it, leave
# and say the same. No daemons: see view.c.

load helpers

VIEW=$PROGRAMS/test/bats/view
T=$BATS_FILE_TMPDIR/toolchain

setup_file() {
	local p

	clean_environment
	mkdir -p "$T"/{proc,dev,job,etc} "$BATS_FILE_TMPDIR/blobs"
	touch "$T"/dev/{null,zero,urandom}
	for p in sh stat cat ls mv rm cp mkdir rmdir ln chmod touch readlink test sleep as; do
		add_program "$(type -P "$p")"
	done
	for p in cc1 cc1plus; do
		add_program "$(gcc -print-prog-name=$p)"
	done
	if command -v clang; then add_program "$(clang -print-prog-name=clang)"; fi
	without_selinux
	cp /etc/ld.so.cache "$T/etc"
	for p in /bin /lib /lib64; do
		[ ! -L "$p" ] || [ -e "$T$p" ] || cp -P "$p" "$T$p"
	done
}

setup() {
	clean_environment
	mkdir -p "$W" "$BATS_TEST_TMPDIR/out"
	chmod 777 "$BATS_TEST_TMPDIR/out"
	cd "$W" || return
	view -- /bin/sh -c : || skip "no root of this kind here: $(view -- /bin/sh -c : 2>&1)"
}

# The library that ls and such have looks into /proc at their start, which ends a job. No compiler has it.
without_selinux() {
	local lib source

	source='int is_selinux_enabled(void) { return 0; } int getfilecon(void) { return -1; } int lgetfilecon(void) { return -1; }
		void freecon(char *s) { (void)s; }'
	for lib in $(find "$T" -name 'libselinux.so.1' -type f); do
		gcc -shared -fPIC -x c - -o "$lib" -Wl,-soname,libselinux.so.1 \
			-Wl,--version-script=<(echo 'LIBSELINUX_1.0 { *; };') <<<"$source"
	done
}

# A link on the way is a file of the toolchain as well.
add_file() {
	local real

	real=$(realpath "$1")
	mkdir -p "$T${real%/*}"
	[ -e "$T$real" ] || cp -p "$real" "$T$real"
	[ ! -L "$1" ] || { real=$(realpath "${1%/*}")/${1##*/} && mkdir -p "$T${real%/*}" && cp -Pp "$1" "$T$real"; }
}

add_program() {
	local lib

	[ -n "$1" ] || return 0
	add_file "$1"
	for lib in $(ldd "$1" | grep -o '/[^ ]*'); do
		add_file "$lib"
	done
}

view() {
	"$VIEW" -u 64000 -o "$BATS_TEST_TMPDIR/out" "${OPTIONS[@]}" "$T" "$BATS_FILE_TMPDIR/blobs" "${@:2}"
}

# What an agent would do with the changes.
apply() {
	local number kind path mode size kept target

	while read -r number kind path mode size kept target; do
		case $kind$kept in
		gone*) rm -rf "$path" ;;
		dir*) mkdir "$path" && chmod "$mode" "$path" ;;
		link*) ln -sfn "$target" "$path" ;;
		filekept) cat "$BATS_TEST_TMPDIR/out/$number" >"$path" && chmod "$mode" "$path" ;;
		file*) rm -f "$path" && cp "$BATS_TEST_TMPDIR/out/$number" "$path" && chmod "$mode" "$path" ;;
		*) fail "$number $kind $path" || return ;;
		esac
		: "$size"
	done <"$BATS_TEST_TMPDIR/out/list"
}

# What is in W: names, kinds, modes, links and contents, but for those of gcc's
# precompiled headers: they hold addresses, which no two runs have in common.
picture() {
	(cd "$W" && find . -mindepth 1 -printf '%p %y %m %l\n' | sort && find . -type f ! -name '*.gch' -print0 | sort -z | xargs -0r sha256sum)
}

# both SCRIPT: the same in here and out there
both() {
	local status=0 got=0

	cp -a "$W" "$BATS_TEST_TMPDIR/before"
	/bin/sh -c "$1" >../want.out 2>../want.err </dev/null || status=$?
	picture >../want
	find "$W" -mindepth 1 -delete
	cp -a "$BATS_TEST_TMPDIR/before/." "$W"
	rm -rf "$BATS_TEST_TMPDIR/before"
	view -- /bin/sh -c "$1" >../got.out 2>../got.err </dev/null || got=$?
	apply
	picture >../got
	diff ../want.out ../got.out && diff ../want.err ../got.err && diff ../want ../got && [ "$got" -eq "$status" ]
}

# compile DRIVER ARGUMENT...: what the driver would run
compile() {
	local script

	mkdir -p tmp
	script=$(TMPDIR=$W/tmp "$@" '-###' 2>&1 | grep -v '^ (' | grep '^ ' | sed 's/$/ \&\&/'; echo :)
	[ "$script" != : ] || fail "$* runs nothing" || return
	both "$script"
}

sources() {
	cat >h.h <<-'END'
		#define TWICE(x) ((x) + (x))
		static int unused_in_header(void) { return 1; }
	END
	cat >h.c <<-'END'
		#include <stdio.h>
		#include "h.h"
		int main(int argc, char **argv) { int n; printf("%s %d %s\n", argv[0], TWICE(n), __TIMESTAMP__); return argc; }
	END
	cat >h.cc <<-'END'
		#include <regex>
		#include <iostream>
		#include "h.h"
		int main() { std::cout << std::regex_search("aaa", std::regex("a+")) << TWICE(2); }
	END
	touch -d '2020-02-03 04:05:06.123456789' h.c h.h
}

# --- what a compiler does ---------------------------------------------------

@test "objects, side files and diagnostics of C" {
	sources
	for cc in $(installed gcc clang); do
		compile "$cc" -O2 -g3 -Wall -Wextra -c h.c -o h.o
		compile "$cc" -save-temps -g -MD -MP -c h.c -o h.o
		compile "$cc" -gsplit-dwarf -g -ffunction-sections -c h.c -o h.o
		compile "$cc" --coverage -frandom-seed=1 -c h.c -o h.o
	done
}

@test "objects and diagnostics of C++" {
	sources
	for cxx in $(installed g++ clang++); do
		compile "$cxx" -g -Wall -MMD -c h.cc -o h.o
	done
}

@test "a header that is missing, and one that only may be" {
	echo '#if __has_include("no.h")
	#error not there
	#endif
	#include "no/such.h"' >m.c
	for cc in $(installed gcc clang); do
		compile "$cc" -Wall -c m.c
		[ "$(wc -l <../want.err)" -gt 0 ]
	done
}

@test "directories in order, through links and .." {
	mkdir -p a b/c real
	echo 'int from_a;' >a/x.h
	echo 'int from_b;' >b/x.h
	echo '#include "../y.h"' >b/c/z.h
	echo 'int y;' >b/y.h
	echo 'int elsewhere;' >real/y.h
	mkdir real/deep && ln -s ../real/deep b/link && echo '#include "../y.h"' >real/deep/z.h
	ln -s x.h a/via.h
	ln -s loop loop
	printf '#include <x.h>\n#include <c/z.h>\n#include <link/z.h>\n#include <via.h>\n' >o.c
	for cc in $(installed gcc clang); do
		compile "$cc" -g -Iloop -Ia -Ib -c o.c
		compile "$cc" -g -MD -Ib -Ia -Ib/link/../deep -c o.c
	done
}

@test "#pragma once: hard links are one file, equal files are not" {
	mkdir a b
	printf '#pragma once\nint n;\nextern int here[__COUNTER__ + 1];\n' >a/p.h
	ln a/p.h a/q.h
	cp -p a/p.h b/p.h
	printf '#include "a/p.h"\n#include "a/q.h"\n#include "b/p.h"\nint c[__COUNTER__ + 1];\n' >o.c
	for cc in $(installed gcc clang); do
		compile "$cc" -save-temps -c o.c
	done
}

@test "precompiled headers, made and used" {
	sources
	echo '#include <stdio.h>' >all.h
	echo 'int main(void) { return puts("x"); }' >o.c
	compile gcc -g all.h -o all.h.gch
	[ -e all.h.gch ]
	compile gcc -g -Winvalid-pch -include all.h -c o.c
	rm all.h.gch
	if command -v clang; then
		compile clang -g -x c-header all.h -o all.h.pch
		compile clang -g -include-pch all.h.pch -c o.c
	fi
}

@test "data of the caller in an object" {
	head -c 300000 /dev/urandom >data
	echo '__asm__(".section .rodata\n.incbin \"data\"");' >o.c
	for cc in $(installed gcc clang); do
		compile "$cc" -c o.c
	done
}

@test "a directory of 50,000 files" {
	mkdir many
	(cd many && seq -f 'h%.0f.h' 50000 | xargs touch)
	echo 'int n;' >many/h25000.h
	printf '#include <h25000.h>\n#include <stddef.h>\n' >o.c
	compile gcc -g -Imany -c o.c
	# but whoever reads it does not get half of it
	run -125 view -- /bin/ls many
}

# --- what else a program can see, and do --------------------------------------

@test "stat says what it says here" {
	mkdir d sticky locked
	chmod 1777 sticky
	chmod 711 locked
	echo x >d/f
	: >empty
	touch -d '1965-02-03 04:05:06.123456789' empty
	touch -h -d '2001-02-03 04:05:06.123456789' d/f
	ln -s d/f link
	touch -h -d '2001-02-03 04:05:07.987654321' link
	chmod 755 empty
	# but for the size of a directory
	both 'stat -c "%n %a %s %y %F %N" d/f empty link no /usr/include/stdio.h ../w/d/../empty
		stat -c "%n %a %y %F" . d sticky locked'
	# nor its mode, where it is another user's and there is only one
	[ "$(id -u)" -ne 0 ] || both 'stat -c "%n %a %y %F" /usr/include /usr /etc /usr/lib'
	both 'stat -L -c "%n %a %s %y %F" link; ls -a . d /etc/alternatives; readlink link; cat link d'
}

@test "what a program changes is changed at the caller" {
	mkdir d full
	echo old >d/old; echo keep >full/keep; echo "written to" >through; echo replaced >replaced; ln through other
	ln -s through link
	both 'rm d/old; mkdir -p new/er; echo 1 >new/er/f; mv full/keep full/kept; echo more >>through; rm replaced; echo 2 >replaced
		ln -s new/er l; echo x >gone; rm gone; chmod 751 d; echo 3 >link; rmdir d; mv other renamed'
	grep 'file .*/through .* kept' ../out/list
	grep 'file .*/replaced .* -' ../out/list
	grep 'file .*/new/er/f .* -' ../out/list
}

@test "a directory is not renamed, and not silently made anew" {
	mkdir d
	touch d/a
	run ! view -- /bin/mv -T --no-copy d e
	view -- /bin/sh -c 'rm d/a; rmdir d; mkdir d; touch d/b'
	grep refused ../out/list
}

@test "of /proc, /dev and /sys only what is right here, too" {
	local path

	run -0 view -- /bin/readlink /proc/self/exe /proc/self/fd/0
	[ "$output" = "$(realpath /bin/readlink)
/dev/null" ] || fail "$output"
	run -0 view -- /bin/sh -c 'test -d /proc/self/fd && test ! -e /proc/self/fd/99 && echo y >/dev/null && cat /dev/null'
	for path in /proc/cpuinfo /proc/1 /proc/self/maps /proc/self/status /proc/meminfo /dev/tty /dev/stdin /sys/devices; do
		run -125 view -- /bin/cat "$path"
		[[ $output == *"$path: only its caller's is right"* ]] || fail "$path: $output"
	done
	for path in /proc /dev /sys /proc/self; do
		run -125 view -- /bin/ls "$path"
		[[ $output == *"$path: only its caller's is right"* ]] || fail "$path: $output"
	done
}

@test "what is neither file, directory nor link ends the job" {
	mkfifo p
	run -125 view -- /bin/cat p
	[[ $output == *"no file that can be sent"* ]]
}

@test "set-user-id files, and pipes that a job makes, do not go back" {
	view -- /bin/sh -c ': >f; chmod 4755 f'
	grep refused ../out/list
}

@test "a caller that does not answer" {
	OPTIONS=(-p 60)
	run -125 view -- /bin/cat silent
	[[ $output == *"the caller does not answer"* ]]
	OPTIONS=()
	run -125 view -- /bin/cat vague
	[[ $output == *"w/vague: the caller does not say what it is"* ]]
}

@test "a job that asks for ever" {
	run -125 view -- /bin/sh -c 'i=0; while :; do i=$((i + 1)); [ -e n$i ]; done'
	[[ $output == *"too many questions"* ]]
}

@test "who waits for an answer can be killed, and others go on" {
	echo text >f
	run -0 view -- /bin/sh -c 'cat silent & sleep 0.2; cat f; kill -9 $!; wait; echo done'
	[ "$output" = "text
done" ]
	# also when nobody serves any more
	run -0 view -- /bin/sh -c 'cat silent & sleep 0.2; exit 0'
}

@test "what was used is enough for the next time, and asks nothing" {
	sources
	OPTIONS=(-m "$BATS_TEST_TMPDIR/manifest" -s "$BATS_TEST_TMPDIR/stats")
	both 'cat h.c no.c; stat h.h >/dev/null; ls tmp'
	: >../stats
	both 'cat h.c no.c; stat h.h >/dev/null; ls tmp'
	grep ' questions=0 ' ../stats
}
