# p2pchat: hand-written GNU make. `make` builds, `make demo` shows, `make check` tests.
#
# configure writes config.mk (compiler, libraries, directories); both are made here when missing.
# Everything built lands in build/.  V=1 shows the commands, always so with --disable-silent-rules.

srcdir := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))

# These goals come before configure: some install what it needs and then start make again.
EARLY_GOALS = bench coverage deb dependencies demo help lint check check-% clean distclean
ifneq ($(filter-out $(EARLY_GOALS),$(or $(MAKECMDGOALS),all)),)
-include config.mk
endif

# As many jobs as there are processors, unless make was given -j.
JOBS = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

ifeq ($(V),1)
quiet =
else
quiet = @printf '  %-7s %s\n' $(1) $(patsubst $(CURDIR)/%,%,$@);
endif

WARNINGS = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wconversion -Wvla \
	-Wformat=2 -Wpointer-arith -Wundef $(WERROR)
ALL_CPPFLAGS = -I$(srcdir)/src -D_GNU_SOURCE -DVERSION='"$(PACKAGE_VERSION)"' \
	-DSYSCONFDIR='"$(sysconfdir)"' -DLOCALSTATEDIR='"$(localstatedir)"' \
	-DRUNSTATEDIR='"$(runstatedir)"' -DSYSTEMUNITDIR='"$(systemunitdir)"' \
	-DUSERUNITDIR='"$(userunitdir)"' $(LIBEVENT_CFLAGS) $(OPENSSL_CFLAGS) $(SQLITE_CFLAGS) \
	$(JANSSON_CFLAGS) $(LIBEDIT_CFLAGS) $(QRENCODE_CFLAGS) $(CONFUSE_CFLAGS) $(SECCOMP_CFLAGS) \
	$(SYSTEMD_CFLAGS) $(TIME64) $(if $(UNFORTIFIED),,$(FORTIFY)) $(CPPFLAGS)
# A level that somebody chose stays as it is, and without optimisation there can be none.
UNFORTIFIED = $(strip $(findstring _FORTIFY_SOURCE,$(CC) $(CPPFLAGS) $(CFLAGS)) $(filter -O0,$(CFLAGS)))
ALL_CFLAGS = -std=gnu17 -fPIE $(WARNINGS) $(HARDENING) $(CFLAGS)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed $(HARDENING) $(LDFLAGS)

DAEMON_LIBS = $(LIBEVENT_LIBS) $(OPENSSL_LIBS) $(SQLITE_LIBS) $(JANSSON_LIBS) $(CONFUSE_LIBS) \
	$(SECCOMP_LIBS) $(SYSTEMD_LIBS)
CLIENT_LIBS = $(JANSSON_LIBS)

# --- programs ---------------------------------------------------------------------------------

