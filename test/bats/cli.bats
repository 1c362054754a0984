#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154,SC2317
# What rcc says about itself, and to those who ask it wrongly.

load helpers

setup_file() {
	farm_start 2
	warm
}
teardown_file() { farm_stop; }

setup() {
	mkdir -p "$W"
	cd "$W" || return
	sources
}

# complains STATUS TEXT...: the last command of run failed so, in one line of
# stderr that holds each text
complains() {
	local expected=$1 text
	shift
	[ "$status" -eq "$expected" ]
	[ -z "$output" ]
	[ "${#stderr_lines[@]}" -eq 1 ]
	for text; do
		[[ $stderr == *"$text"* ]] || fail "no '$text' in: $stderr"
	done
}

# --- about itself -----------------------------------------------------------

@test "--help and --version" {
	local option
	run -0 --separate-stderr rcc --help
	[ -z "$stderr" ]
	for option in --explain --hosts --jobs --stats --zero-stats --stop-agent --install-links --version --json; do
		[[ $output == *"$option"* ]] || fail "--help has no $option"
	done
	run -0 --separate-stderr rcc --version
	[[ $output =~ ^rcc\ [0-9]+\.[0-9]+ ]]
}

@test "no arguments" {
	run --separate-stderr rcc
	complains 120 rcc
}

@test "an unknown option" {
	run --separate-stderr rcc --no-such-option
	complains 120 --no-such-option
	run --separate-stderr rcc --stats --no-such-option
	complains 120 --no-such-option
	run --separate-stderr rcc --stats extra
	complains 120 extra
	run --separate-stderr rcc -c h.c
	complains 120 -c
}

@test "an option of rcc without what it needs" {
	run --separate-stderr rcc --explain
	complains 120 --explain
}

@test "output that cannot be written is an error" {
	run --separate-stderr bash -c 'rcc --help >/dev/full'
	[ "$status" -ne 0 ]
	run --separate-stderr bash -c 'rcc --stats --json >/dev/full'
	[ "$status" -ne 0 ]
}

# --- --watch ----------------------------------------------------------------

@test "--watch prints one page where there is no terminal" {
	run -0 --separate-stderr rcc --watch
	[ -z "$stderr" ]
	[[ $output == *"$(address_of 1)  ready "* && $output == *"0 away"* && $output == *"done: "* ]]
	[[ $output != *$'\e'* ]]
}

@test "--watch paints within its terminal until it is interrupted" {
	local longest painted
	probe -s INT -a 1800 -p 12x40 rcc --watch >painted
	[[ $(tail -n 1 painted) == *"killed 2" ]]
	# each page begins at the top
	[ "$(grep -c $'\e\[H' painted)" -ge 2 ]
	tr -d '\r' <painted | sed '$d' | sed -E $'s/\e\\[[HJK]//g' >lines
	longest=$(wc -L <lines)
	[ "$longest" -ge 30 ] && [ "$longest" -lt 40 ]
	# and ends on the last line but one: it never scrolls
	painted=$(tr -d '\r' <painted | awk -v RS='\033[[]H' 'NR == 3' | grep -c $'\e\[K')
	[ "$painted" -ge 7 ] && [ "$painted" -lt 12 ]
}

@test "--watch goes on without an agent, and starts none again" {
	rcc --stop-agent
	probe -s TERM -a 5000 -p 24x80 rcc --watch >painted 3>&- &
	wait_until 5 grep -q 'done: ' painted
	rcc --stop-agent
	wait_until 5 grep -q 'no agent' painted || fail "$(cat painted)"
	wait $!
	[[ $(tail -n 1 painted) == *"killed 15" ]]
	none_of rcc-agent
}

@test "--watch with a setting that cannot be used" {
	RCC_MODE=no-such run --separate-stderr rcc --watch
	complains 121 no-such
	RCC_MODE=no-such probe -s INT -a 5000 -p 24x80 rcc --watch >painted
	[ "$(tail -n 1 painted)" = "exited 121" ]
	grep -q 'RCC_MODE' painted
}

# --- --explain --------------------------------------------------------------

@test "--explain of a compile: it would go, and nothing is run" {
	remember
	run -0 --separate-stderr rcc --explain gcc -O2 -MD -c h.c
	[ -z "$stderr" ]
	[[ $output == *cc1* && $output == *h.c* && $output == *text* ]]
	[ ! -e h.o ]
	[ ! -e h.d ]
	expect_counted .jobs.total 0
}

