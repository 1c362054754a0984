#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154,SC2317
# The second promise: whatever goes wrong costs time, never a result. Each
# fault has a farm and an agent of its own.

load helpers

setup() { farm_start 0; }
teardown() { farm_stop; }

# After the fault the same agent still gets work done elsewhere: nothing of
# the failed attempt is held.
recovers() {
	RCC_HOSTS=
	volunteer good
	warm
	same gcc -O2 -MD -c h.c
	was_remote 1
	expect_slots_free good
}

# faulty NAME KEYS: a compile where the only volunteer has this fault is the
# local one, for one reason.
faulty() {
	volunteer bad --fault="$1"
	same gcc -O2 -MD -c h.c
	[ "$(status)" -eq 0 ]
	one_reason "$2"
	was_remote 0
	recovers
}

# lost NAME: the volunteer had taken the job, so that it is a failed attempt.
lost() {
	volunteer bad --fault="$1"
	same gcc -O2 -MD -c h.c
	one_reason "$2"
	expect_counted .jobs.fallback 1
	wait_until 5 no_boxes
	recovers
}

@test "no volunteer is configured" {
	same gcc -c h.c
	one_reason no-hosts
	expect_counted .jobs.local 1
}

@test "the volunteer is absent" {
	export RCC_HOSTS=127.0.0.1:1
	same gcc -O2 -MD -c h.c
	one_reason 'no-candidate|server-lost'
	recovers
}

@test "the volunteer is absent, and the command could go either way: the agent lives" {
	local i
	cd "$BATS_TEST_TMPDIR" || return
	remember
	export RCC_HOSTS=127.0.0.1:1 RCC_MODE=auto
	echo 'int x;' >a.c
	for i in 1 2 3 4 5 6; do rcc gcc -c a.c; done
	expect_counted '.reasons["no-candidate"]' 6
	expect_counted .jobs.fallback 0
	[ "$(grep -c ' start pid=' "$FARM/run/agent.log")" -eq 1 ] || fail "$(cat "$FARM/run/agent.log")"
}

@test "a host name that does not resolve" {
	export RCC_HOSTS=volunteer.invalid
	same gcc -c h.c
	one_reason 'no-candidate|server-lost'
}

@test "an absent volunteer costs nothing beside a good one" {
	volunteer good
	export RCC_HOSTS="127.0.0.1:1 volunteer.invalid $RCC_HOSTS"
	warm
	same gcc -c h.c
	was_remote 1
}

@test "it refuses" { faulty refuse 'server-refused|no-candidate'; }
@test "it is killed before GRANT" { faulty exit-before-grant 'server-lost|no-candidate'; }
@test "it is killed while receiving" { lost exit-on-input server-lost; }
@test "it is killed while compiling" { lost exit-compiling server-lost; }
@test "it is killed while sending" { lost exit-sending server-lost; }
@test "it accepts and never answers" { faulty silent 'server-stalled|no-candidate'; }
@test "it takes the job and never answers" { lost silent-job server-stalled; }
@test "it answers garbage" { faulty garbage 'server-garbage|server-lost|no-candidate'; }
@test "it flips a byte of the object" { lost flip server-garbage; }

@test "one bad volunteer beside a good one: the other one does it" {
	local fault i
	export RCC_FALLBACK=0
	for fault in exit-on-input exit-compiling exit-sending flip refuse garbage exit-before-grant; do
		RCC_HOSTS=
		volunteer "$fault" --fault="$fault"
		volunteer "good-$fault"
		warm
		for i in 1 2 3; do
			same gcc -O2 -c h.c
			[ "$(status)" -eq 0 ]
			was_remote 1
		done
		expect_slots_free "good-$fault"
	done
}

@test "RCC_FALLBACK=0: a failed attempt is an error that says so, and makes no object" {
	volunteer bad --fault=exit-compiling
	mkdir "$W"
	cd "$W"
	sources
	RCC_FALLBACK=0 run -122 --separate-stderr rcc gcc -c h.c
	[ -z "$output" ]
	[ "${#stderr_lines[@]}" -eq 1 ]
	[[ $stderr == rcc:* ]]
	[ ! -e h.o ]
}