sources = $(patsubst $(srcdir)/src/%,%,$(wildcard $(addprefix $(srcdir)/src/,$(addsuffix /*.c,$(1)))))
objects = $(patsubst %.c,build/obj/%.o,$(1))

UNUSED = $(filter-out $(addsuffix .c,$(addprefix daemon/,$(NOTIFY) $(SANDBOX))),\
	$(addprefix daemon/,notify.c notify_none.c sandbox.c sandbox_none.c))
DAEMON_SOURCES = $(filter-out $(UNUSED),\
	$(call sources,base crypto net store rpc proto core daemon))
CLIENT_SOURCES = $(call sources,base rpc client client/chat client/verbs)
PROGRAMS = build/p2pchatd build/p2pchatctl

all: $(PROGRAMS)  ## both programs, in build/

build/p2pchatd: $(call objects,$(DAEMON_SOURCES))
	$(call quiet,LD)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(DAEMON_LIBS)

build/p2pchatctl: $(call objects,$(CLIENT_SOURCES))
	$(call quiet,LD)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(CLIENT_LIBS)

build/obj/%.o: $(srcdir)/src/%.c config.mk
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# libevent is of the system, and takes a struct timeval of its.
%/net/loop.o: TIME64 =

-include $(shell find build/obj -name '*.d' 2>/dev/null)

# With the options that configure was given before, if it was.
config.mk: $(srcdir)/configure $(srcdir)/config.mk.in
	if [ -x config.status ]; then ./config.status --recheck && ./config.status; \
	else $(srcdir)/configure $(CONFIGURE_FLAGS); fi

$(srcdir)/configure: $(srcdir)/configure.ac
	@command -v autoconf >/dev/null || \
		{ echo "autoconf not found; on Debian: apt-get install autoconf"; exit 1; }
	cd $(srcdir) && autoconf

# --- tests ------------------------------------------------------------------------------------

include $(srcdir)/tests/tests.mk

dependencies:  ## installs what building and testing need (Debian)
	@$(srcdir)/tests/tools/dependencies check

demo:  ## installs what is missing, builds, and runs two daemons that talk
	@$(srcdir)/tests/tools/dependencies build
	@$(MAKE) $(JOBS) --no-print-directory all
	@$(srcdir)/tests/tools/demo build

# What clangd and other tools read: how each file is compiled.
compile_commands.json: export COMPILE = $(CC) $(ALL_CPPFLAGS) -I$(srcdir)/tests $(ALL_CFLAGS)
compile_commands.json: config.mk  ## for clangd and editors
	$(call quiet,GEN)find $(realpath $(srcdir)/src $(srcdir)/tests) -name '*.c' | sort | awk \
		-v directory='$(CURDIR)' 'BEGIN { gsub(/["\\]/, "\\\\&", ENVIRON["COMPILE"]) } \
		{ printf "%s{\"directory\": \"%s\", \"file\": \"%s\", \"command\": \"%s -c %s\"}", \
			NR == 1 ? "[" : ",\n", directory, $$0, ENVIRON["COMPILE"], $$0 } \
		END { print "]" }' >$@

# The goals with a "##" behind them.
help:  ## this list
	@sed -n 's/^\([a-z][a-z0-9._-]*\).*:.*## *\(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 28

# --- installation -----------------------------------------------------------------------------

include $(srcdir)/systemd/systemd.mk
include $(srcdir)/man/man.mk
include $(srcdir)/completions/completions.mk
include $(srcdir)/contrib/contrib.mk
include $(srcdir)/contrib/package.mk

DOCS = README.md SECURITY.md CHANGELOG.md LICENSE $(addprefix tests/vectors/handshake-,\
	suite1-rsa2048.json suite1-of-2-rsa2048.json suite2-rsa2048.json)

install: all  ## with prefix and DESTDIR, as configure was told
	$(INSTALL) -d $(DESTDIR)$(bindir) $(DESTDIR)$(sbindir) $(DESTDIR)$(docdir)
	$(INSTALL) -m 755 build/p2pchatctl $(DESTDIR)$(bindir)/p2pchatctl
	$(INSTALL) -m 755 build/p2pchatd $(DESTDIR)$(sbindir)/p2pchatd
	$(INSTALL) -m 644 $(addprefix $(srcdir)/,$(DOCS)) $(DESTDIR)$(docdir)

uninstall:  ## removes what install has put there
	rm -f $(DESTDIR)$(bindir)/p2pchatctl $(DESTDIR)$(sbindir)/p2pchatd
	rm -f $(addprefix $(DESTDIR)$(docdir)/,$(notdir $(DOCS)))
	[ ! -d $(DESTDIR)$(docdir) ] || rmdir --ignore-fail-on-non-empty $(DESTDIR)$(docdir)

clean:  ## removes build/
	rm -rf build

distclean: clean  ## and what configure has made
	rm -rf compile_commands.json config.mk config.log config.status configure configure~ autom4te.cache

.PHONY: all compile_commands.json dependencies demo help install uninstall clean distclean
.DELETE_ON_ERROR:
