# setup.bats - contrib/setup sees what is missing, and says what to type.
load helpers

BIN=$BATS_TEST_TMPDIR/bin

# only COMMAND...: a machine that has what setup itself uses, and these
only() {
	local c
	rm -rf "$BIN"
	mkdir -p "$BIN"
	for c in sh id sed cut sort tr head cat readlink env "$@"; do
		ln -s "$(command -v "$c")" "$BIN/$c"
	done
}

# fake COMMAND WHAT-IT-PRINTS
fake() {
	rm -f "$BIN/$1"
	printf '#!/bin/sh\necho "%s"\n' "$2" >"$BIN/$1"
	chmod +x "$BIN/$1"
}

# setup as that machine would run it
there() { PATH=$BIN "$REPO/contrib/setup" "$@"; }

@test "with everything there, setup --check prints nothing" {
	run -0 "$REPO/contrib/setup" --check
	[ -z "$output" ]
}

@test "setup --check names what is missing, once each, and installs nothing" {
	only gcc pkg-config
	fake apt-get 'ran apt-get $*'
	run -1 there --check build run test
	[[ $output == *"make (package make)"* ]]
	[[ $output == *"aarch64-linux-gnu-gcc (package gcc-aarch64-linux-gnu)"* ]]
	[[ $output != *"gcc (package gcc)"* ]]
	[[ $output != *"ran apt-get"* ]]
	[ "$(printf '%s\n' "${lines[@]}" | sort -u | wc -l)" -eq "${#lines[@]}" ]
}

@test "setup --print gives one command, in the words of each system" {
	local row manager want
	for row in "apt-get:install -y --no-install-recommends jq make" "dnf:install -y jq make" \
		"pacman:-S --needed --noconfirm jq make" "apk:add jq make"; do
		manager=${row%%:*} want=${row#*:}
		only gcc musl-gcc pkg-config bash curl
		fake "$manager" 'ran $*'
		fake apt-cache ''
		run -0 there --print build run
		[[ $output == *"$manager $want" ]] || fail "$manager: $output"
		[ "${#lines[@]}" -eq 1 ]
	done
}

@test "setup without rights prints the command and fails" {
	only gcc musl-gcc pkg-config bash curl
	fake apt-get 'ran apt-get $*'
	fake apt-cache 'ran apt-cache $*'
	fake id 1000
	run -1 --separate-stderr there build run
	[ "$output" = "sudo apt-get install -y --no-install-recommends jq make" ]
}

@test "setup with rights installs, and says what is missing even so" {
	[ "$(id -u)" -eq 0 ] || skip "needs to be root"
	only gcc musl-gcc pkg-config bash curl
	fake apt-get 'ran apt-get $*'
	fake apt-cache 'ran apt-cache $*'
	run -1 there build run
	[[ $output == *"ran apt-get install -y --no-install-recommends jq make"* ]]
	[[ $output == *"still missing"*"make (package make)"* ]]
}

@test "setup refuses an unknown argument by name" {
	run -2 "$REPO/contrib/setup" --frobnicate
	[[ $output == *"--frobnicate"* ]]
}