@test "kill -9 of a volunteer while it compiles" {
	volunteer 1
	warm
	extra() { slow_source 150 >slow.c; }
	same_sh "[ -z \"\$RCC\" ] || { sleep 0.4; kill -9 $(pid_of 1); } & \$RCC gcc -O2 -c slow.c; s=\$?; wait; exit \$s"
	[ "$(status)" -eq 0 ]
	one_reason server-lost
	expect_counted .jobs.fallback 1
	wait_until 5 no_boxes
	wait_until 5 no_jobs_left
	recovers
}

@test "kill -9 of the box while it compiles" {
	volunteer 1
	warm
	extra() { slow_source 150 >slow.c; }
	export -f ours boxes box_processes
	same_sh '[ -z "$RCC" ] || { sleep 0.4; kill -9 $(boxes); } & $RCC gcc -O2 -c slow.c; s=$?; wait; exit $s'
	[ "$(status)" -eq 0 ]
	one_reason 'box-failed|server-lost|job-killed'
	wait_until 5 no_jobs_left
	expect_slots_free 1
	same gcc -c h.c
	was_remote 1
}

@test "kill -9 of the spawn server while a box of its own compiles" {
	volunteer 1
	warm
	extra() { slow_source 150 >slow.c; }
	export -f ours spawners box_processes
	same_sh '[ -z "$RCC" ] || { sleep 0.4; kill -9 $(spawners); } & $RCC gcc -O2 -c slow.c; s=$?; wait; exit $s'
	[ "$(status)" -eq 0 ]
	one_reason 'box-failed'
	log_of 1 | grep -q 'spawner state=lost'
	wait_until 5 no_jobs_left
	expect_slots_free 1
	same gcc -c h.c
	was_remote 1
	[ "$(log_of 1 | grep -c 'spawner state=started')" -eq 2 ]
	[ "$(spawners | wc -l)" -eq 1 ]
}

@test "kill -9 of the compiler on the volunteer" {
	volunteer 1
	warm
	extra() { slow_source 150 >slow.c; }
	export -f jobs_left below ours
	same_sh '[ -z "$RCC" ] || { sleep 0.4; for p in $(jobs_left); do case $(readlink /proc/$p/exe) in */cc1) kill -9 $p; esac; done; } &
		$RCC gcc -O2 -c slow.c; s=$?; wait; exit $s'
	[ "$(status)" -eq 0 ]
	one_reason job-killed
	expect_slots_free 1
}

@test "every volunteer gone in the middle of a build" {
	volunteer 1
	volunteer 2
	warm
	extra() { local i; for ((i = 0; i < 12; i++)); do { slow_source 15; echo "int n = $i;"; } >"p$i.c"; done; }
	same_sh "[ -z \"\$RCC\" ] || { sleep 0.3; kill -9 $(pid_of 1) $(pid_of 2); } &
		seq 0 11 | xargs -P 6 -I{} \$RCC gcc -O2 -MD -c p{}.c; s=\$?; wait; exit \$s"
	[ "$(status)" -eq 0 ]
	expect_counted .jobs.total 12
	# from now on nobody waits for the dead
	SECONDS=0
	same gcc -c h.c
	((SECONDS < 3))
	recovers
}

@test "a volunteer that comes back is used again" {
	local address
	volunteer 1
	warm
	address=$(address_of 1)
	volunteer_kill 1
	same gcc -c h.c
	was_remote 0
	rccd_start 1 --listen "$address" --http 127.0.0.1:0 --jobs 2
	wait_until 8 warm_once
}

@test "kill -9 of the agent while a job is on its way" {
	volunteer 1
	warm
	extra() { slow_source 150 >slow.c; }
	export -f ours
	same_sh '[ -z "$RCC" ] || { sleep 0.4; kill -9 $(ours rcc-agent); } & $RCC gcc -O2 -MD -c slow.c; s=$?; wait; exit $s'
	[ "$(status)" -eq 0 ]
	wait_until 5 no_jobs_left
	expect_slots_free 1
	one_reason agent-lost
	wait_until 5 warm_once
}