@test "--explain of what stays here says why, in words" {
	local text
	while IFS='|' read -r args text; do
		# shellcheck disable=SC2086
		run -0 rcc --explain $args
		[[ $output == *"$text"* ]] || fail "--explain $args says: $output"
	done <<-'END'
		gcc -O2 -flto -c h.c|link-time
		gcc a.c b.c h.c|
		gcc --version|question
		false -c h.c|not a compiler
		gcc -fplugin=x.so -c h.c|-fplugin
		gcc -fstack-usage -c h.c|more files
		gcc -c s.s|assembl
		gcc -c absent.c|
	END
	run -0 env RCC_MODE=local rcc --explain gcc -c h.c
	[[ $output == *RCC_MODE=local* ]]
	run -0 env RCC_MODE=auto rcc --explain gcc -g -c h.c
	[[ $output == *debug* ]]
}

@test "--explain --json" {
	run -0 --separate-stderr rcc --explain --json gcc -c a.c b.c
	jq -e . <<<"$output" >/dev/null
	[ "$(jq '[.. | strings | select(test("cc1$"))] | length > 0' <<<"$output")" = true ]
	run -0 --separate-stderr rcc --explain --json gcc -flto -c h.c
	jq -e '[.. | strings | select(. == "lto")] | length > 0' <<<"$output" >/dev/null
	run -0 --separate-stderr rcc --explain --json clang -c $'odd "name\\\xff.c'
	jq -e . <<<"$output" >/dev/null
	run -0 --separate-stderr rcc --explain --json true
	jq -e . <<<"$output" >/dev/null
}

@test "--explain of a program that does not exist" {
	run -127 --separate-stderr rcc --explain no-such-compiler -c h.c
	complains 127 no-such-compiler
}

# --- --hosts, --jobs, --stats -----------------------------------------------

@test "--hosts lists each volunteer, and why one cannot be used" {
	export RCC_HOSTS="$RCC_HOSTS 127.0.0.1:1 volunteer.invalid"
	hosts() { rcc --hosts | grep -F 127.0.0.1:1 | grep -qi 'refused'; }
	wait_until 5 hosts
	run -0 --separate-stderr rcc --hosts
	[ -z "$stderr" ]
	[[ $output == *"$(address_of 1)"* && $output == *"$(address_of 2)"* && $output == *volunteer.invalid* ]]
}

@test "--hosts --json" {
	run -0 --separate-stderr rcc --hosts --json
	jq -e . <<<"$output" >/dev/null
	[[ $output == *"$(address_of 1)"* ]] || [[ $output == *"${RCC_HOSTS##*:}"* ]]
	RCC_HOSTS='' run -0 rcc --hosts --json
	jq -e . <<<"$output" >/dev/null
}

@test "--jobs: a number for make -j, no smaller than the slots there are" {
	run -0 --separate-stderr rcc --jobs
	[[ $output =~ ^[0-9]+$ ]]
	((output >= 4))
	RCC_HOSTS='' run -0 rcc --jobs
	[[ $output =~ ^[0-9]+$ ]]
	((output >= 1))
}

@test "--stats counts each job once, with its reason" {
	remember
	rcc gcc -c h.c
	was_remote 1
	rcc gcc -O2 -flto -c b.c
	expect_counted '.reasons.lto' 1
	expect_counted .jobs.local 1
	expect_counted .jobs.total 2
	expect_counted .jobs.fallback 0
	expect_counted .jobs.cached 0
	(($(counted .bytes.sent) > 0))
	(($(counted .bytes.received) > 0))
	run -0 --separate-stderr rcc --stats
	[[ $output == *remote* && $output == *local* && $output == *fallback* && $output == *link-time* ]]
}

@test "--stats --json has the keys that scripts rely on, and they add up" {
	rcc --stats --json | jq -e '.jobs | .total == .local + .remote + .cached + .fallback' >/dev/null
	rcc --stats --json | jq -e '[.jobs.total, .jobs.local, .jobs.remote, .jobs.cached, .jobs.fallback, .bytes.sent,
		.bytes.received] | all(type == "number")' >/dev/null
	rcc --stats --json | jq -e '.reasons | type == "object" and all(.[]; type == "number")' >/dev/null
}

@test "--zero-stats" {
	rcc gcc -c h.c
	run -0 rcc --zero-stats
	[ "$(rcc --stats --json | jq '.jobs.total + .bytes.sent')" -eq 0 ]
	rcc --stats --json | jq -e '.reasons | all(.[]; . == 0)' >/dev/null
}

