# How the tests are built and run; included by the Makefile.
#
# A unit or dialogue test is one source and one program. Its objects are named in a .mk file beside
# it, by the paths below src/ or tests/ without suffix, and no more than it needs:
#
#     test_frame_OBJS = proto/frame base/bytes tests/unit/fake_random

# An optimiser of the whole program would not see what --wrap puts in the place of a function: where
# one is asked for, the tests have objects of their own, without it.
UNJOINED = $(if $(findstring -flto,$(CC) $(CFLAGS)),-fno-lto)
TEST_OBJ = build/obj$(if $(UNJOINED),/unjoined)

$(TEST_OBJ)/tests/%.o: $(srcdir)/tests/%.c config.mk
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(ALL_CPPFLAGS) -I$(srcdir)/tests $(ALL_CFLAGS) $(UNJOINED) -MMD -MP \
		-c -o $@ $<

ifneq ($(UNJOINED),)
$(TEST_OBJ)/%.o: $(srcdir)/src/%.c config.mk
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(UNJOINED) -MMD -MP -c -o $@ $<
endif

include $(wildcard $(srcdir)/tests/*/*.mk)

UNIT_TESTS = $(patsubst $(srcdir)/tests/%.c,build/tests/%,\
	$(wildcard $(srcdir)/tests/unit/test_*.c $(srcdir)/tests/dialogue/test_*.c \
	$(srcdir)/tests/faults/test_*.c))
TEST_LIBS = -lcmocka $(DAEMON_LIBS)

.SECONDEXPANSION:
build/tests/%: $(TEST_OBJ)/tests/%.o \
		$$(addsuffix .o,$$(addprefix $(TEST_OBJ)/,$$($$(notdir $$*)_OBJS)))
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(TEST_LIBS)

tests: $(UNIT_TESTS) $(SIMULATION) $(FAULT_TOOLS) $(BENCH_TOOLS) $(FUZZ_TARGETS)  ## all test programs, not run

# --- running them -----------------------------------------------------------------------------
#
# Each goal ends with one line: N passed, N failed, N skipped.

# The second build, by clang with AddressSanitizer, LeakSanitizer and UBSan.
SANITIZED = build/sanitized

sanitized: $(SANITIZED)/config.mk  ## everything once more with AddressSanitizer and UBSan
	@$(MAKE) --no-print-directory -C $(SANITIZED) all tests

$(SANITIZED)/config.mk: $(srcdir)/configure $(srcdir)/config.mk.in
	@mkdir -p $(@D)
	cd $(@D) && $(abspath $(srcdir))/configure -q --enable-sanitizers --enable-werror CC=clang

# The third build, without systemd, and without the sandbox, which memcheck can't live in.
PLAIN = build/plain

plain: $(PLAIN)/config.mk
	@$(MAKE) --no-print-directory -C $(PLAIN) all

$(PLAIN)/config.mk: $(srcdir)/configure $(srcdir)/config.mk.in
	@mkdir -p $(@D)
	cd $(@D) && $(abspath $(srcdir))/configure -q --without-systemd --disable-sandbox \
		--enable-werror

# The fourth build counts what is run. It is not optimised, so that the branches are those of the
# source, and not confined, so that the daemon can write its counts.
COVERED = build/coverage

covered: $(COVERED)/config.mk
	@$(MAKE) --no-print-directory -C $(COVERED) HARDENING= all tests

$(COVERED)/config.mk: $(srcdir)/configure $(srcdir)/config.mk.in
	@mkdir -p $(@D)
	cd $(@D) && $(abspath $(srcdir))/configure -q --disable-sandbox --enable-werror \
		CFLAGS="-O0 -g --coverage" LDFLAGS=--coverage

RUN = @$(srcdir)/tests/tools/run
BUILD = +@$(MAKE) $(JOBS) --no-print-directory WERROR=-Werror

# Everything that runs the programs, in the build given by its folder.
modules = unit@$(1) dialogue@$(1) simulation@$(1) fuzz@$(1)
suite = $(modules) e2e@$(1)

# The end-to-end tests in which peers and strangers choose the bytes that come in: `check` runs them
# with sanitizers, too. check-sanitizers and check-deep do so with all.
EXPOSED = headers hostile_files hostile_lanes hostile_requests lanes man_in_the_middle races \
	reference_peer strangers streams
exposed = $(foreach name,$(EXPOSED),e2e/test_$(name)@$(1))

check: dependencies  ## all tests
	$(BUILD) all tests sanitized plain
	$(RUN) release@build service@build network@build lint docs@build install models faults@build \
		memcheck@$(PLAIN)/build $(call suite,build) $(call modules,$(SANITIZED)/build) \
		$(call exposed,$(SANITIZED)/build)

check-lint lint: dependencies  ## floors, dialect, formatting, shell
	$(RUN) lint

check-models: dependencies  ## ProVerif and Spin
	$(RUN) models

check-docs: dependencies  ## pages and help against the code
	$(BUILD) all
	$(RUN) docs@build

check-memcheck: dependencies  ## a conversation under valgrind
	$(BUILD) plain
	$(RUN) memcheck@$(PLAIN)/build

check-simulation: dependencies  ## many seeds of the simulated network
	$(BUILD) $(SIMULATION)
	$(RUN) simulation@build

check-unit: dependencies  ## modules, and dialogues of sessions
	$(BUILD) tests
	$(RUN) unit@build dialogue@build

check-built:  ## unit and dialogue with what is there, as in a package build
	+@$(MAKE) $(JOBS) --no-print-directory all $(filter-out build/tests/faults/%,$(UNIT_TESTS))
	$(RUN) unit@build dialogue@build

check-e2e: dependencies  ## real daemons on loopback
	$(BUILD) all
	$(RUN) e2e@build

check-release: dependencies  ## the other release of Debian, in a clean root (root)
	$(BUILD) all
	$(RUN) release@build

check-portability: deep-dependencies  ## i386, s390x, gcc and clang of both releases (root)
	$(RUN) release/portability

check-install: dependencies  ## flags, installing, packaging
	$(RUN) install

check-service: dependencies  ## a real systemd (root)
	$(BUILD) all plain
	$(RUN) service@build

check-package: deep-dependencies  ## distcheck, and the package for Debian under a real systemd (root)
	+@$(MAKE) --no-print-directory distcheck
	$(RUN) service/package@build

check-network: dependencies  ## network namespaces (root)
	$(BUILD) all
	$(RUN) network@build

check-sanitizers: dependencies  ## all tests of the programs in the sanitized build
	$(BUILD) sanitized
	$(RUN) $(call suite,$(SANITIZED)/build)

check-faults: dependencies  ## crashes, full disks, no memory, wrong clocks
	$(BUILD) all tests
	$(RUN) faults@build

check-fuzz: dependencies  ## the corpus, and a few seconds of fuzzing
	$(BUILD) $(FUZZ_TARGETS) sanitized
	$(RUN) fuzz@build fuzz@$(SANITIZED)/build

deep-dependencies:
	@$(srcdir)/tests/tools/dependencies deep

# The long form of what `check` does in short, for before a release. Writes tests/RESULTS.md.
check-deep: export P2PCHAT_DEEP = 1
check-deep: export P2PCHAT_RESULTS = $(abspath build/results)
check-deep: deep-dependencies  ## the long forms; writes tests/RESULTS.md
	$(BUILD) all tests sanitized
	@mkdir -p $(P2PCHAT_RESULTS)
	+@$(MAKE) --no-print-directory distcheck
	$(RUN) release/clean service/package@build models dialogue@build simulation@build \
		simulation/mutants faults@build network@build fuzz@$(SANITIZED)/build \
		e2e@$(SANITIZED)/build
	+@env -u P2PCHAT_DEEP $(MAKE) --no-print-directory coverage
	@$(srcdir)/tests/tools/results $(P2PCHAT_RESULTS)

# How much of src/ the tests run; too little fails.
coverage: dependencies  ## how much of src/ the tests run
	$(BUILD) covered
	@find $(COVERED) -name '*.gcda' -delete
	$(RUN) $(call suite,$(COVERED)/build)
	@$(srcdir)/tests/tools/coverage $(COVERED)/build/obj

# --- measuring --------------------------------------------------------------------------------
#
# Never a test: it prints ratios to what the machine itself can do, in the same run.

bench: dependencies  ## figures beside the limits of this machine
	$(BUILD) all plain $(BENCH_TOOLS)
	@$(srcdir)/tests/bench/run

.PHONY: bench coverage covered deep-dependencies lint tests sanitized plain check check-built \
	check-deep check-lint check-docs check-models check-memcheck check-simulation check-unit check-e2e \
	check-faults check-fuzz check-install check-network check-package check-portability check-release \
	check-service check-sanitizers
.SECONDARY:
