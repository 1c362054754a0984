#!/usr/bin/env bats
# idle.bats - what is only so on a machine with nothing else to do: test/check runs this before all others.

load helpers

setup_file() {
	farm_start 1
	warm
}
teardown_file() { farm_stop; }

idle_here() {
	remember
	env -u RCC_MODE -u RCC_LOCAL_SLOTS rcc gcc -c h.c
	wait_until 2 counted_is "$REASONS + .jobs.remote" 1 && counted_is '.reasons["local-idle"]' 1
}

@test "RCC_MODE=auto with free local cores compiles here" {
	mkdir "$BATS_TEST_TMPDIR/w" && cd "$BATS_TEST_TMPDIR/w"
	echo 'int h;' >h.c
	wait_until 10 idle_here || fail "$(rcc --stats)"
}
