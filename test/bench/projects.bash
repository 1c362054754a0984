# projects.bash - real projects, from Debian's sources, for the measurements. Sourced, after
# `dir` was set to where the sources are kept, and farm_scratch to a place for scratch files.
# shellcheck shell=bash

: "${dir?}"

# --- the projects ----------------------------------------------------------
# Each row: the name, Debian's source package, how it is made ready, and what
# make is told. CC and CXX come on top. Redis has its row twice: with -g, text
# mode may change debug information, so only the rest is compared.

projects=(lua zlib re2 redis redis-g)

# Besides json, the tests of a C++ library, which takes minutes: only where it is named.
declare -A source_of=([lua]=lua5.4 [zlib]=zlib [re2]=re2 [redis]=redis [redis-g]=redis [json]=nlohmann-json3)

prepare_zlib() { ./configure --static >/dev/null; }
# Debian leaves out two generated sources, so its own makefile cannot finish;
# every source that is there compiles by itself.
prepare_re2() {
	cat >Makefile <<-'EOF'
	all: $(patsubst %.cc,%.o,$(wildcard re2/*.cc util/*.cc re2/testing/*.cc))
	%.o: %.cc; $(CXX) -std=c++17 -O2 -I. -pthread -Wall -c -o $@ $<
	EOF
}

# Lua's makefile keeps its language in CC, which we replace.
c_standard() { [ "$1" != lua ] || echo ' -std=gnu99'; }

# Without a stamp of the time and the host in it.
prepare_redis() { export SOURCE_DATE_EPOCH=0; }
prepare_redis-g() { prepare_redis; }

# Of its tests, those of 2 to 6 seconds; CMake would write the header.
prepare_json() {
	mkdir -p tests/gen && echo '#define TEST_DATA_DIRECTORY "data"' >tests/gen/test_data.hpp
	(cd tests && unit_rules json) >tests/units.mk
}

make_json() { echo -C tests -f units.mk O=.; }
make_lua() { echo -C src linux; }
make_zlib() { echo libz.a minigzip example; }
make_redis() { echo -C src MALLOC=libc DEBUG= DEBUG_FLAGS= redis-server redis-cli; }
make_redis-g() { echo -C src MALLOC=libc redis-server redis-cli; }

# Identical but for debug information?
same_redis-g() {
	strip --strip-debug -o "$farm_scratch/one.o" "$1" && strip --strip-debug -o "$farm_scratch/other.o" "$2" &&
		cmp "$farm_scratch/one.o" "$farm_scratch/other.o"
}

# --- only their compile commands -------------------------------------------
# Each row: where they run, what they are told, and a function that prints the units.

declare -A units_in=([lua]=src [redis]=src [json]=tests)
declare -A units_flags=([lua]='-std=gnu99 -O2 -Wall -Wextra -DLUA_USE_LINUX -DLUA_COMPAT_5_3'
	[redis]='-std=c11 -pedantic -Wall -W -Wno-missing-field-initializers -O3 -g -ggdb -DREDIS_STATIC= -I../deps/hiredis -I../deps/linenoise -I../deps/lua/src -I../deps/hdr_histogram'
	[json]='-std=c++11 -O1 -DDOCTEST_CONFIG_SUPER_FAST_ASSERTS -DJSON_TEST_KEEP_MACROS -I../include -Ithirdparty/doctest -Ithirdparty/fifo_map -Igen')

units_lua() { printf '%s\n' *.c; }
# What is for other systems is included by ae.c.
units_redis() { printf '%s\n' *.c | grep -v '^ae_'; }
units_json() {
	printf 'src/unit-%s.cpp\n' 32bit allocator alt-string capacity class_const_iterator class_iterator comparison diagnostics \
		disabled_exceptions element_access1 hash items iterators1 iterators2 merge_patch meta ordered_json ordered_map \
		pointer_access reference_access unicode1 unicode4 user_defined_input wstring
}

# unit_rules PROJECT: a makefile of its compile commands, from its units' directory; objects go to O.
unit_rules() {
	local unit object objects='' rules=''

	for unit in $("units_$1"); do
		object=${unit##*/}
		object="\$(O)/${object%.*}.o"
		objects+=" $object"
		case $unit in
		*.c) rules+="$object: $unit; \$(CC) ${units_flags[$1]} -c $unit -o \$@"$'\n' ;;
		*) rules+="$object: $unit; \$(CXX) ${units_flags[$1]} -c $unit -o \$@"$'\n' ;;
		esac
	done
	printf 'all:%s\n%s' "$objects" "$rules"
}

