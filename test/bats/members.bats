#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2046
# members.bats - volunteers that are found by name, that come, and that leave.
#
# rcc and its agent run in a mount namespace of their own, whose resolv.conf
# names a server of ours on a loopback address.

load helpers

setup_file() {
	farm_start 0
	export NS="127.$((RANDOM % 200 + 20)).$((RANDOM % 250)).53"
}
teardown_file() { farm_stop; }

setup() {
	mkdir -p "$FARM/w"
	cd "$FARM/w" || return
	unset RCC_HOSTS
	echo 'int f(void) { return 1; }' >f.c
}

teardown() {
	cd /
	rcc --stop-agent || true
	wait_until 10 none_of rcc-agent || true
	volunteers_leave
	[ -z "$SERVER" ] || kill "$SERVER"
	[ -z "$SPACE" ] || kill "$SPACE"
	SERVER='' SPACE=''
	rm -rf "$FARM/w" "$FARM"/v*
}

# The volunteers of one test.
volunteers_leave() {
	local pid
	for pid in $(ours rccd); do kill -TERM "$pid" 2>/dev/null || true; done
	wait_until 10 none_of rccd
}

server_start() {
	python3 "$BATS_TEST_DIRNAME/names.py" "$NS" "$FARM/zone" >"$FARM/questions" 2>"$FARM/server.err" 3>&- 4>&- &
	SERVER=$!
	wait_until 5 grep -q listening "$FARM/questions" || fail "$(cat "$FARM/server.err")"
}
server_kill() {
	kill "$SERVER"
	wait_until 5 dead "$SERVER"
	SERVER=''
}

# names_start [SECONDS]: a namespace in which names are ours; so long a server is waited for
names_start() {
	need python3 nsenter
	[ "$(id -u)" = 0 ] || skip "not root"
	unshare -m true 2>/dev/null || skip "mount namespaces are not allowed here"
	: >"$FARM/zone"
	printf 'nameserver %s\noptions timeout:%d attempts:1\n' "$NS" "${1:-1}" >"$FARM/resolv.conf"
	echo 'hosts: files dns' >"$FARM/nsswitch.conf"
	server_start
	# shellcheck disable=SC2016
	unshare -m sh -c 'mount --bind "$0/resolv.conf" "$(readlink -f /etc/resolv.conf)" &&
		mount --bind "$0/nsswitch.conf" /etc/nsswitch.conf && : >"$0/ready" && exec sleep 1000' "$FARM" 3>&- 4>&- &
	SPACE=$!
	wait_until 5 test -e "$FARM/ready" || skip "no mounts over /etc here"
	rm "$FARM/ready"
	here rcc --zero-stats
	remember
}

here() { nsenter --mount="/proc/$SPACE/ns/mnt" --wd="$PWD" "$@"; }
rcc() { if [ -n "$SPACE" ]; then here rcc "$@"; else command rcc "$@"; fi; }
zone() { printf '%s\n' "$@" >"$FARM/zone.new" && mv "$FARM/zone.new" "$FARM/zone"; }

# at NAME ADDRESS [OPTION...]: a volunteer of that name there, on the test's port
at() {
	local name=$1 address=$2
	shift 2
	rccd_start "$name" --listen "$address:${PORT:-0}" --http 127.0.0.1:0 --jobs 2 "$@"
	PORT=${PORT:-$(address_of "$name" | sed 's/.*://')}
}
port_of() { address_of "$1" | sed 's/.*://'; }
hosts() { rcc --hosts --json | jq -c '[.hosts[] | select(.state == "ready") | .host] | sort' | tr -d '[]"'; }
hosts_are() { [ "$(hosts)" = "$1" ]; }
expect_hosts() { wait_until 15 hosts_are "$1" || fail "not $1: $(rcc --hosts) $(cat "$FARM/questions")"; }
jobs_of() { rcc --hosts --json | jq "[.hosts[] | select(.host == \"$1\") | .jobs] | add // 0"; }

