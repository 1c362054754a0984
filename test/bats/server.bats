#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154,SC2317
# A volunteer as its owner and the network meet it: options, pages, and
# whatever a stranger sends.

load helpers

setup_file() {
	farm_start 1 --name alder --jobs 3
	warm
}
teardown_file() { farm_stop; }
setup() { cd "$BATS_TEST_TMPDIR" || return; }

get() { curl -sS --max-time 5 "$@"; }
url() { echo "http://$(http_of 1)$1"; }

# refused TEXT...: rccd ended with 2 and, besides its log, one line that holds each text
refused() {
	local text said
	[ "$status" -eq 2 ]
	said=$(grep '^rccd: ' <<<"$stderr")
	[ "$(wc -l <<<"$said")" -eq 1 ]
	for text; do
		[[ $said == *"$text"* ]] || fail "no '$text' in: $stderr"
	done
}

# rccd_fails OPTION...: it must end by itself, at once
rccd_fails() {
	run --separate-stderr timeout 5 rccd --store "$BATS_TEST_TMPDIR/store" --listen 127.0.0.1:0 --http off "$@"
}

# --- options ----------------------------------------------------------------

@test "--help and --version" {
	local option
	run -0 rccd --help
	for option in --listen --http --jobs --policy --store --config; do
		[[ $output == *"$option"* ]] || fail "--help has no $option"
	done
	run -0 rccd --version
	[[ $output =~ ^rccd\ [0-9]+\.[0-9]+ ]]
}

@test "an unknown option, a missing value, a stray word" {
	rccd_fails --no-such-option
	refused --no-such-option
	rccd_fails --jobs
	refused --jobs
	rccd_fails stray
	refused stray
}

@test "values that cannot be" {
	rccd_fails --jobs 0
	refused --jobs 0
	rccd_fails --jobs many
	refused --jobs many
	rccd_fails --policy sometimes
	refused --policy sometimes
	rccd_fails --fault nothing-known
	refused --fault nothing-known
	rccd_fails --listen 127.0.0.1:port
	refused --listen 127.0.0.1:port
	rccd_fails --http 127.0.0.1
	refused --http
}

@test "an address that is not loopback takes --insecure-no-auth" {
	rccd_fails --listen 0.0.0.0:0
	refused 0.0.0.0 --insecure-no-auth
	rccd_fails --http 0.0.0.0:0
	refused --http 0.0.0.0
}

@test "a port that is in use" {
	rccd_fails --listen "$(address_of 1)"
	refused --listen "$(address_of 1)"
	rccd_fails --http "$(http_of 1)"
	refused --http "$(http_of 1)"
}

@test "a store that is in use, or cannot be made" {
	rccd_fails --store "$FARM/v1/store"
	refused "$FARM/v1/store"
	rccd_fails --store /proc/nowhere
	refused /proc/nowhere
}

@test "a config file: its options count, the command line wins" {
	cat >"$BATS_TEST_TMPDIR/conf" <<-'END'
		# a volunteer
		jobs = 5
		name = birch
		http = 127.0.0.1:0
	END
	rccd_start conf --config "$BATS_TEST_TMPDIR/conf" --listen 127.0.0.1:0
	[ "$(status_of conf | jq -r '"\(.name) \(.slots)"')" = 'birch 5' ]
	rccd_start conf2 --config "$BATS_TEST_TMPDIR/conf" --listen 127.0.0.1:0 --jobs 1
	[ "$(status_of conf2 | jq .slots)" = 1 ]
}

@test "a config file with an unknown key or a bad value: file and line are named" {
	local conf=$BATS_TEST_TMPDIR/conf
	printf 'jobs = 2\ncolour = blue\n' >"$conf"
	rccd_fails --config "$conf"
	refused "$conf:2" colour
	printf '\n\njobs = none\n' >"$conf"
	rccd_fails --config "$conf"
	refused "$conf:3" jobs none
	rccd_fails --config "$conf.absent"
	refused "$conf.absent"
	rccd_fails --config /
	refused /
}

# --- pages ------------------------------------------------------------------

