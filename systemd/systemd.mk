# The files for systemd: filled in from *.in, installed, and made known to a systemd that runs here.
# Included by the Makefile; all of it is empty when configured --without-systemd.

ifeq ($(NOTIFY),notify)
SYSTEM_UNITS = p2pchatd.service p2pchatd.socket p2pchatd-peer.socket p2pchat-serve.service \
	p2pchat-files@.service
# As systemctl takes them: those of a template that run, by a pattern.
RUNNING_UNITS = $(patsubst %@.service,'%@*.service',$(SYSTEM_UNITS))
USER_UNITS = $(addprefix user/,$(SYSTEM_UNITS))
UNITS = $(addprefix build/systemd/,$(SYSTEM_UNITS) $(USER_UNITS))

all: $(UNITS)
install: install-systemd
uninstall: uninstall-systemd
endif

build/systemd/%: $(srcdir)/systemd/%.in config.mk
	@mkdir -p $(@D)
	$(call quiet,FILL)sed -e 's|@sbindir@|$(sbindir)|g' -e 's|@bindir@|$(bindir)|g' \
		-e 's|@libdir@|$(libdir)|g' -e 's|@PRIVATE_USERS@|$(PRIVATE_USERS)|g' $< >$@

build/systemd/%: $(srcdir)/systemd/%
	@mkdir -p $(@D)
	$(call quiet,COPY)cp $< $@

install-systemd: $(UNITS)
	$(INSTALL) -d $(addprefix $(DESTDIR),$(systemunitdir) $(userunitdir) $(sysusersdir) \
		$(tmpfilesdir) $(catalogdir))
	$(INSTALL) -m 644 $(addprefix build/systemd/,$(SYSTEM_UNITS)) $(DESTDIR)$(systemunitdir)
	$(INSTALL) -m 644 $(addprefix build/systemd/,$(USER_UNITS)) $(DESTDIR)$(userunitdir)
	$(INSTALL) -m 644 $(srcdir)/systemd/p2pchat.sysusers $(DESTDIR)$(sysusersdir)/p2pchat.conf
	$(INSTALL) -m 644 $(srcdir)/systemd/p2pchat.tmpfiles $(DESTDIR)$(tmpfilesdir)/p2pchat.conf
	$(INSTALL) -m 644 $(srcdir)/systemd/p2pchat.catalog $(DESTDIR)$(catalogdir)
	@if [ -z "$(DESTDIR)" ] && [ -d /run/systemd/system ] && [ "$$(id -u)" = 0 ]; then \
		systemd-sysusers $(sysusersdir)/p2pchat.conf && \
		systemd-tmpfiles --create $(tmpfilesdir)/p2pchat.conf && \
		journalctl --update-catalog && \
		systemctl daemon-reload && \
		if systemctl --quiet is-active p2pchatd; \
		then echo 'Let it run: systemctl restart p2pchatd'; \
		else echo 'Start it: systemctl enable --now p2pchatd'; fi; \
	fi

# What runs is ended first: without its units nobody could.
uninstall-systemd:
	@if [ -z "$(DESTDIR)" ] && [ -d /run/systemd/system ] && [ "$$(id -u)" = 0 ]; then \
		systemctl --quiet disable $(SYSTEM_UNITS); systemctl --quiet stop $(RUNNING_UNITS); \
	fi
	rm -f $(addprefix $(DESTDIR)$(systemunitdir)/,$(SYSTEM_UNITS))
	rm -f $(addprefix $(DESTDIR)$(userunitdir)/,$(SYSTEM_UNITS))
	rm -f $(DESTDIR)$(sysusersdir)/p2pchat.conf $(DESTDIR)$(tmpfilesdir)/p2pchat.conf
	rm -f $(DESTDIR)$(catalogdir)/p2pchat.catalog
	@if [ -z "$(DESTDIR)" ] && [ -d /run/systemd/system ] && [ "$$(id -u)" = 0 ]; then \
		systemctl daemon-reload && journalctl --update-catalog && \
		echo 'Keys, peers and history are kept in $(localstatedir)/lib/p2pchat'; \
	fi

.PHONY: install-systemd uninstall-systemd
