#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2154
# File mode among peers who mean it ill: a volunteer that lies to its caller, then a caller that lies to its
# volunteer. The compile always ends as it would have here, and whoever was lied to goes on serving others.

load helpers

setup_file() {
	command -v python3 >/dev/null || return 0
	farm_start 0
	printf '#define XXH_INLINE_ALL\n#include <xxhash.h>\nunsigned long long hash_of(const void *p, size_t n) { return XXH3_64bits(p, n); }\n' |
		gcc -shared -fPIC -o "$FARM/xxh.so" -xc -
	export XXH=$FARM/xxh.so RCC_MODE=file
	if [ -n "$(sandbox)" ]; then return 0; fi
	volunteer good
	disown
	export GOOD=$RCC_HOSTS
	RCC_HOSTS=
}
teardown_file() { command -v python3 >/dev/null && farm_stop; }

setup() {
	need python3 gcc
	LIAR=
	mkdir -p "$W/sub"
	cd "$W" || return
	# for each test arguments of its own, so that no other's manifest is near
	OPTION=-DTEST_$BATS_TEST_NUMBER
	printf '#include <stddef.h>\n#include "a.h"\nint f(void) { return A; }\n' >a.c
	echo '#define A 1' >a.h
	echo 'keep' >"$HOME/.bashrc"
	echo 'keep' >other.o
	gcc "$OPTION" -c a.c -o "$BATS_TEST_TMPDIR/local.o"
}
teardown() { end_liar; }
end_liar() {
	[ -z "$LIAR" ] || kill "$LIAR" 2>/dev/null || true
	LIAR=
}

# liar LIE [ARGUMENT]...: is then the only volunteer, of an agent that has not met the others: after ten of them it would trust nobody
liar() {
	end_liar
	rcc --stop-agent
	wait_until 5 none_of rcc-agent || fail "the agent stays"
	python3 "$BATS_TEST_DIRNAME/lying.py" "$@" >said 2>wrong </dev/null 3>&- 4>&- &
	LIAR=$!
	disown
	wait_until 5 grep -q '^listening' said || fail "lying.py: $(cat wrong)"
	export RCC_HOSTS
	RCC_HOSTS=$(sed -n 's/^listening //p' said)
	mv said wrong "$BATS_TEST_TMPDIR"
}
said() { cat "$BATS_TEST_TMPDIR/said"; }

tree() { find . "$HOME/.bashrc" ! -name a.o -printf '%p %y %m %n %l %s\n' | sort; }

agent() { ours rcc-agent; }

# comes_to REASON: the compile ends here for that reason, nothing else was touched, and the agent lives
comes_to() {
	local before pid
	rm -f a.o
	before=$(tree)
	rcc --stats >/dev/null
	pid=$(agent)
	remember
	timeout 60 rcc gcc "$OPTION" -c a.c >out 2>&1 || fail "status $?: $(cat out)"
	[ ! -s out ] || fail "$(cat out)"
	rm out
	cmp a.o "$BATS_TEST_TMPDIR/local.o" || fail "another object; $(cat "$BATS_TEST_TMPDIR/said")"
	said | grep -q '^job' || fail "no job went there: $(rcc --stats; said; cat "$BATS_TEST_TMPDIR/wrong")"
	one_reason "$1"
	[ "$(tree)" = "$before" ] || fail "$(diff <(echo "$before") <(tree))"
	[ "$(agent)" = "$pid" ] || fail "the agent did not live: $(tail -n 5 "$RCC_RUNTIME_DIR"/agent.log)"
	[ ! -s "$BATS_TEST_TMPDIR/wrong" ] || fail "$(cat "$BATS_TEST_TMPDIR/wrong")"
}

# The same agent serves a good volunteer.
goes_on() {
	[ -n "${GOOD:-}" ] || return 0
	RCC_HOSTS=$GOOD
	rm -f a.o
	remember
	wait_until 10 went_well || fail "$(rcc --stats; rcc --hosts)"
}
went_well() {
	rcc gcc "$OPTION" -c a.c
	cmp a.o "$BATS_TEST_TMPDIR/local.o"
	[ "$(counted .file_mode.jobs)" -ge 1 ]
}

# --- a volunteer that lies -------------------------------------------------------