@test "/healthz" {
	[ "$(get -o /dev/null -w '%{http_code}' "$(url /healthz)")" = 200 ]
}

@test "/status.json: slots, jobs, toolchains, and the job just done" {
	local before
	before=$(status_of 1 | jq '.jobs.done // .jobs.ok // ([.jobs[]] | add)')
	remember
	warm_once
	was_remote 1
	wait_until 5 slots_free 1
	status_of 1 | jq -e '.name == "alder" and .slots == 3 and .free == 3 and .queued == 0 and .running == []' >/dev/null
	status_of 1 | jq -e '.last[0] | .exit_status == 0 and .cpu_us > 0 and .bytes_out > 0 and (.programs | test("cc1"))' >/dev/null
	status_of 1 | jq -e '.toolchains | length > 0 and any(.[]; .state == "ready")' >/dev/null
	status_of 1 | jq -e '.callers == [{"caller": "at 127.0.0.1", "share": 1.0, "waiting": 0, "slots": 0}]' >/dev/null
	(($(status_of 1 | jq '.jobs.done // .jobs.ok // ([.jobs[]] | add)') == before + 1))
}

@test "/status.json while a job runs" {
	mkdir "$W"
	cd "$W"
	slow_source 300 >slow.c
	rcc gcc -O2 -c slow.c 3>&- &
	running() { status_of 1 | jq -e '.free == 2 and (.running | length) == 1 and .running[0].running_ms >= 0' >/dev/null; }
	wait_until 5 running
	wait $!
	expect_slots_free 1
}

@test "/metrics is what Prometheus reads" {
	get -D headers "$(url /metrics)" >metrics
	grep -qi '^content-type: text/plain; version=0.0.4' headers
	if grep -vE '^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? [0-9.e+-]+)$' metrics; then false; fi
	grep -qx 'rccd_slots 3' metrics
	[ -z "$(grep -o '^[a-z_]*\({[^}]*}\)\?' metrics | sort | uniq -d)" ]
}

@test "/ is a page that loads nothing from elsewhere and names the volunteer" {
	get "$(url /)" >page
	grep -qi '<!doctype html>' page
	grep -q alder page
	if grep -Eo '(src|href)="https?:[^"]*"' page; then false; fi
	get -I "$(url /)" | grep -qi '^content-type: text/html'
}

# In the order of arrival, the modest one would have one of thirteen.
@test "two callers of unequal greed share one slot" {
	local counts modest
	rccd_start fair --listen 127.0.0.1:0 --http 127.0.0.1:0 --jobs 1 --fault silent-job
	counts=$(PYTHONDONTWRITEBYTECODE=1 timeout 60 python3 "$BATS_TEST_DIRNAME/fair.py" "$(address_of fair)" \
		"$(readlink -f "$(command -v as)")" 30 3>&-)
	modest=${counts##* }
	((modest >= 10 && modest <= 20)) || fail "$counts"
}

@test "other paths, other methods, another Host" {
	code() { get -o /dev/null -w '%{http_code}' "$@"; }
	[ "$(code "$(url /nothing)")" = 404 ]
	[ "$(code --path-as-is "$(url /../../etc/passwd)")" = 404 ]
	[ "$(code -X POST -d x "$(url /)")" = 405 ]
	[ "$(code -X DELETE "$(url /status.json)")" = 405 ]
	[ "$(code -H 'Host: evil.example' "$(url /status.json)")" = 421 ]
	[ "$(code -H "Host: localhost:${RANDOM}" "$(url /status.json)")" = 200 ]
}

@test "--http off" {
	rccd_start quiet --listen 127.0.0.1:0 --http off
	[ -z "$(http_of quiet)" ]
	if grep -q '\<http addr=' "$FARM/vquiet/log"; then false; fi
}

@test "several --listen" {
	rccd_start many --listen 127.0.0.1:0 --listen 127.0.0.2:0 --http off
	[ "$(log_of many | grep -c '\<listening addr=')" -eq 2 ]
}

# --- strangers --------------------------------------------------------------

# Bytes for printf %b: little-endian, as common/frame.h says.
u32() { printf '\\x%02x\\x%02x\\x%02x\\x%02x' $(($1 & 255)) $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24 & 255)); }
u8() { printf '\\x%02x' "$1"; }
# frame TYPE [LENGTH [RAW [CODEC [FLAGS]]]]
frame() { printf '%s' "$(u32 "${2:-0}")$(u32 "${3:-${2:-0}}")$(u32 0)$(u8 "$1")$(u8 "${4:-0}")$(u8 "${5:-0}")$(u8 0)"; }

