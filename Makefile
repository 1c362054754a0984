# rcc: programs in build/, everything else by name below. See README.md.
#
#	make [CC=clang] [SANITIZE=address,undefined] [O=build]
#	make check | demo | bench | bench-placement | lint | install | uninstall | clean

PREFIX = /usr/local
BINDIR = $(PREFIX)/bin
LIBEXECDIR = $(PREFIX)/libexec/rcc
MANDIR = $(PREFIX)/share/man
O = build

VERSION = 0.1.0
# Tables leave out what is zero, on purpose.
WARN = -Wall -Wextra -Wno-missing-field-initializers -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wshadow
OPT = -O2
CFLAGS = -g
ALL_CFLAGS = -std=gnu17 $(OPT) $(WARN) $(CFLAGS) -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -DLIBEXECDIR='"$(LIBEXECDIR)"' \
	-ffile-prefix-map='$(CURDIR)/=' -fstack-protector-strong -D_FORTIFY_SOURCE=2
ifneq ($(SANITIZE),)
ALL_CFLAGS += -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer -U_FORTIFY_SOURCE
SANITIZE_LINK = -fsanitize=$(SANITIZE)
else
WRAPPER_LINK = -static
# A glibc that is linked statically asks the processor for its caches at each start, which a virtual machine traps: 0.5 ms.
# It is the same gcc with another library: not for a CC that is another compiler, or for another machine.
ifneq ($(filter $(shell musl-gcc -dumpmachine 2>/dev/null),$(shell $(CC) -dumpmachine 2>/dev/null)),)
WRAPPER_CC = musl-gcc
endif
endif

PKGS = gnutls libuv liblz4 zlib jansson inih libmicrohttpd
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)

# Each folder sees only the floors below it; a wrong #include does not compile.
floor = -iquote common
$O/client/%.o: floor = -iquote common -iquote client
$O/client/agent/%.o: floor = -iquote common -iquote client -iquote client/agent
$O/server/%.o: floor = -iquote common -iquote server -iquote server/box
$O/server/box/%.o: floor = -Icommon -Iserver/box -I$O/server/box
$O/test/%.o: floor = -iquote common -iquote client -iquote client/agent -iquote server -iquote server/box -iquote test/unit
$O/test/sim/%.o: floor = -iquote common -iquote client/agent -iquote server -iquote test/sim