# --- sources ---------------------------------------------------------------

# apt-get with its own lists: the system's list of sources stays as it is.
private_apt() {
	apt-get -q -y -o APT::Sandbox::User=root -o Dir::Etc::sourcelist=/dev/null \
		-o Dir::Etc::sourceparts="$dir/apt/sources.list.d" -o Dir::State="$dir/apt/state" \
		-o Dir::State::status=/var/lib/dpkg/status -o Dir::Cache="$dir/apt/cache" "$@"
}

# What the system has as deb, as deb-src.
prepare_apt() {
	local from to=$dir/apt/sources.list.d

	[ -e "$dir/apt/ready" ] && return
	mkdir -p "$to" "$dir/apt/state/lists/partial" "$dir/apt/cache/archives/partial"
	for from in /etc/apt/sources.list.d/*.sources; do
		[ -e "$from" ] && sed 's/^Types:.*/Types: deb-src/' "$from" >"$to/${from##*/}"
	done
	for from in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ -e "$from" ] && sed -n 's/^deb /deb-src /p' "$from" >"$to/one-line-${from##*/}"
	done
	private_apt update >"$dir/apt/log" 2>&1 && touch "$dir/apt/ready"
}

# fetch PROJECT: its pristine sources in $dir/PROJECT.
fetch() {
	local package=${source_of[$1]}

	[ -d "$dir/src/$package" ] && return
	command -v apt-get >/dev/null && command -v dpkg-source >/dev/null || return 1
	prepare_apt || return 1
	mkdir -p "$dir/download" "$dir/src"
	(cd "$dir/download" && private_apt source --download-only "$package") >>"$dir/apt/log" 2>&1 || return 1
	rm -rf "$dir/src/$package.part"
	dpkg-source --no-check --skip-patches -x "$dir/download/$package"_*.dsc "$dir/src/$package.part" \
		>>"$dir/apt/log" 2>&1 || return 1
	mv "$dir/src/$package.part" "$dir/src/$package"
}

# --- their commands ----------------------------------------------------------

# A compiler that writes down what it is told, then does it.
make_recorder() {
	local name

	for name in gcc g++; do
		cat >"$farm_scratch/record-$name" <<-RECORDER
		#!/bin/bash
		for word; do [ "\$word" != -c ] || flock "$farm_scratch/commands" printf '%s\0' "\$PWD" $name "\$#" "\$@" >>"$farm_scratch/commands"; done
		exec $name "\$@"
		RECORDER
		chmod +x "$farm_scratch/record-$name"
	done
}

# record PROJECT: its tree, built; its commands in $farm_scratch/commands.
record() {
	local name=$1 arguments=()

	rm -rf "$farm_scratch/tree"
	: >"$farm_scratch/commands"
	cp -a "$dir/src/${source_of[$name]}" "$farm_scratch/tree"
	cd "$farm_scratch/tree" || exit 1
	if declare -F "prepare_$name" >/dev/null; then "prepare_$name" || return 1; fi
	if declare -F "make_$name" >/dev/null; then read -ra arguments < <("make_$name"); fi
	farm_make "$farm_scratch/record.log" CC="$farm_scratch/record-gcc$(c_standard "$name")" CXX="$farm_scratch/record-g++" -j2 "${arguments[@]}"
}

# each COMMAND...: every command that was recorded, after these words, where it was run.
each() {
	local where compiler count word words

	while IFS= read -r -d '' where && IFS= read -r -d '' compiler && IFS= read -r -d '' count; do
		words=()
		while ((count--)) && IFS= read -r -d '' word; do words+=("$word"); done
		cd "$where" && "$@" "$compiler" "${words[@]}" >/dev/null 2>&1
	done <"$farm_scratch/commands"
}