# send BYTES: as a stranger, who then waits for the volunteer to hang up
send() {
	local address
	address=$(address_of 1)
	exec 9<>"/dev/tcp/${address%:*}/${address#*:}"
	(printf '%b' "$1" >&9) 2>/dev/null || true	# SIGPIPE ends only the subshell
	# a reset is an end as well
	timeout 10 cat <&9 >/dev/null 2>&1 || [ $? -ne 124 ] || fail "the connection stays open"
	exec 9<&- 9>&-
}
complaints() { log_of 1 | grep -cE '\<(violation|gone)\>.*why="..*"' || true; }

# rejected BYTES: that ends this connection with a logged reason, and nothing else
rejected() {
	local before
	before=$(complaints)
	send "$1"
	more() { (($(complaints) > before)); }
	wait_until 2 more || fail "nothing was logged about $1"
}

still_serves() {
	if dead "$(pid_of 1)"; then fail "rccd died: $(log_of 1)"; fi
	same gcc -c h.c
	was_remote 1
	expect_slots_free 1
}

@test "text, random bytes, nothing at all" {
	rejected 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
	rejected '\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff'
	rejected '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03aaaaaaaaaaaaaaaaaaaaaaaa'
	still_serves
}

@test "a frame with a bad length" {
	rejected "$(frame 1 4294967295)"
	rejected "$(frame 1 65537)"
	still_serves
}

@test "a frame of unknown type" {
	rejected "$(frame 0)"
	rejected "$(frame 200)"
	still_serves
}

@test "a frame with a bad codec, flag, or raw length" {
	rejected "$(frame 1 4 4 9)xxxx"
	rejected "$(frame 1 4 4 0 255)xxxx"
	rejected "$(frame 1 4 5)xxxx"
	still_serves
}

# HELLO: magic, version 4, role, a name
hello() { printf '%s' "$(frame 1 14)$(u32 0x31636372)$(u32 4)$(u8 "$1")$(u32 1)x"; }

@test "a frame that has no place in this state" {
	rejected "$(frame 11 8)aaaaaaaa"
	rejected "$(hello 0)$(hello 0)"
	rejected "$(hello 0)$(frame 8 8)aaaaaaaa"
	rejected "$(hello 1)$(frame 14 4)aaaa"
	rejected "$(hello 1)$(frame 25 4)aaaa"	# FACTS, ANSWER, BLOB_NONE, JOB_END without a job
	rejected "$(hello 1)$(frame 27 4)aaaa"
	rejected "$(hello 1)$(frame 24 32)aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	rejected "$(hello 1)$(frame 30 0)"
	rejected "$(hello 1)$(frame 26 4)aaaa"	# QUESTION, NEED, KEEP: not an agent's
	rejected "$(hello 1)$(frame 31 4)aaaa"
	rejected "$(hello 1)$(frame 33 4)aaaa"
	still_serves
}

@test "a HELLO of another magic, of another role, with trailing bytes" {
	rejected "$(frame 1 14)$(u32 1)$(u32 1)$(u8 0)$(u32 1)x"
	rejected "$(hello 7)"
	rejected "$(frame 1 15)$(u32 0x31636372)$(u32 1)$(u8 0)$(u32 1)xx"
	rejected "$(frame 1 14)$(u32 0x31636372)$(u32 1)$(u8 0)$(u32 999)x"
	still_serves
}