# Else the tests below prove nothing: this one speaks well enough to be believed.
@test "a made-up object is believed" {
	liar object
	remember
	rcc gcc "$OPTION" -c a.c
	[ "$(cat a.o)" = "made up" ] || fail "$(rcc --stats; said; cat "$BATS_TEST_TMPDIR/wrong")"
	was_remote 1
}

@test "it says more, less or something else than it sends" {
	local lie
	for lie in early hash more fewer used-beyond used-twice "used-other /etc/passwd" "used-listing /etc" "step 0" "garbage 13 00" \
		"garbage 28 ffffffff" "garbage 29 ff" "garbage 25 00000000" "garbage 22 00"; do
		# shellcheck disable=SC2086
		liar $lie
		comes_to server-garbage
	done
	goes_on
}

@test "it says that it has slots, and grants none" {
	liar no-grant
	remember
	timeout 60 rcc gcc "$OPTION" -c a.c
	cmp a.o "$BATS_TEST_TMPDIR/local.o"
	said | grep -q '^reserve'
	one_reason no-candidate
	# and is left alone after that
	rcc gcc "$OPTION" -c a.c
	[ "$(said | grep -c '^reserve')" -eq 1 ]
	goes_on
}

@test "it says that the compiler died" {
	liar signal 11
	comes_to job-killed
	liar status 4
	comes_to diagnostics
	goes_on
}

@test "it says that files changed where the command may not write" {
	local change
	for change in "$HOME/.bashrc 0 0 644" "$HOME/.bashrc 0 1 644" "$HOME/.bashrc 3 0 0" "/etc/cron.d/x 0 0 644" "a.c 0 1 644" \
		"a.c 3 0 0" "a.h 0 0 644" "other.o 0 0 644" "sub 3 0 0" "sub/a.o 0 0 644" "new 1 0 755" "a.d 2 0 0 /etc/passwd" \
		"a.o 2 0 0 $HOME/.bashrc"; do
		# shellcheck disable=SC2086
		liar change $change
		comes_to files-unfit
		# not to be tried again for a while
		OPTION=${OPTION}_
		gcc "$OPTION" -c a.c -o "$BATS_TEST_TMPDIR/local.o"
	done
	goes_on
}

@test "paths that are none, and modes that nobody gives" {
	local change
	for change in "../x 0 0 644" "./a.o 0 0 644" "a.o 0 0 4755" "a.o 0 0 1644"; do
		# shellcheck disable=SC2086
		liar change $change
		comes_to server-garbage
	done
	for path in "" 61 2f612f2e2e2f62 2f6100 2f612f 2f2f61 2f612f2e "$(printf '2f61%.0s' {1..2100})"; do
		liar ask-raw "$path"
		comes_to server-garbage
	done
	goes_on
}

@test "it asks for what is nobody's business" {
	local path
	mkdir -p "$HOME/.ssh" "$BATS_TEST_TMPDIR/closed" "$BATS_TEST_TMPDIR/open"
	echo TOPSECRET | tee "$HOME/.ssh/id" "$BATS_TEST_TMPDIR/closed/mail" >"$BATS_TEST_TMPDIR/open/mail"
	chmod 600 "$HOME/.ssh/id"
	chmod 700 "$BATS_TEST_TMPDIR/closed"
	for path in "$HOME/.ssh/id" "$BATS_TEST_TMPDIR/closed/mail" /etc/shadow; do
		liar ask "$path"
		comes_to files-unfit
		if said | grep "^told $path"; then false; fi
		OPTION=${OPTION}_
		gcc "$OPTION" -c a.c -o "$BATS_TEST_TMPDIR/local.o"
	done
	# not so what anybody may read
	liar ask "$BATS_TEST_TMPDIR/open/mail"
	rcc gcc "$OPTION" -c a.c
	said | grep -q "^content .*/open/mail 10$" || fail "$(said)"
	goes_on
}

@test "of processes and devices it is told nothing, of absent names that they are" {
	liar ask /proc/self/environ /sys/kernel/notes /dev/zero /dev/null /nowhere/at/all
	rcc gcc "$OPTION" -c a.c
	[ "$(cat a.o)" = "made up" ] || fail "$(said)"
	[ "$(said | grep -c '^told .* other 0 0*$')" -eq 4 ] || fail "$(said)"
	said | grep -q '^told /nowhere absent'
	if said | grep '^content'; then false; fi
}