@test "kill -9 of the agent at any moment" {
	local i ms
	volunteer 1
	warm
	mkdir "$W"
	cd "$W"
	sources
	slow_source 15 >s.c
	gcc -O2 -MD -c s.c
	mv s.o want.o
	mv s.d want.d
	for ((i = 0; i < 20; i++)); do
		rcc gcc -O2 -MD -c s.c >said 2>&1 3>&- &
		ms=$((i * 12 + RANDOM % 12))
		sleep "0.$(printf '%03d' $ms)"
		ours rcc-agent | xargs -r kill -9
		wait $! || fail "after $ms ms: exit status $?"
		cmp s.o want.o
		cmp s.d want.d
		[ ! -s said ] || fail "after $ms ms: $(cat said)"
		rm s.o s.d said
	done
	wait_until 5 no_jobs_left
	expect_slots_free 1
	wait_until 5 warm_once
}

@test "kill -9 of the agent under twenty compiles at once" {
	volunteer 1
	volunteer 2
	warm
	extra() { local i; for ((i = 0; i < 20; i++)); do { slow_source 8; echo "int n = $i;"; } >"p$i.c"; done; }
	export -f ours
	same_sh '[ -z "$RCC" ] || { sleep 0.3; kill -9 $(ours rcc-agent); sleep 0.2; kill -9 $(ours rcc-agent) 2>/dev/null; } &
		seq 0 19 | xargs -P 20 -I{} $RCC gcc -O2 -MD -c p{}.c; s=$?; wait; exit $s'
	[ "$(status)" -eq 0 ]
	expect_slots_free 1 2
}

@test "the disk is full: for the object, for the dependencies" {
	[ "$(id -u)" -eq 0 ] || skip 'mounting a small file system takes root'
	mkdir "$FARM/full"
	mount -t tmpfs -o size=64k none "$FARM/full" 2>/dev/null || skip 'this container may not mount'
	volunteer 1
	warm
	extra() {
		rm -rf "$FARM"/full/*
		echo 'const unsigned char blob[300000] = { 1 };' >big.c
	}
	same_sh '$RCC gcc -c big.c -o $FARM/full/big.o; s=$?; ls -A $FARM/full; exit $s' &&
		same_sh '$RCC clang -c big.c -o $FARM/full/big.o; s=$?; ls -A $FARM/full; exit $s' &&
		same_sh 'head -c 65536 /dev/zero >$FARM/full/zero; $RCC gcc -MD -MF $FARM/full/h.d -c h.c; s=$?; cat $FARM/full/h.d; exit $s' &&
		same gcc -c h.c -o "$FARM/full/h.o" || { umount "$FARM/full"; false; }
	umount "$FARM/full"
	[ "$(status)" -eq 0 ]
}

@test "the runtime directory cannot be written, or is a file" {
	local dir
	volunteer 1
	echo >"$FARM/file"
	for dir in /proc/rcc /dev/null "$FARM/file/run"; do
		RCC_RUNTIME_DIR=$dir same gcc -O2 -MD -c h.c
		[ "$(status)" -eq 0 ]
		[ -z "$(err)" ]
	done
	none_of rcc-agent
}

@test "the agent's program is missing" {
	volunteer 1
	rm "$FARM/bin/rcc-agent"
	same gcc -O2 -MD -c h.c
	[ "$(status)" -eq 0 ]
	[ -z "$(err)" ]
}

@test "no descriptors, no processes to spare" {
	volunteer 1
	warm
	same_sh 'ulimit -n 32; $RCC gcc -c h.c'
	[ "$(status)" -eq 0 ]
}

@test "a thousand wrappers at once" {
	volunteer 1
	mkdir "$W"
	cd "$W"
	echo 'int f(void) { return 1; }' >f.c
	gcc -c f.c -o want.o
	remember
	{
		seq -f 'gcc -c f.c -o %.0f.o' 200
		yes 'gcc -dumpversion' | head -n 400
		yes 'true -c f.c' | head -n 400
	} | shuf >commands
	xargs -P 1000 -L 1 rcc <commands >out 2>err
	[ ! -s err ]
	[ "$(sort -u out)" = "$(gcc -dumpversion)" ]
	[ "$(wc -l <out)" -eq 400 ]
	[ "$(sha256sum -- *.o | cut -d' ' -f1 | sort -u | wc -l)" -eq 1 ]
	[ "$(find . -name '*.o' | wc -l)" -eq 201 ]
	[ "$(ours rcc-agent | wc -l)" -eq 1 ]
	expect_slots_free 1
	(($(counted .jobs.remote) >= 190))
	wait_until 5 warm_once
}