@test "a toolchain and a job of nonsense" {
	rejected "$(hello 0)$(frame 5 8)aaaaaaaa"
	rejected "$(hello 0)$(frame 5 8)$(u32 0)aaaa"	# no entries, and then some
	rejected "$(hello 1)$(frame 13 12)aaaaaaaaaaaa"
	still_serves
}

@test "a stranger cannot write lines of the log, nor fields" {
	rejected "$(hello 0)$(frame 5 33)$(u32 1)$(u32 25)x\\nforged\" forged=\"1\x1b[2Jyz"
	log_of 1 | grep -F "tree: bad entry x?forged' forged='1?[2Jyz"
	if log_of 1 | grep -E '^forged|" forged='; then false; fi
}

@test "a stranger who says nothing, or half a frame, is sent away" {
	local address
	address=$(address_of 1)
	exec 8<>"/dev/tcp/${address%:*}/${address#*:}"
	printf '\x04\x00' >&8
	still_serves
	timeout 15 cat <&8 >/dev/null
	exec 8<&- 8>&-
}

# --- the end ----------------------------------------------------------------

@test "SIGTERM: the job in hand is finished, then rccd leaves with 0" {
	rccd_start leaver --listen 127.0.0.1:0 --http 127.0.0.1:0 --jobs 1
	export RCC_HOSTS
	RCC_HOSTS=$(address_of leaver)
	warm
	mkdir "$W"
	cd "$W"
	slow_source 120 >slow.c
	gcc -O2 -c slow.c -o want.o
	remember
	rcc gcc -O2 -c slow.c 3>&- &
	sleep 0.3
	kill -TERM "$(pid_of leaver)"
	wait $!
	cmp slow.o want.o
	was_remote 1
	wait_until 5 dead "$(pid_of leaver)"
	log_of leaver | grep -q '\<end\>'
}

# leaving NAME: a job of some seconds runs on that volunteer, for the wrapper $!
leaving() {
	rccd_start "$@" --listen 127.0.0.1:0 --http 127.0.0.1:0 --jobs 1
	export RCC_HOSTS
	RCC_HOSTS=$(address_of "$1")
	warm
	mkdir "$W"
	cd "$W"
	slow_source 900 >slow.c
	remember
	rcc gcc -O2 -c slow.c 3>&- &
	working() { status_of "$1" | jq -e '.running != []' >/dev/null; }
	wait_until 5 working "$1"
}
# cut_short NAME: it has ended, its job with it, and the caller did without
cut_short() {
	wait_until 3 dead "$(pid_of "$1")" || fail "still there: $(log_of "$1")"
	no_jobs_left
	log_of "$1" | grep -q 'cut-short jobs=1'
	log_of "$1" | grep -q '\<end\>'
	wait $!
	[ -s slow.o ]
	was_remote 0
	one_reason server-refused
}

@test "SIGTERM: a job that outlasts --grace is cut short" {
	leaving hasty --grace 1
	kill -TERM "$(pid_of hasty)"
	cut_short hasty
}

@test "SIGTERM twice: the job is cut short at once" {
	leaving told-twice
	kill -TERM "$(pid_of told-twice)"
	sleep 0.2
	kill -TERM "$(pid_of told-twice)"
	cut_short told-twice
}

@test "jobs leave nothing in the store" {
	remember
	warm_once
	expect_slots_free 1
	[ -z "$(find "$FARM/v1/store/jobs" -mindepth 1)" ]
	[ -z "$(ls -A "$FARM/v1/tmp")" ]
}

@test "a job sees nothing of the volunteer's environment" {
	need strings
	rccd_env() { tr '\0' '\n' <"/proc/$1/environ"; }
	mkdir "$W"
	cd "$W"
	slow_source 200 >slow.c
	SECRET_OF_CALLER=1 rcc gcc -O2 -c slow.c 3>&- &
	find_job() { for job in $(jobs_left); do case $(readlink "/proc/$job/exe") in */cc1) return 0 ;; esac; done; false; }
	wait_until 5 find_job
	rccd_env "$job" >environment
	wait $!
	if grep -E '^(HOME|SECRET_OF_CALLER|BATS|RCC_)' environment; then false; fi
}
