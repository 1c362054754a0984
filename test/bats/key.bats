#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2154,SC2317
# The farm key: who it lets in, and who is left outside.

load helpers

setup_file() {
	farm_start 0
	rccd --make-key "$FARM/key" >"$FARM/made"
	rccd --make-key "$FARM/other" >/dev/null
	export RCC_KEY_FILE=$FARM/key
	volunteer 1 --key-file "$FARM/key" --name alder
	warm
}
teardown_file() { farm_stop; }
setup() { cd "$BATS_TEST_TMPDIR" || return; }
teardown() {
	local pid
	[ -e "$BATS_TEST_TMPDIR/pids" ] || return 0
	while read -r pid; do
		kill -9 "$pid" 2>/dev/null || true
	done <"$BATS_TEST_TMPDIR/pids"
}

# alone NAME OPTION...: another volunteer, on loopback, ended with the test
alone() {
	local name=$1
	shift
	rccd_start "$name" --listen 127.0.0.1:0 --http 127.0.0.1:0 --jobs 2 "$@"
	disown
	pid_of "$name" >>"$BATS_TEST_TMPDIR/pids"
}
# hosts NAME: what rcc --hosts says, once the volunteer is known to be there or not
hosts() { RCC_HOSTS=$(address_of "$1") rcc --hosts; }
hosts_say() { [[ $(hosts "$1") == *"$2"* ]]; }
# lacks_secret KEY-FILE WHERE...: its secret is in none of these files and directories
lacks_secret() {
	local secret
	secret=$(secret_of "$1")
	shift
	[ -n "$secret" ] && ! grep -rlF "$secret" "$@" >&2
}
secret_of() { awk '/^rcc-key-1 / { print $3 }' "$1"; }

# served NAME: a compile goes there
served() {
	echo 'int served;' >served.c
	remember
	RCC_HOSTS=$(address_of "$1") rcc gcc -c served.c -o served.o
	[ "$(counted .jobs.remote)" -eq 1 ]
}

# not_used NAME WHY: it is left alone, with the reason shown, and the compile succeeds here
not_used() {
	wait_until 5 hosts_say "$1" "$2" || fail "not '$2' but: $(hosts "$1")"
	echo 'int here;' >here.c
	remember
	RCC_HOSTS=$(address_of "$1") rcc gcc -c here.c -o here.o
	[ -s here.o ]
	expect_counted .jobs.remote 0
}

# --- the file ---------------------------------------------------------------

@test "--make-key writes one line, private, and prints nothing of it" {
	[ "$(stat -c %a "$FARM/key")" = 600 ]
	[ "$(wc -l <"$FARM/key")" -eq 1 ]
	grep -Eq '^rcc-key-1 [a-z0-9-]+ [A-Za-z0-9+/]{43}=$' "$FARM/key"
	[[ $(cat "$FARM/made") == *"$FARM/key"* ]]
	lacks_secret "$FARM/key" "$FARM/made"
	[ "$(secret_of "$FARM/key")" != "$(secret_of "$FARM/other")" ]
}

@test "--make-key replaces nothing" {
	cp "$FARM/key" before
	run --separate-stderr -2 rccd --make-key "$FARM/key"
	[[ $stderr == *"$FARM/key"* ]]
	cmp before "$FARM/key"
	ln -s nowhere link
	run -2 rccd --make-key "$PWD/link"
	[ ! -e nowhere ]
}

@test "a key that others can read is refused on both sides, in one line" {
	cp "$FARM/key" open
	chmod 644 open
	run --separate-stderr -2 rccd --store "$PWD/store" --listen 127.0.0.1:0 --http off --key-file "$PWD/open"
	[[ $stderr == *"$PWD/open"*chmod* ]]
	[ "$(wc -l <<<"$stderr")" -eq 1 ]
	echo 'int o;' >o.c
	RCC_KEY_FILE=$PWD/open run --separate-stderr -121 rcc gcc -c o.c
	[[ $stderr == *"$PWD/open"*chmod* ]]
	[ "$(wc -l <<<"$stderr")" -eq 1 ]
}

@test "a file without a key, and none at all" {
	echo nonsense >bad
	chmod 600 bad
	run --separate-stderr -2 rccd --store "$PWD/store" --listen 127.0.0.1:0 --http off --key-file "$PWD/bad"
	[[ $stderr == *"$PWD/bad: 1: not a key"* ]]
	[[ $stderr != *nonsense* ]]
	run --separate-stderr -2 rccd --store "$PWD/store" --listen 127.0.0.1:0 --http off --key-file "$PWD/none"
	[[ $stderr == *"$PWD/none"* ]]
	echo 'int o;' >o.c
	RCC_KEY_FILE=$PWD/none run --separate-stderr -121 rcc gcc -c o.c
	[[ $stderr == *"$PWD/none"* ]]
}

