# manual.bats - the manual pages and the completion know every option that the
# programs do, and no other.
load helpers

# The options that a program's --help names, without the dashes.
help_of() { "$PROGRAMS/$1" --help | grep -o -e '--[a-z][a-z-]*' | sort -u; }
# Those that a page names.
page_of() { grep -o -e 'Fl -[a-z][a-z-]*' "$REPO/doc/$1" | sed 's/^Fl /-/' | sort -u; }

@test "rcc(1) names the options of rcc --help" {
	diff <(help_of rcc) <(page_of rcc.1)
}

@test "rccd(8) names the options of rccd --help" {
	diff <(help_of rccd) <(page_of rccd.8)
}

@test "the pages are well-formed" {
	need mandoc
	run -0 sh -c "mandoc -Tlint '$REPO'/doc/*.[158] 2>/dev/null | grep -v 'referenced manual not found' || true"
	[ -z "$output" ]
}

@test "completion offers the options of rcc and rccd" {
	. "$REPO/contrib/rcc.bash"
	COMP_WORDS=(rcc --) COMP_CWORD=1 COMPREPLY=()
	_rcc
	# --json belongs behind others
	diff <(printf '%s\n' "${COMPREPLY[@]}" --json | sort -u) <(help_of rcc)
	COMP_WORDS=(rccd --) COMP_CWORD=1 COMPREPLY=()
	_rccd
	# these two are for tests
	diff <(printf '%s\n' "${COMPREPLY[@]}" --fault --owner-root | sort -u) <(help_of rccd)
}

@test "completion behind rcc is that of the compiler" {
	. "$REPO/contrib/rcc.bash"
	COMP_WORDS=(rcc gc) COMP_CWORD=1 COMPREPLY=()
	_rcc
	[[ " ${COMPREPLY[*]} " == *" gcc "* ]]

	_command_offset() { offset=$1; }
	COMP_WORDS=(rcc --explain --json gcc -c) COMP_CWORD=4 COMPREPLY=()
	_rcc
	[ "$offset" -eq 3 ]
}
