# install.bats - make install and uninstall: from and to paths with spaces,
# and never over somebody else's rcc.
load helpers

# The real rules over the real programs, with no compiler in between: another
# PREFIX would compile everything anew.
setup() {
	SOURCE="$BATS_TEST_TMPDIR/the source"
	ROOT="$BATS_TEST_TMPDIR/to here"
	mkdir -p "$SOURCE/out"
	cp -r "$REPO/contrib" "$REPO/doc" "$SOURCE"
	cp "$PROGRAMS"/{rcc,rcc-agent,rccd,rccd-box} "$SOURCE/out"
	cat >"$SOURCE/Makefile" <<-'EOF'
	PREFIX = /usr/local
	BINDIR = $(PREFIX)/bin
	LIBEXECDIR = $(PREFIX)/libexec/rcc
	MANDIR = $(PREFIX)/share/man
	O = out
	all:
	include contrib/install.mk
	EOF
}

teardown() {
	[ -z "${FARM:-}" ] || RCC_RUNTIME_DIR=$FARM/run "$FARM/moved tree/bin/rcc" --stop-agent || true
	[ -z "${FARM:-}" ] || rm -rf "$FARM"
}

in_source() {
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$SOURCE" "$@"
}

@test "install puts everything below DESTDIR and PREFIX, uninstall takes it away again" {
	umask 077
	in_source install DESTDIR="$ROOT" PREFIX="/opt/my tools"

	cd "$ROOT/opt/my tools"
	[ "$(stat -c %a bin/rcc bin/rccd libexec/rcc/rcc-agent libexec/rcc/rccd-box | sort -u)" = 755 ]
	[ "$(stat -c %a share/man/man1/rcc.1 lib/systemd/system/rccd.service | sort -u)" = 644 ]
	grep -qx 'ExecStart="/opt/my tools/bin/rccd" --store ${CACHE_DIRECTORY}' lib/systemd/user/rccd.service

	in_source uninstall DESTDIR="$ROOT" PREFIX="/opt/my tools"
	[ -z "$(find "$ROOT" ! -type d)" ]
	[ ! -e libexec/rcc ]
}

@test "an installed tree that was moved still finds its own agent" {
	in_source install DESTDIR="$ROOT" PREFIX=/usr
	FARM=$(mktemp -d /tmp/rccb.XXXXXX)
	mv "$ROOT/usr" "$FARM/moved tree"
	mkdir -m 700 "$FARM/run"

	run -0 env RCC_RUNTIME_DIR="$FARM/run" "$FARM/moved tree/bin/rcc" --jobs
	find /proc -maxdepth 2 -name exe -lname "$FARM/moved tree/libexec/rcc/rcc-agent" 2>/dev/null | grep -q .
}

@test "Qt's rcc is not overwritten, nor removed, and nothing else is installed" {
	mkdir -p "$ROOT/usr/bin"
	printf '#!/bin/sh\necho Qt\n' >"$ROOT/usr/bin/rcc"
	chmod +x "$ROOT/usr/bin/rcc"

	run ! in_source install DESTDIR="$ROOT" PREFIX=/usr
	[[ $output == *"$ROOT/usr/bin/rcc is not ours"*"RCC_NAME="* ]]
	[ "$(find "$ROOT" ! -type d)" = "$ROOT/usr/bin/rcc" ]

	run -0 in_source uninstall DESTDIR="$ROOT" PREFIX=/usr
	[[ $output == *"is not ours, so it stays"* ]]
	[ "$("$ROOT/usr/bin/rcc")" = Qt ]
}

@test "a dangling link called rcc, as qtchooser's may be, is not ours either" {
	mkdir -p "$ROOT/usr/bin"
	ln -s qtchooser "$ROOT/usr/bin/rcc"
	run ! in_source install DESTDIR="$ROOT" PREFIX=/usr
	[ "$(readlink "$ROOT/usr/bin/rcc")" = qtchooser ]
}

@test "beside Qt's rcc ours takes another name" {
	mkdir -p "$ROOT/usr/bin"
	echo Qt >"$ROOT/usr/bin/rcc"
	in_source install DESTDIR="$ROOT" PREFIX=/usr RCC_NAME=rcc-farm
	[ "$(cat "$ROOT/usr/bin/rcc")" = Qt ]
	[ -e "$ROOT/usr/share/man/man1/rcc-farm.1" ]
	[[ $("$ROOT/usr/bin/rcc-farm" --version) == rcc* ]]

	in_source uninstall DESTDIR="$ROOT" PREFIX=/usr RCC_NAME=rcc-farm
	[ "$(find "$ROOT" ! -type d)" = "$ROOT/usr/bin/rcc" ]
}

@test "installing over our own is an upgrade" {
	in_source install DESTDIR="$ROOT"
	echo old >>"$ROOT/usr/local/bin/rcc"
	in_source install DESTDIR="$ROOT"
	cmp "$ROOT/usr/local/bin/rcc" "$PROGRAMS/rcc"
}