@test "dns: each address is a volunteer; one that is lost is soon replaced by one that came" {
	names_start
	at one 127.0.0.2
	at two 127.0.0.3
	at three 127.0.0.4
	zone "A farm.test 127.0.0.2" "A farm.test 127.0.0.3"
	export RCC_HOSTS="dns:farm.test:$PORT"
	expect_hosts "127.0.0.2:$PORT,127.0.0.3:$PORT"
	[ "$(rcc --jobs)" -ge 4 ]
	warm
	zone "A farm.test 127.0.0.2" "A farm.test 127.0.0.4"
	volunteer_kill two
	expect_hosts "127.0.0.2:$PORT,127.0.0.4:$PORT"
	warm
}

@test "srv: targets with ports of their own, priorities aside; who leaves the answer gets no more jobs" {
	names_start
	at one 127.0.0.2
	PORT=
	at two 127.0.0.3
	zone "SRV _rcc._tcp.farm.test 1 $(port_of one) a.farm.test" "SRV _rcc._tcp.farm.test 1 $(port_of two) b.farm.test" \
		"A a.farm.test 127.0.0.2" "A b.farm.test 127.0.0.3"
	export RCC_HOSTS="srv:_rcc._tcp.farm.test"
	expect_hosts "a.farm.test:$(port_of one),b.farm.test:$(port_of two)"
	warm
	zone "SRV _rcc._tcp.farm.test 1 $(port_of two) b.farm.test" "A b.farm.test 127.0.0.3"
	expect_hosts "b.farm.test:$(port_of two)"
	remember
	for i in 1 2 3 4 5 6; do rcc gcc -c f.c -o "$i.o"; done
	was_remote 6
	[ "$(jobs_of "b.farm.test:$(port_of two)")" -ge 6 ]
}

@test "a name server that dies, or cannot tell, leaves the volunteers of its last answer" {
	names_start
	at one 127.0.0.2
	zone "SRV _rcc._tcp.farm.test 1 $PORT a.farm.test" "A a.farm.test 127.0.0.2" "A farm.test 127.0.0.2"
	export RCC_HOSTS="srv:_rcc._tcp.farm.test dns:farm.test:$PORT"
	expect_hosts "127.0.0.2:$PORT,a.farm.test:$PORT"
	warm
	server_kill
	wait_until 15 says_unresolved "no name server answers"
	remember
	rcc gcc -c f.c -o a.o
	was_remote 1
	hosts_are "127.0.0.2:$PORT,a.farm.test:$PORT"
	zone "FAIL _rcc._tcp.farm.test"
	server_start
	wait_until 15 grep -q SRV "$FARM/questions"
	rcc gcc -c f.c -o b.o
	was_remote 2
	zone "SRV _rcc._tcp.farm.test 1 $PORT a.farm.test" "A a.farm.test 127.0.0.2" "A farm.test 127.0.0.2"
	wait_until 35 says_nothing_of_names
}
says_unresolved() { rcc --hosts | grep '^srv:_rcc._tcp.farm.test *unresolved' | grep -q "$1"; }
says_nothing_of_names() { ! rcc --hosts | grep -q unresolved; }

@test "a name that does not exist: local at once, and --hosts says why" {
	names_start
	export RCC_HOSTS="dns:nothing.invalid srv:_rcc._tcp.nothing.invalid" RCC_MODE=auto RCC_LOCAL_SLOTS=2
	rcc gcc -c f.c -o a.o
	one_reason 'local-idle|no-candidate'
	gcc -c f.c -o b.o
	cmp a.o b.o
	run -0 rcc --hosts
	[[ $output =~ dns:nothing.invalid\ +unresolved\ +no\ such\ name ]]
	[[ $output =~ srv:_rcc._tcp.nothing.invalid\ +unresolved\ +no\ such\ SRV ]]
	[ "$(rcc --hosts --json | jq -c '[.entries[].found]')" = '[0,0]' ]
	run -0 rcc --jobs
	[ "$output" -eq "$(nproc --all)" ]
	# once the name is there, its volunteers are
	at one 127.0.0.2
	zone "A nothing.invalid 127.0.0.2"
	RCC_HOSTS="dns:nothing.invalid:$PORT"
	expect_hosts "127.0.0.2:$PORT"
}