@test "it wants contents that it was not told of" {
	local digest
	for digest in "$(sha256sum <"$HOME/.bashrc" | cut -d' ' -f1)" "$(printf '00%.0s' {1..32})"; do
		liar want "$digest"
		comes_to server-garbage
	done
	# and none without end
	liar want start
	comes_to server-garbage
	goes_on
}

@test "it asks without end" {
	liar ask-forever /usr/include
	comes_to server-garbage
	goes_on
}

@test "it is silent" {
	liar stall
	comes_to server-stalled
	goes_on
}

@test "it goes on when all is said" {
	liar late
	rcc gcc "$OPTION" -c a.c
	[ "$(cat a.o)" = "made up" ]
	liar hash
	comes_to server-garbage
	goes_on
}

# --- a caller that lies ------------------------------------------------------------

# mallory LIE [ARGUMENT]...: how that ended; its output is in ./got
mallory() {
	[ -n "${GOOD:-}" ] || skip "no confinement here, so no file mode"
	timeout 60 python3 "$BATS_TEST_DIRNAME/lyingcaller.py" "$GOOD" "$(readlink -f "$(command -v as)")" "$@" >got || fail "$*: no answer"
	tail -n 1 got >ended
}
ended() { grep -q "^$1" ended || fail "it ended: $(cat ended)"; }

# The volunteer is still the same, nothing of the lies is left in it, and it serves others.
serves_on() {
	[ "$(ours rccd)" = "$(pid_of good)" ] || fail "rccd did not live: $(log_of good | tail -n 5)"
	expect_slots_free good
	wait_until 5 no_boxes || fail "a box is left: $(boxes)"
	mallory none '\t.long 7\n'
	ended 'ran exit 0'
}

# Else the tests below prove nothing: this one speaks well enough to have its files assembled.
@test "made-up files are assembled" {
	mallory none '\t.incbin "x"\n' /w/x=CONTENT
	ended 'ran exit 0'
	grep -qa CONTENT got
}

@test "facts that are none, and manifests" {
	local n
	for n in {0..16}; do
		mallory odd "$n"
		ended bad-input
	done
	mallory facts ffff
	ended bad-input
	mallory twice
	ended BYE
	for n in 00 ffffffff "$(printf '00%.0s' {1..5000})" 0100000000000200; do
		mallory manifest "$n"
		ended unfit
	done
	serves_on
}

@test "as many facts as there may be, twice" {
	mallory many
	ended 'ran exit 0'
	serves_on
}

@test "answers to what was not asked, of something else, of too much" {
	mallory unasked
	ended bad-input
	mallory other /etc/passwd
	ended unfit
	mallory names 8192
	ended 'ran exit 1'
	mallory names 9000
	ended bad-input
	mallory loop
	ended 'ran exit 1'
	serves_on
}

@test "contents that are not what was wanted" {
	local lie
	for lie in wrong short long unwanted; do
		mallory "$lie"
		ended BYE
	done
	mallory none-of-it
	ended unfit
	serves_on
}

@test "it ends the job, or hangs up, in each state" {
	local when
	mallory end
	ended BYE
	for when in jobs facts question blob changes; do
		mallory leave "$when"
		ended left
		expect_slots_free good
	done
	serves_on
}

# By whatever name it may have: at its caller, in the store, in the box's own.
@test "what one caller brought, another's job cannot read" {
	local path blob
	mallory none '\t.incbin "secret"\n' "/w/secret=TOPSECRET $RANDOM"
	ended 'ran exit 0'
	blob=$(grep -rlsa TOPSECRET "$FARM/vgood/store")
	[ -n "$blob" ]
	# its own open files it can read
	for path in /proc/self/fd/{3..9}; do
		mallory none "\\t.incbin \"$path\"\\n"
		if grep -a TOPSECRET got; then fail "by $path"; fi
	done
	for path in /w/secret "$blob" "/.rcc/proc/1/root$blob" /.rcc/proc/1/cwd/secret "/.rcc/${blob##*/}" "../../../..$blob"; do
		mallory none "\\t.incbin \"$path\"\\n"
		if grep -a TOPSECRET got; then fail "by $path"; fi
		if grep -q '^ran exit 0' ended; then fail "$path can be read"; fi
	done
	serves_on
}
