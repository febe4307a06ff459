# `make deb`: build/localneural_VERSION_ARCH.deb, for this machine's release.
# Included from the top Makefile.
#
# The packaging stands in docs/debian and is copied to where debhelper wants
# it; the programs are a build of their own, because they know their prefix.

# Another version of the package than of the program: make deb DEB_VERSION=...
DEB_VERSION	?= $(VERSION)
# What `make deb` needs besides DEPS_BUILD.
DEPS_DEB	:= debhelper lintian
DEB_STAGE	:= build/deb/package
DEB_UNITS	:= docs/systemd/localneural
# Warnings count as well; each exception has its reason beside it.
LINTIAN		:= lintian --fail-on error,warning --allow-root

.PHONY: deb
deb:
	$(call install-deps,$(DEPS_BUILD) $(DEPS_DEB))
	@$(MAKE) --no-print-directory \
	    $(if $(findstring jobserver,$(MAKEFLAGS)),,-j"$$(nproc)") \
	    FLAVOUR=deb PREFIX=/usr all
	$(Q)rm -rf $(DEB_STAGE) build/localneural_*.deb
	$(Q)mkdir -p $(DEB_STAGE) && cp -R docs/debian $(DEB_STAGE)/debian
	$(Q)sed -i '1s/([^)]*)/($(DEB_VERSION))/' $(DEB_STAGE)/debian/changelog
	$(Q)cp $(DEB_UNITS).service $(DEB_STAGE)/debian/localneural.service
	$(Q)for unit in service timer; do \
	    cp $(DEB_UNITS)-backup.$$unit \
	    $(DEB_STAGE)/debian/localneural.localneural-backup.$$unit; done
	$(Q)cd $(DEB_STAGE) && env -u MAKEFLAGS -u MFLAGS TOP='$(CURDIR)' \
	    dpkg-buildpackage --build=binary --no-sign --no-check-builddeps \
	    --no-pre-clean >../package.log 2>&1 || { cat ../package.log; exit 1; }
	$(Q)mv build/deb/localneural_*.deb build/
	$(LINTIAN) build/localneural_*.deb
	@ls build/localneural_*.deb

# The package in a Debian of its own: see the head of the script.
CHECK_PACKAGE	:= build/deb/check
DEPS_PACKAGE	:= debootstrap systemd curl procps

.PHONY: check-package
check-package:
	@[ "$$(id -u)" = 0 ] || { \
	    echo 'make check-package needs root, for chroot and mount' >&2; \
	    exit 2; }
	$(call install-deps,$(DEPS_PACKAGE))
	$(Q)rm -rf $(CHECK_PACKAGE) && mkdir -p $(CHECK_PACKAGE)
	@$(MAKE) --no-print-directory deb DEB_VERSION=$(VERSION)+newer
	$(Q)mv build/localneural_*.deb $(CHECK_PACKAGE)/newer.deb
	@$(MAKE) --no-print-directory deb
	$(Q)cp build/localneural_*.deb $(CHECK_PACKAGE)/package.deb
	$(Q)$(CC) $(STD) -O1 $(WARN) -o $(CHECK_PACKAGE)/filter \
	    tests/package/filter.c -lseccomp
	@sh tests/package/check-package.sh $(CHECK_PACKAGE)/package.deb \
	    $(CHECK_PACKAGE)/newer.deb $(CHECK_PACKAGE)/filter