objs = $(foreach d,$1,$(patsubst %.c,$O/%.o,$(sort $(wildcard $d/*.c))))
PROGRAMS = $O/rcc $O/rcc-agent $O/rccd $O/rccd-box

all: $(PROGRAMS)
.DEFAULT_GOAL = all
.PHONY: all
.SECONDARY:

# The wrapper and the box are listed by name: what they link is what they may do.
# The wrapper starts once a compile, so it is linked with the C library that starts fastest.
WRAPPER_COMMON = argv base buf change err fact file frame proc
BOX_COMMON = argv base buf change codec err fact file frame job used wire
WRAPPER = $(patsubst %.c,%,$(sort $(wildcard client/*.c))) $(WRAPPER_COMMON:%=common/%)
ifeq ($(WRAPPER_CC),)
$O/rcc: $(WRAPPER:%=$O/%.o)
	$(CC) $(LDFLAGS) $(SANITIZE_LINK) $(WRAPPER_LINK) -o $@ $^
else
$O/wrapper/%.o: %.c $O/flags
	@mkdir -p $(@D)
	$(WRAPPER_CC) $(filter-out -D_FORTIFY_SOURCE=%,$(ALL_CFLAGS)) -iquote common -iquote client -MMD -MP -c -o $@ $<
$O/rcc: $(WRAPPER:%=$O/wrapper/%.o)
	$(WRAPPER_CC) $(LDFLAGS) $(WRAPPER_LINK) -o $@ $^
endif
AGENT_CLIENT = environment reason request
$O/rcc-agent: $(call objs,common client/agent) $(AGENT_CLIENT:%=$O/client/%.o)
	$(CC) $(LDFLAGS) $(SANITIZE_LINK) -o $@ $^ -lgnutls -luv -llz4 -lz -ljansson -linih -lresolv -lm -lpthread
$O/rccd: $(call objs,common server) $O/server/box/request.o $O/server/box/packet.o
	$(CC) $(LDFLAGS) $(SANITIZE_LINK) -o $@ $^ -lgnutls -luv -llz4 -lz -ljansson -linih -lmicrohttpd -lpthread
$O/rccd-box: $(call objs,server/box) $(BOX_COMMON:%=$O/common/%.o)
	$(CC) $(LDFLAGS) $(SANITIZE_LINK) $(WRAPPER_LINK) -o $@ $^ -llz4 -lz

# A change of flags rebuilds: the stamp holds the ones used last.
FLAGS_NOW = $(CC) $(WRAPPER_CC) $(ALL_CFLAGS) $(LDFLAGS)
$O/flags: force
	@mkdir -p $O; printf '%s\n' "$(subst ",\",$(FLAGS_NOW))" | cmp -s - $@ || printf '%s\n' "$(subst ",\",$(FLAGS_NOW))" >$@
force:
.PHONY: force

$O/%.o: %.c $O/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(PKG_CFLAGS) $(floor) -MMD -MP -c -o $@ $<

# The names of system calls, by the numbers that they have on this machine.
$O/server/box/syscalls.o: $O/server/box/syscall_names.h
$O/server/box/syscall_names.h: $O/flags
	@mkdir -p $(@D)
	echo '#include <sys/syscall.h>' | $(CC) -E -dM - | \
		sed -n '/__NR_syscalls\>\|__NR_arch_specific/d; s/^#define __NR_\([a-z0-9_]*\) .*/\t[__NR_\1] = "\1",/p' | sort >$@

# Tests link archives, so that each takes only what it names.
floors = box server agent client common
dir_box = server/box
dir_server = server
dir_agent = client/agent
dir_client = client
dir_common = common
define archive
$O/test/lib/$1.a: $$(filter-out %/main.o,$$(call objs,$$(dir_$1)))
	@mkdir -p $$(@D); rm -f $$@
	ar rcs $$@ $$^
endef
$(foreach f,$(floors),$(eval $(call archive,$f)))
ARCHIVES = $(floors:%=$O/test/lib/%.a)
# Client and server never meet in one program, so neither do they in a test.
SERVER_TESTS = test_admit test_fetch test_args test_box test_box_files test_callers test_exposure test_status test_rccd_options test_programs fuzz_box_request test_store test_store_kill test_policy test_signals test_cgroup test_sandbox test_view test_pagein view
side = $(if $(filter $(SERVER_TESTS),$(notdir $1)),server box,agent client) common
TEST_LIBS = -Wl,--start-group $(patsubst %,$O/test/lib/%.a,$(call side,$@)) -Wl,--end-group -lcmocka -lgnutls -luv -llz4 -lz -ljansson -linih -lmicrohttpd -lresolv -lm -lpthread

UNIT = $(patsubst %.c,$O/%,$(sort $(wildcard test/unit/test_*.c)))
$O/test/unit/%: $O/test/unit/%.o $(ARCHIVES)
	$(CC) $(LDFLAGS) $(SANITIZE_LINK) -o $@ $< $(TEST_LIBS)
# Runs a command as file mode does: for test/bats/view.bats.
$O/test/bats/view: $O/test/bats/view.o $(ARCHIVES)
	$(CC) $(LDFLAGS) $(SANITIZE_LINK) -o $@ $< $(TEST_LIBS)
# The one program where client and server meet: it simulates both, so it links the pure cores that they decide by, which
# are listed by name, and nothing that could do more than reckon (record_log: history's file, which it does not use).
SIM_AGENT = ban breaker finish hedge history outlook place record_log speed
SIM_SERVER = admit shares
$O/test/sim/sim: $(call objs,test/sim) $(SIM_AGENT:%=$O/client/agent/%.o) $(SIM_SERVER:%=$O/server/%.o) $O/test/lib/common.a
	$(CC) $(LDFLAGS) $(SANITIZE_LINK) -o $@ $^ -lgnutls -luv -llz4 -lz -lm -lpthread
unit-build: $(UNIT) $O/test/bats/view $O/test/sim/sim
unit: unit-build
	O="$O" test/check unit

# What is missing is installed where it can be, else the command is named.
setup:
	@contrib/setup --check >/dev/null 2>&1 || contrib/setup
check:
	@$(MAKE) setup
	@$(MAKE) all unit-build
	O="$O" test/check
demo:
	@$(MAKE) setup
	@$(MAKE) all
	@O="$O" contrib/demo
$O/bench/box: $O/test/bench/box.o $O/test/lib/box.a $O/test/lib/common.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) $(SANITIZE_LINK) -o $@ $^ -lgnutls -luv -llz4 -lz -lpthread
$O/bench/files: $O/test/bench/files.o $O/test/lib/agent.a $O/test/lib/common.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) $(SANITIZE_LINK) -o $@ $^ -lgnutls -luv -llz4 -lz -lpthread
bench: all $O/bench/box $O/bench/files
	@O="$O" test/bench/run
# Takes about half an hour; the last needs root.
bench-placement: all
	@O="$O" test/bench/sleepers
	@O="$O" test/bench/sleepers --peer distcc
	@O="$O" test/bench/sleepers --peer icecream
	@O="$O" test/bench/farm
.PHONY: unit unit-build setup check demo bench bench-placement

# One program a decoder, by libFuzzer: make fuzz, then run build/fuzz/fuzz_frame.
FUZZ = $(patsubst test/fuzz/%.c,$O/fuzz/%,$(sort $(wildcard test/fuzz/fuzz_*.c)))
FUZZ_SECONDS = 10
fuzz:
	$(MAKE) CC=clang SANITIZE=address,undefined O=$O/fuzz-objects OPT=-O1 CFLAGS="-g -fsanitize=fuzzer-no-link" fuzz-programs FUZZ_OUT=$O/fuzz
FUZZ_OUT = $O/fuzz
fuzz-programs: $(patsubst test/fuzz/%.c,$(FUZZ_OUT)/%,$(sort $(wildcard test/fuzz/fuzz_*.c)))
$(FUZZ_OUT)/fuzz_%: $O/test/fuzz/fuzz_%.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(CC) $(SANITIZE_LINK) -fsanitize=fuzzer -o $@ $< $(filter-out -lcmocka,$(TEST_LIBS))
fuzz-run: fuzz
	@for f in $(FUZZ); do echo "$$f"; "$$f" -max_total_time=$(FUZZ_SECONDS) -verbosity=0 || exit 1; done
.PHONY: fuzz fuzz-programs fuzz-run

# cppcheck reads neither system headers nor __typeof__ by itself.
lint:
	queue=$$(echo '#include <sys/queue.h>' | $(CC) -E - | sed -n 's/^# 1 "\(.*queue\.h\)".*/\1/p' | head -n 1); \
	cppcheck --quiet --error-exitcode=1 --std=c11 --inline-suppr --suppress=missingIncludeSystem \
		--enable=warning,portability --include="$$queue" -D_GNU_SOURCE '-D__typeof__(x)=void *' \
		-Icommon -Iclient -Iclient/agent -Iserver -Iserver/box common client server
	shellcheck -x contrib/setup contrib/demo test/check test/bench/run test/bench/workloads test/bench/modes test/bench/identical \
		test/bench/sleepers test/bench/farm .ci/run
.PHONY: lint

include contrib/install.mk

-include $(shell find $O -name '*.d' 2>/dev/null)

# The same sources give the same bytes, wherever they lie.
reproducible:
	$(MAKE) O=$O/once all && $(MAKE) O=$O/twice all
	for p in rcc rcc-agent rccd rccd-box; do cmp "$O/once/$$p" "$O/twice/$$p" || exit 1; done
.PHONY: reproducible

clean:
	rm -rf $O
.PHONY: clean
