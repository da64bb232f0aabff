# The manual pages: filled in and installed. Included by the Makefile.
#
# They are written with the paths of a distribution's package, so that they can be read where they
# are; installed, they name the directories that were configured.

MANUAL = $(patsubst $(srcdir)/man/%,%,$(wildcard $(srcdir)/man/*.[1-8]))

# Where a page goes below mandir: man8/p2pchatd.8.
manual_place = man$(subst .,,$(suffix $(1)))/$(1)

all: $(addprefix build/man/,$(MANUAL))
install: install-manual
uninstall: uninstall-manual

build/man/%: $(srcdir)/man/% config.mk
	@mkdir -p $(@D)
	$(call quiet,FILL)sed -e 's|/etc/p2pchat|$(sysconfdir)/p2pchat|g' \
		-e 's|/var/lib/p2pchat|$(localstatedir)/lib/p2pchat|g' \
		-e 's|/run/p2pchat|$(runstatedir)/p2pchat|g' \
		-e 's|/usr/share/doc/p2pchat|$(docdir)|g' $< >$@

install-manual: $(addprefix install-manual/,$(MANUAL))

install-manual/%: build/man/%
	$(INSTALL) -D -m 644 $< $(DESTDIR)$(mandir)/$(call manual_place,$*)

uninstall-manual:
	rm -f $(foreach page,$(MANUAL),$(DESTDIR)$(mandir)/$(call manual_place,$(page)))

.PHONY: install-manual uninstall-manual