@test "--stop-agent ends it when its jobs are done; the next compile starts another" {
	local old
	old=$(ours rcc-agent)
	[ -n "$old" ]
	slow_source 100 >slow.c
	rcc gcc -O2 -c slow.c 3>&- &
	sleep 0.3
	run -0 rcc --stop-agent
	wait $!
	[ -s slow.o ]
	wait_until 5 dead "$old"
	run -0 rcc --stop-agent
	warm
	[ "$(ours rcc-agent | wc -l)" -eq 1 ]
	[ "$(ours rcc-agent)" != "$old" ]
}

@test "one agent serves many, started by whoever comes first" {
	rcc --stop-agent
	wait_until 5 none_of rcc-agent
	seq 20 | xargs -P 20 -I{} rcc gcc -c h.c -o obj/{}.o
	[ "$(ours rcc-agent | wc -l)" -eq 1 ]
}

# --- settings ---------------------------------------------------------------

@test "malformed RCC_HOSTS: one line that names it, for compiles and queries" {
	local bad
	for bad in '127.0.0.1:port' '127.0.0.1:99999' '127.0.0.1:1/many' ':17632' '[::1' '127.0.0.1:1:2'; do
		RCC_HOSTS=$bad run --separate-stderr rcc gcc -c h.c
		complains 121 RCC_HOSTS "$bad"
		[ ! -e h.o ]
		RCC_HOSTS="$bad $RCC_HOSTS" run --separate-stderr rcc --hosts
		complains 121 RCC_HOSTS "$bad"
	done
}

@test "commas, spaces and slots in RCC_HOSTS" {
	remember
	RCC_HOSTS=" ${RCC_HOSTS/ /\/1 , },, " rcc gcc -c h.c
	was_remote 1
}

@test "other settings with a value that cannot be" {
	RCC_MODE=fast run --separate-stderr rcc gcc -c h.c
	complains 121 RCC_MODE fast
	RCC_LOCAL_SLOTS=-1 run --separate-stderr rcc gcc -c h.c
	complains 121 RCC_LOCAL_SLOTS -1
	RCC_FALLBACK=perhaps run --separate-stderr rcc gcc -c h.c
	complains 121 RCC_FALLBACK perhaps
}

@test "a config file: its settings count, the environment wins" {
	local hosts=$RCC_HOSTS
	mkdir -p home/.config/rcc
	export HOME=$W/home
	printf '# mine\nhosts = %s\nmode = text\nlocal_slots = 0\n' "$hosts" >home/.config/rcc/rcc.conf
	remember
	env -u RCC_HOSTS -u RCC_MODE -u RCC_LOCAL_SLOTS rcc gcc -c h.c
	was_remote 1
	remember
	env -u RCC_HOSTS RCC_MODE=local rcc gcc -c h.c
	was_local mode-local
}

@test "a config file with an unknown key, section or value: file and line are named" {
	local line
	mkdir -p home/.config/rcc
	export HOME=$W/home
	for line in 'colour = blue' '[farm]' 'mode = fast' 'no equals sign'; do
		printf 'local_slots = 0\n%s\nhosts = 127.0.0.1:1\n' "$line" >home/.config/rcc/rcc.conf
		run --separate-stderr rcc gcc -c h.c
		((status == 121))
		[ "${#stderr_lines[@]}" -eq 1 ]
		[[ $stderr == *"home/.config/rcc/rcc.conf:"[23]* ]] || fail "$line: $stderr"
	done
}

@test "a config file that cannot be read" {
	mkdir -p home/.config/rcc/rcc.conf
	HOME=$W/home run --separate-stderr rcc gcc -c h.c
	complains 121 home/.config/rcc/rcc.conf
	rmdir home/.config/rcc/rcc.conf
	[ "$(id -u)" -ne 0 ] || return 0
	: >home/.config/rcc/rcc.conf
	chmod 0 home/.config/rcc/rcc.conf
	HOME=$W/home run --separate-stderr rcc gcc -c h.c
	complains 121 home/.config/rcc/rcc.conf
}

@test "the settings of the caller count, not those the agent was started with" {
	remember
	RCC_HOSTS='' rcc gcc -c h.c
	was_local no-hosts
	remember
	RCC_MODE=local rcc gcc -c h.c
	was_local mode-local
	remember
	rcc gcc -c h.c
	was_remote 1
}

@test "RCC_FALLBACK=0: a local verdict is no failure" {
	RCC_FALLBACK=0 rcc gcc -O2 -flto -c h.c
	RCC_FALLBACK=0 rcc gcc a.c b.c h.c -o program
	RCC_FALLBACK=0 rcc gcc --version
}
