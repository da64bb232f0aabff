# The completions: installed where the shells look for them. Included by the Makefile.

COMPLETIONS = $(bashcompletiondir)/p2pchatctl $(zshcompletiondir)/_p2pchatctl \
	$(fishcompletiondir)/p2pchatctl.fish

install: install-completions
uninstall: uninstall-completions

install-completions:
	$(INSTALL) -D -m 644 $(srcdir)/completions/p2pchatctl.bash \
		$(DESTDIR)$(bashcompletiondir)/p2pchatctl
	$(INSTALL) -D -m 644 $(srcdir)/completions/_p2pchatctl $(DESTDIR)$(zshcompletiondir)/_p2pchatctl
	$(INSTALL) -D -m 644 $(srcdir)/completions/p2pchatctl.fish \
		$(DESTDIR)$(fishcompletiondir)/p2pchatctl.fish

uninstall-completions:
	rm -f $(addprefix $(DESTDIR),$(COMPLETIONS))

.PHONY: install-completions uninstall-completions
