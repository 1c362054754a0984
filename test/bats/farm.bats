#!/usr/bin/env bats
# farm.bats - what only shows with several jobs, several volunteers, or few
# means: no job waits for ever, none is lost, none is counted twice.

load helpers

setup_file() { farm_start 0; }
teardown_file() { farm_stop; }

setup() {
	mkdir -p "$FARM/w"
	cd "$FARM/w" || return
	RCC_HOSTS=
	echo 'int f(void) { return 1; }' >f.c
	remember
}

teardown() {
	cd /
	rm -rf "$FARM/w"
}

# slow SECONDS: a source that takes about so long at -O2, and no less than half of it
slow() {
	awk -v n="$((${1} * 400))" 'BEGIN { for (i = 0; i < n; i++)
		printf "int f%d(int *a, int n) { int s = 0; for (int i = 0; i < n; i++) s += a[i] * %d + s %% (i + 3); return s; }\n", i, i }' >slow.c
}

@test "a pipeline of compilers with one local slot ends" {
	export RCC_LOCAL_SLOTS=1 RCC_MODE=auto
	timeout 20 bash -c 'rcc gcc -S -o - f.c | rcc gcc -x assembler -c -o p.o -'
	gcc -S -o - f.c | gcc -x assembler -c -o want.o -
	cmp p.o want.o
}

@test "standard input that cannot be read is the compiler's to complain of" {
	volunteer plain
	run gcc -x c -c - -o bare.o </
	local bare=$status words=$output
	run rcc gcc -x c -c - -o o.o </
	[ "$status" -eq "$bare" ]
	[ "$output" = "$words" ]
	[ ! -e o.o ]
}

@test "a host that is named twice is one" {
	volunteer twice
	RCC_HOSTS="$RCC_HOSTS $RCC_HOSTS"
	for i in 1 2 3 4 5; do rcc gcc -c f.c -o "$i.o"; done
	expect_counted .jobs.remote 5
	expect_counted .jobs.fallback 0
}

@test "host/1: never two of our jobs there" {
	volunteer capped
	RCC_HOSTS=$RCC_HOSTS/1
	slow 1
	seq 4 | xargs -P 4 -I{} rcc gcc -O2 -c slow.c -o {}.o &
	local most=0 now
	while kill -0 $! 2>/dev/null; do
		now=$(status_of capped | jq '.running | length')
		((now > most)) && most=$now
		sleep 0.05
	done
	wait $!
	[ "$most" -eq 1 ]
	expect_counted .jobs.remote 4
}

@test "one that always refuses beside a good one: nothing is counted lost" {
	volunteer good
	volunteer bad --fault=refuse
	seq 24 | RCC_FALLBACK=0 xargs -P 4 -I{} rcc gcc -c f.c -o {}.o
	[ "$(find . -name '[0-9]*.o' | wc -l)" -eq 24 ]
	expect_counted .jobs.remote 24
	expect_counted .jobs.fallback 0
}

@test "a volunteer that says it succeeded and sends nothing is not believed" {
	volunteer empty --fault=empty
	gcc -c f.c -o want.o
	rcc gcc -c f.c -o f.o
	cmp f.o want.o
	expect_counted .jobs.fallback 1
	expect_counted '.reasons."server-garbage"' 1
}

@test "sixty wrappers and an agent with few descriptors" {
	volunteer few
	rcc --stop-agent
	wait_until 5 none_of rcc-agent
	(ulimit -n 64 && rcc gcc -c f.c)	# it starts the agent, whose limit this becomes
	run bash -c 'seq 60 | xargs -P 60 -I{} rcc gcc -c f.c -o {}.o'
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	[ "$(find . -name '[0-9]*.o' | wc -l)" -eq 60 ]
	rcc --stop-agent
}

@test "RCC_FALLBACK=0: a link whose agent dies is linked" {
	volunteer linked
	export RCC_LOCAL_SLOTS=1 RCC_MODE=auto
	echo 'int main(void) { return 0; }' >main.c
	gcc -c main.c
	mkfifo gate
	# one holds the slot, the link waits for it
	RCC_MODE=local rcc gcc -O2 -c -o held.o -include gate f.c & held=$!
	sleep 0.3
	RCC_FALLBACK=0 rcc gcc main.o -o main & link=$!
	sleep 0.3
	kill -9 $(ours rcc-agent)
	wait "$link"
	./main
	echo >gate
	wait "$held"
}

@test "another set of mounts, another agent: and both go remote" {
	unshare -m true 2>/dev/null || skip "mount namespaces are not allowed here"
	volunteer mounts
	rcc gcc -c f.c -o a.o
	unshare -m rcc gcc -c f.c -o b.o
	unshare -m rcc gcc -c f.c -o c.o
	expect_counted .jobs.remote 3
	kill $(ours rcc-agent)
}