@test "without RCC_KEY_FILE the user's own key is found" {
	alone own --key-file "$FARM/key"
	mkdir -p home/.config/rcc
	cp "$FARM/key" home/.config/rcc/key
	unset RCC_KEY_FILE
	HOME=$PWD/home served own
	not_used own 'it may want a key'
}

# --- who gets in ------------------------------------------------------------

@test "a build through a keyed volunteer is the same" {
	same gcc -O2 -c h.c -o h.o
	was_remote 1
	same g++ -O2 -c h.cc -o h.o
	was_remote 1
	[[ $(hosts 1) == *ready* ]]
}

@test "a large source and a large object" {
	extra() { { slow_source 40; echo 'const char big[3000000] = {1};'; printf '/* %0900000d */\n' 0; } >big.c; }
	same gcc -O1 -c big.c -o big.o
	was_remote 1
}

@test "another key: not used, and rcc --hosts says so" {
	alone other --key-file "$FARM/other"
	not_used other 'it has another key'
	grep -q 'has another key' "$FARM/vother/log"
}

@test "the same name with another secret" {
	sed "s/ farm-[0-9a-f]* / $(awk '{ print $2 }' "$FARM/key") /" "$FARM/other" >forged
	chmod 600 forged
	alone forged --key-file "$PWD/forged"
	not_used forged 'it has another key'
}

@test "a volunteer without a key is not used by a caller who has one" {
	alone plain
	not_used plain 'it has no key'
}

@test "a caller without a key is not served by a volunteer that has one" {
	alone keyed --key-file "$FARM/key"
	RCC_KEY_FILE='' not_used keyed 'it may want a key'
	served keyed
}

@test "what does not speak TLS gets not a byte" {
	local address got
	address=$(address_of 1)
	for said in 'GET / HTTP/1.1\r\n\r\n' '\x10\0\0\0\x10\0\0\0\0\0\0\0\x01\0\0\0rcc1\x01\0\0\0\0\x03\0\0\0abc'; do
		got=$(exec 9<>"/dev/tcp/${address%:*}/${address##*:}"; printf '%b' "$said" >&9; timeout 8 cat <&9 | wc -c)
		[ "$got" -eq 0 ]
	done
	served 1
}

@test "strangers who are slow make nobody wait" {
	local address
	alone slow --key-file "$FARM/key"
	address=$(address_of slow)
	cat >slow.py <<-'EOF'
		import select, socket, sys, time
		host, port = sys.argv[1].rsplit(":", 1)
		socks = []
		for _ in range(1000):
		    s = socket.socket()
		    s.setblocking(False)
		    s.connect_ex((host, int(port)))
		    socks.append(s)
		print("all", flush=True)
		hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
		end = time.time() + 8
		at = 0
		while time.time() < end:
		    for s in socks:
		        try:
		            s.send(hello[at:at + 1] or b"\x00")
		        except OSError:
		            pass
		    at += 1
		    time.sleep(1)
	EOF
	ulimit -Sn "$(ulimit -Hn)"	# a socket for each
	python3 slow.py "$address" >slow.out 3>&- 4>&- &
	echo $! >>pids
	disown
	wait_until 5 grep -q all slow.out
	sleep 0.3
	SECONDS=0
	wait_until 8 served slow
	((SECONDS <= 6)) || fail "an honest caller waited $SECONDS s"
	[ "$(awk '/^VmHWM/ { print $2 }' "/proc/$(pid_of slow)/status")" -lt 65536 ]
}

# --- rotation ---------------------------------------------------------------

@test "from one key to the next, with SIGHUP" {
	local ring=$PWD/ring
	cp "$FARM/key" ring
	alone ring --key-file "$ring"
	served ring
	# both keys at the volunteer, then the caller goes over, then the old one goes
	cat "$FARM/other" >>ring
	kill -HUP "$(pid_of ring)"
	wait_until 5 grep -q 'keys count=2' "$FARM/vring/log"
	served ring
	RCC_KEY_FILE=$FARM/other served ring
	cp "$FARM/other" ring
	kill -HUP "$(pid_of ring)"
	wait_until 5 grep -q 'keys count=1' "$FARM/vring/log"
	wait_until 5 grep -q locked-out "$FARM/vring/log"
	RCC_KEY_FILE=$FARM/other served ring
	not_used ring 'it has another key'
	# what cannot be read changes nothing
	echo nonsense >ring
	kill -HUP "$(pid_of ring)"
	wait_until 5 grep -q 'keys kept=' "$FARM/vring/log"
	RCC_KEY_FILE=$FARM/other served ring
}

# --- where it listens -------------------------------------------------------

# listens_not TEXT OPTION...: refused with one line that holds the text
listens_not() {
	local text=$1
	shift
	run --separate-stderr timeout 5 rccd --store "$PWD/store" --http off --insecure-no-sandbox "$@"
	[ "$status" -eq 2 ]
	[[ $(grep '^rccd: ' <<<"$stderr") == *"$text"* ]] || fail "no '$text' in: $stderr"
}

