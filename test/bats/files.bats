#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154,SC2317
# How outputs are put in place. `as` and clang make a new file under the old
# name; cc1 writes through what is there. Seen from outside: links, modes,
# inodes, and what a reader finds who had the old file open.

load helpers

setup_file() {
	farm_start 2
	warm
}
teardown_file() { farm_stop; }

C=$(installed gcc clang)

# Each script makes what is there before the compile; then both compile.
over() {
	for cc in $C; do
		same_sh "$1; \$RCC $cc -O2 -MD -c h.c"
	done
}

@test "an object over an object" {
	over 'echo old >h.o'
	was_remote 1
}

@test "over a symlink to a file" {
	over 'echo old >real.o; ln -s real.o h.o'
	made real.o
}

@test "over a symlink to nothing" {
	over 'ln -s nowhere/real.o h.o'
}

@test "over a symlink to a directory, over a directory" {
	over 'ln -s obj h.o'
	over 'mkdir h.o'
}

@test "over a hard link: the other name keeps the old bytes" {
	over 'echo old >h.o; ln h.o other.o'
}

@test "over a file of odd mode" {
	over 'echo old >h.o; chmod 755 h.o'
	over 'echo old >h.o; chmod 400 h.o'
	over 'echo old >h.o; chmod 4711 h.o'
	over 'echo old >h.o; chmod 000 h.o'
}

@test "a reader of the old object keeps the old bytes, or sees the new, as with the bare compiler" {
	for cc in $C; do
		same_sh "echo old >h.o; exec 8<h.o; \$RCC $cc -c h.c; wc -c <&8"
	done
}

@test "an object in a directory that is itself a symlink" {
	for cc in $C; do
		same_sh "ln -s obj out; \$RCC $cc -MD -c h.c -o out/h.o"
		was_remote 1
	done
}

@test "-o /dev/null" {
	for cc in $C; do
		same "$cc" -c h.c -o /dev/null
		[ -c /dev/null ]
		same "$cc" -MD -MF /dev/null -c h.c
		same "$cc" -MD -MF obj/h.d -c h.c -o /dev/null
		same "$cc" -S h.c -o /dev/null
	done
}

@test "-o into a FIFO" {
	for cc in $C; do
		same_sh "mkfifo p; exec 9<>p; timeout 10 \$RCC $cc -S h.c -o p; s=\$?; timeout 0.2 cat <&9 >got; exit \$s"
	done
}

@test "-o /dev/stdout and /dev/fd/N" {
	for cc in $C; do
		same "$cc" -S h.c -o /dev/stdout
		same_sh "\$RCC $cc -S h.c -o /dev/fd/8 8>got"
	done
}

@test "dependency file and assembly are written through links, modes kept" {
	for cc in $C; do
		same_sh "echo old >real.d; ln -s real.d h.d; \$RCC $cc -MD -c h.c"
		same_sh "echo old >h.d; ln h.d other.d; chmod 640 h.d; \$RCC $cc -MD -c h.c"
		same_sh "echo old >h.s; ln h.s other.s; chmod 600 h.s; \$RCC $cc -S h.c"
		same_sh "echo old >real.s; ln -s real.s h.s; \$RCC $cc -S h.c"
		same_sh "ln -s obj/new.s h.s; ln -s obj/new.d h.d; \$RCC $cc -MD -S h.c"
	done
}

@test "a longer old dependency file leaves nothing behind the new" {
	for cc in $C; do
		same_sh "seq 10000 >h.d; seq 10000 >h.s; \$RCC $cc -MD -S h.c"
	done
}

@test "the object, the assembly or the dependencies are the source" {
	for cc in $C; do
		same "$cc" -c h.c -o h.c
		same "$cc" -MD -MF h.c -c h.c
		same "$cc" -MD -MF h.o -c h.c -o h.o
	done
}

@test "a failed compile and the object that was there" {
	extra() { echo 'int bad = ;' >bad.c; echo '#error no' >stop.c; }
	for cc in $C; do
		same_sh "echo old >bad.o; \$RCC $cc -MD -c bad.c"
		same_sh "echo old >bad.s; ln -s bad.s l.s; \$RCC $cc -MD -S bad.c -o l.s"
		same_sh "echo old >stop.o; echo old >stop.d; \$RCC $cc -MD -c stop.c"
	done
}

# As root every directory may be written: then be someone else, with an agent of their own.
as_somebody() {
	[ "$(id -u)" -eq 0 ] || return 0
	mkdir -p "$FARM/nobody"
	chown 65534:65534 "$FARM/nobody"
	chmod 755 "$FARM"
	echo "setpriv --reuid=65534 --regid=65534 --clear-groups"
}

@test "a directory that may not be written" {
	local as
	need setpriv
	as=$(as_somebody)
	[ -z "$as" ] || export RCC_RUNTIME_DIR=$FARM/nobody
	for cc in $C; do
		same_sh "chmod 777 . d; $as \$RCC $cc -c h.c -o d/h.o"
		same_sh "chmod 555 d; $as \$RCC $cc -c h.c -o d/h.o; s=\$?; chmod 755 d; exit \$s"
		[ "$(status)" -ne 0 ]
		same_sh "echo old >d/h.o; chmod 666 d/h.o; chmod 555 d; $as \$RCC $cc -c h.c -o d/h.o; chmod 755 d"
		same_sh "echo old >d/h.d; chmod 666 d/h.d; chmod 555 d; $as \$RCC $cc -MD -MF d/h.d -c h.c -o /dev/null; chmod 755 d"
	done
	$as rcc --stop-agent
}

@test "a directory with the sticky bit, with set-group-id" {
	over 'chmod 1777 .'
	over 'chmod 2755 .'
}

@test "a default ACL on the directory" {
	need setfacl
	over 'setfacl -d -m u::rw,g::r,o::- . 2>/dev/null || chmod 700 .'
}

@test "umask in every digit" {
	local m
	for m in 0 022 027 077 0777; do
		over "umask $m"
	done
}

@test "the object is newer than its source, by this machine's clock" {
	for cc in $C; do
		same_sh "touch -d '1 second ago' h.c; \$RCC $cc -MD -c h.c; [ h.o -nt h.c ] && [ h.d -nt h.c ] && touch now && [ ! h.o -nt now ]"
		was_remote 1
		[ "$(status)" -eq 0 ]
	done
}

@test "no file but the outputs, here or in TMPDIR, and none seen half-written" {
	same_sh '$RCC gcc -O2 -c h.c & p=$!
		while kill -0 $p 2>/dev/null; do [ ! -s h.o ] || readelf -h h.o >/dev/null 2>&1 || echo half; done; wait $p; ls -A'
	was_remote 1
}

@test "the working directory was removed" {
	for cc in $C; do
		same_sh "mkdir gone; cd gone; rmdir ../gone; \$RCC $cc -c \$W/h.c -o \$W/h.o"
	done
}

@test "PWD that names the directory by a symlink" {
	for cc in $C; do
		RCC_MODE=auto same_sh "ln -s src link; cd link; \$RCC $cc -g -c h.c"
		same_sh "ln -s src link; cd link; \$RCC $cc -MD -c h.c"
		was_remote 1
	done
}
