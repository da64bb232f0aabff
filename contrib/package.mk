# What is handed on: an archive of the source, and a package. Included by the Makefile.
#
# It holds what git does, and configure, so that nobody needs autoconf. Made again of the same
# commit it has the same bytes: order, owners, modes and times are those of the commit.

DIST = p2pchat-$(PACKAGE_VERSION)
SOURCE_DATE_EPOCH ?= $(shell git -C $(srcdir) log -1 --format=%ct)

dist: $(srcdir)/configure  ## build/p2pchat-VERSION.tar.gz, the same bytes each time
	@git -C $(srcdir) rev-parse --git-dir >/dev/null || \
		{ echo "an archive is made of a git checkout"; exit 1; }
	@mkdir -p build
	$(call quiet,TAR){ git -C $(srcdir) ls-files && echo configure; } | \
		tar -C $(srcdir) -T - --sort=name --format=ustar --owner=0 --group=0 --numeric-owner \
		--mode=u+rw,go=rX,a-s --mtime=@$(SOURCE_DATE_EPOCH) --transform='s,^,$(DIST)/,' -cf - | \
		gzip -9n >build/$(DIST).tar.gz

# The archive builds where nothing of it may be written, passes its tests, installs, and is removed
# without a trace.
distcheck: dist  ## builds, tests, installs and removes what dist has made
	rm -rf build/distcheck
	mkdir -p build/distcheck/build
	tar -C build/distcheck -xzf build/$(DIST).tar.gz
	chmod -R a-w build/distcheck/$(DIST)
	cd build/distcheck/build && ../$(DIST)/configure -q --enable-werror
	+$(MAKE) -C build/distcheck/build $(JOBS) check-built
	+$(MAKE) -C build/distcheck/build install installcheck DESTDIR=$(abspath build/distcheck/root)
	+$(MAKE) -C build/distcheck/build uninstall DESTDIR=$(abspath build/distcheck/root)
	@left=$$(find build/distcheck/root ! -type d -o -name '*p2pchat*') && [ -z "$$left" ] || \
		{ printf 'uninstall leaves:\n%s\n' "$$left"; exit 1; }
	chmod -R u+w build/distcheck && rm -rf build/distcheck

installcheck:  ## what was installed starts, and is of this version
	[ "$$($(DESTDIR)$(sbindir)/p2pchatd --version | head -n 1)" = "p2pchatd $(PACKAGE_VERSION)" ]
	$(DESTDIR)$(bindir)/p2pchatctl help >/dev/null
	$(DESTDIR)$(sbindir)/p2pchatd -T --config $(DESTDIR)$(docdir)/examples/p2pchatd.conf

# The package for Debian, made of that archive. Made again of the same commit on the same release it
# has the same bytes.
deb:  ## build/deb/p2pchat_*.deb, for the release of Debian it is made on
	@$(srcdir)/tests/tools/dependencies deb
	+@$(MAKE) --no-print-directory build/deb

build/deb: dist
	rm -rf $@
	mkdir -p $@
	tar -C $@ -xzf build/$(DIST).tar.gz
	cp -r $(srcdir)/contrib/debian $@/$(DIST)/debian
	cd $@/$(DIST) && dpkg-buildpackage --build=binary --unsigned-source --unsigned-changes
	@echo "To install it, as root: apt-get install ./$$(echo $@/p2pchat_*.deb)"

.PHONY: deb dist distcheck installcheck build/deb