@test "text mode waits for the first answer, and for no longer" {
	names_start
	export RCC_HOSTS="dns:nothing.invalid" RCC_MODE=text RCC_LOCAL_SLOTS=0
	rcc gcc -c f.c -o a.o
	was_local no-candidate
	at one 127.0.0.2
	zone "A farm.test 127.0.0.2"
	RCC_HOSTS="dns:farm.test:$PORT"
	rcc gcc -c f.c -o b.o
	was_remote 1
}

@test "a name server that says nothing: local at once; text mode gives it a few seconds" {
	names_start 30
	kill -STOP "$SERVER"
	export RCC_HOSTS="dns:farm.test" RCC_MODE=auto RCC_LOCAL_SLOTS=2
	rcc gcc -c f.c -o a.o
	was_local local-idle
	remember
	RCC_MODE=text RCC_LOCAL_SLOTS=0 rcc gcc -c f.c -o b.o
	was_local no-candidate
	rcc --hosts | grep -q '^dns:farm.test *unresolved *no name server has answered yet'
	kill -CONT "$SERVER"
}

@test "of forty addresses an agent works with a part, and says so" {
	names_start
	at one 127.0.0.2
	for i in $(seq 40); do echo "A farm.test 127.0.0.$((i + 1))"; done >"$FARM/zone"
	export RCC_HOSTS="dns:farm.test:$PORT"
	# the only one that is there is soon in that part
	expect_hosts "127.0.0.2:$PORT"
	[ "$(rcc --hosts --json | jq '.hosts | length')" -eq 32 ]
	rcc --hosts | grep -q '^dns:farm.test *resolved *40 volunteers; a part of them is used'
	warm
}

@test "text mode: volunteers that leave during a build and come back lose no job" { coming_and_going text; }
@test "file mode: volunteers that leave during a build and come back lose no job" {
	[ "$(sandbox)" = "" ] || skip "no confinement here, so no file mode"
	coming_and_going file
}
# coming_and_going MODE: a build during which each volunteer leaves and returns
coming_and_going() {
	local i pid
	at one 127.0.0.2
	at two 127.0.0.3
	export RCC_HOSTS="127.0.0.2:$PORT 127.0.0.3:$PORT"
	slow_source 40 >part.c
	for ((i = 0; i < 40; i++)); do
		{ echo "int unit$i = $i;"; cat part.c; } >"u$i.c"
	done
	printf 'all: %s\n%%.o: %%.c\n\trcc gcc -O1 -c $< -o $@\n' "$(printf 'u%d.o ' $(seq 0 39))" >Makefile
	export RCC_MODE=$1
	warm || fail "$(rcc --hosts; log_of one)"
	remember
	make -j6 >make.out 2>&1 3>&- 4>&- &
	pid=$!
	wait_until 20 some_made 4
	leave_and_return one 127.0.0.2
	wait_until 30 some_made 14
	leave_and_return two 127.0.0.3
	wait "$pid" || fail "$(cat make.out)"
	for ((i = 0; i < 40; i++)); do
		gcc -O1 -c "u$i.c" -o want.o
		cmp "u$i.o" want.o
	done
	expect_counted .jobs.fallback 0 || fail "$(grep -e attempt -e peer -e job- "$FARM/run/agent.log")"
	[ "$(counted .jobs.remote)" -gt 20 ]
}
some_made() { [ "$(find . -name 'u*.o' | wc -l)" -ge "$1" ]; }
leave_and_return() {
	local pid
	pid=$(pid_of "$1")
	kill -TERM "$pid"
	wait_until 20 dead "$pid"
	at "$1" "$2"
}
