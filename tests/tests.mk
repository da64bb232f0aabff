# How the tests are built and run; included by the Makefile.
#
# A unit or dialogue test is one source and one program. Its objects are named in a .mk file beside
# it, by the paths below src/ or tests/ without suffix, and no more than it needs:
#
#     test_frame_OBJS = proto/frame base/bytes tests/unit/fake_random

include $(wildcard $(srcdir)/tests/unit/*.mk $(srcdir)/tests/dialogue/*.mk)

UNIT_TESTS = $(patsubst $(srcdir)/tests/%.c,build/tests/%,\
	$(wildcard $(srcdir)/tests/unit/test_*.c $(srcdir)/tests/dialogue/test_*.c))
TEST_LIBS = -lcmocka $(DAEMON_LIBS)

.SECONDEXPANSION:
build/tests/%: build/obj/tests/%.o $$(addsuffix .o,$$(addprefix build/obj/,$$($$(notdir $$*)_OBJS)))
	@mkdir -p $(@D)
	$(call quiet,LD)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(TEST_LIBS)

tests: $(UNIT_TESTS)

.PHONY: tests
.SECONDARY:
