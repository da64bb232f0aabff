# Scripts around p2pchat and the sample configuration: filled in, and installed as examples.
# Included by the Makefile.

EXAMPLES = p2pchat-notify p2pchat-tmux p2pchat-unit-alert p2pchat-bot p2pchat-folder-backup
FILLED_EXAMPLES = p2pchatd.conf p2pchat-alert@.service p2pchat-hook@.service p2pchatd.apparmor README.md

all: $(addprefix build/contrib/,$(FILLED_EXAMPLES))
install: install-examples
uninstall: uninstall-examples

build/contrib/p2pchatd.conf: $(srcdir)/contrib/sample-config.awk $(srcdir)/src/daemon/settings.def
	@mkdir -p $(@D)
	$(call quiet,MAKE)awk -f $^ >$@

build/contrib/%: $(srcdir)/contrib/%.in config.mk
	@mkdir -p $(@D)
	$(call quiet,FILL)sed -e 's|@docdir@|$(docdir)|g' $< >$@

build/contrib/%: $(srcdir)/contrib/%
	@mkdir -p $(@D)
	$(call quiet,COPY)cp $< $@

install-examples: $(addprefix build/contrib/,$(FILLED_EXAMPLES))
	$(INSTALL) -d $(DESTDIR)$(docdir)/examples
	$(INSTALL) -m 755 $(addprefix $(srcdir)/contrib/,$(EXAMPLES)) $(DESTDIR)$(docdir)/examples
	$(INSTALL) -m 644 $(addprefix build/contrib/,$(FILLED_EXAMPLES)) $(DESTDIR)$(docdir)/examples

uninstall-examples:
	rm -f $(addprefix $(DESTDIR)$(docdir)/examples/,$(EXAMPLES) $(FILLED_EXAMPLES))
	[ ! -d $(DESTDIR)$(docdir)/examples ] || \
		rmdir --ignore-fail-on-non-empty $(DESTDIR)$(docdir)/examples

.PHONY: install-examples uninstall-examples