@test "addresses of the network take a key, public ones --allow-public" {
	listens_not --make-key --listen 10.1.2.3:0
	listens_not --make-key --listen '[fd00::1]:0'
	listens_not --make-key --listen 0.0.0.0:0
	listens_not --allow-public --listen 0.0.0.0:0 --key-file "$FARM/key"
	listens_not --allow-public --listen '[2001:db8::1]:0' --key-file "$FARM/key"
	listens_not --allow-public --listen 192.169.0.1:0 --insecure-no-auth
	listens_not 'one of them' --listen 127.0.0.1:0 --insecure-no-auth --key-file "$FARM/key"
	# allowed: only the address is not ours
	listens_not 'Cannot assign' --listen 10.1.2.3:0 --key-file "$FARM/key"
	listens_not 'Cannot assign' --listen 203.0.113.1:0 --key-file "$FARM/key" --allow-public
	listens_not 'Cannot assign' --listen 172.31.2.3:0 --insecure-no-auth
}

@test "at the start one line says who can reach what" {
	alone plain
	[ "$(grep -c ' serving ' "$FARM/vplain/log")" -eq 1 ]
	grep -q ' serving whom="every user of this machine at 127' "$FARM/vplain/log"
	grep -q " serving whom=\"holders of the key $(awk '{ print $2 }' "$FARM/key") on this machine at 127" "$FARM/v1/log"
}

# --- two hosts --------------------------------------------------------------

namespaces_end() {
	ip netns del "$1a" 2>/dev/null
	ip netns del "$1b" 2>/dev/null
	return 0
}

@test "two hosts joined by one key build together" {
	[ "$(id -u)" -eq 0 ] || skip 'takes root'
	need ip
	local net=rccb$$ addr
	ip netns add "${net}a" 2>/dev/null || skip 'no network namespaces here'
	ip netns add "${net}b"
	if ! ip link add "${net}0" netns "${net}a" type veth peer name "${net}1" netns "${net}b" 2>err; then
		namespaces_end "$net"
		skip "no veth here: $(cat err)"
	fi
	ip -n "${net}a" addr add 10.77.0.1/24 dev "${net}0"
	ip -n "${net}b" addr add 10.77.0.2/24 dev "${net}1"
	for i in a b; do ip -n "$net$i" link set lo up; done
	ip -n "${net}a" link set "${net}0" up
	ip -n "${net}b" link set "${net}1" up
	mkdir -p "$FARM/vfar/tmp"
	# with a box it has no compiler but ours
	# shellcheck disable=SC2046 # one word, or none
	[ -z "$(sandbox)" ] || ln -s /usr "$FARM/none"
	# shellcheck disable=SC2046
	TMPDIR=$FARM/vfar/tmp ip netns exec "${net}b" rccd --store "$FARM/vfar/store" --name far --listen 10.77.0.2:0 --http off \
		--key-file "$FARM/key" --jobs 4 --policy dedicated --toolchain-dir "$FARM/none" $(sandbox) </dev/null >"$FARM/vfar/out" 2>"$FARM/vfar/log" 3>&- 4>&- &
	echo $! >>pids
	disown
	wait_until 5 grep -q '\<listening addr=' "$FARM/vfar/log" || fail "$(cat "$FARM/vfar/log")"
	addr=$(address_of far)
	local i
	for i in 1 2 3 4 5 6; do echo "int f$i(int a) { return a + $i; }" >"p$i.c"; done
	printf 'libp.a: p1.o p2.o p3.o p4.o p5.o p6.o\n\tar rcsD $@ $^\n' >Makefile
	make -s CC=gcc CFLAGS=-O2 && mv libp.a here.a && rm ./*.o
	here() { RCC_HOSTS=$addr ip netns exec "${net}a" "$@"; }
	went() { rm -f ./*.o libp.a && here make -s -j4 CC='rcc gcc' CFLAGS=-O2 && here rcc --stats --json | jq -e '.jobs.remote >= 6' >/dev/null; }
	local status=0
	wait_until 20 went || status=1
	here rcc --hosts >hosts.out
	here rcc --stop-agent || true
	namespaces_end "$net"
	[ "$status" -eq 0 ] || fail "$(cat hosts.out "$FARM/vfar/log")"
	cmp libp.a here.a
	grep -q 'whom="holders of the key [^"]* at 10.77.0.2' "$FARM/vfar/log"
}

# --- secrets ----------------------------------------------------------------

@test "no log holds a key" {
	local key
	alone chatty --key-file "$FARM/key" --log debug
	RCC_KEY_FILE=$FARM/other not_used chatty 'it has another key'
	curl -sS "http://$(http_of chatty)/" >page
	status_of chatty >status.json
	for key in "$FARM/key" "$FARM/other"; do
		lacks_secret "$key" "$FARM"/v*/log "$FARM"/v*/out "$FARM/run" page status.json
	done
	grep -qF "$(awk '{ print $2 }' "$FARM/key")" "$FARM/vchatty/log"	# names may be there
}
