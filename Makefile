# LocalNeural: one Makefile.  `make help` lists the targets.
#
# `make` builds build/lnctl, build/localneural-server, build/ln-extract,
# build/libln.so and .a.
# FLAVOUR=asan builds the same under build/asan with the sanitizers.

.DELETE_ON_ERROR:
.SUFFIXES:

VERSION		:= 0.1.0
SO_MAJOR	:= 1
SO_VERSION	:= 1.0.0

FLAVOUR		?= release
ifeq ($(FLAVOUR),release)
B		:= build
else
B		:= build/$(FLAVOUR)
endif

CC		?= cc
PKG_CONFIG	?= pkg-config
PREFIX		?= /usr/local
BINDIR		?= $(PREFIX)/bin
SBINDIR		?= $(PREFIX)/sbin
LIBDIR		?= $(PREFIX)/lib
INCLUDEDIR	?= $(PREFIX)/include
MANDIR		?= $(PREFIX)/share/man
LIBEXECDIR	?= $(PREFIX)/libexec/localneural
SYSCONFDIR	?= /etc
PDFTOTEXT	?= /usr/bin/pdftotext
BASHCOMPDIR	?= $(PREFIX)/share/bash-completion/completions
ZSHCOMPDIR	?= $(PREFIX)/share/zsh/site-functions
FISHCOMPDIR	?= $(PREFIX)/share/fish/vendor_completions.d
DESTDIR		?=
V		?= 0
WERROR		?= 0

Q_0		:= @
Q_1		:=
Q		:= $(Q_$(V))
say		= $(if $(filter 0,$(V)),@printf '  %-6s %s\n' '$(1)' '$(2)')

# --- what a stock Debian 12 has to install --------------------------------
# Run-time and build needs of `make start`.  No Node here.
DEPS_BUILD	:= gcc libc6-dev make patch dpkg-dev pkg-config ca-certificates \
		   kore libssl-dev libcurl4-openssl-dev libsqlite3-dev \
		   libsodium-dev libcjson-dev libutf8proc-dev libedit-dev \
		   zlib1g-dev libzstd-dev libmd4c-dev tzdata poppler-utils \
		   libmagic-dev libarchive-dev libexpat1-dev libxml2-dev \
		   libseccomp-dev
# Another Node brings an npm of its own, which Debian's package refuses.
DEPS_NODE	= $(if $(shell command -v node && command -v npm),,nodejs npm)
# What `make check` needs besides.
DEPS_CHECK	= $(DEPS_BUILD) clang libcmocka-dev bats sqlite3 curl openssl \
		   $(DEPS_NODE) chromium-headless-shell tmux procps python3 \
		   perl git python3-aiosmtpd shellcheck mandoc

# --- flags ----------------------------------------------------------------
cc-option	= $(shell $(CC) -Werror $(1) -x c -c /dev/null -o /dev/null \
		    >/dev/null 2>&1 && echo '$(1)')
is-clang	:= $(findstring clang,$(shell $(CC) --version 2>/dev/null | head -n 1))

WARN		:= -Wall -Wextra -Wpedantic -Wshadow -Wconversion \
		   -Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes \
		   -Wold-style-definition -Wformat=2 -Wwrite-strings \
		   -Wcast-qual -Wpointer-arith -Wundef -Wvla -Wswitch-enum \
		   -Wimplicit-fallthrough -Wnull-dereference \
		   -Wdouble-promotion -Wredundant-decls
ifeq ($(is-clang),)
WARN		+= -Wlogical-op -Wduplicated-cond -Wduplicated-branches \
		   -Wjump-misses-init
else
WARN		+= -Wcomma -Wunreachable-code-aggressive -Wshorten-64-to-32
endif
ifeq ($(WERROR),1)
WARN		+= -Werror
endif

HARDEN		:= $(call cc-option,-fstack-protector-strong) \
		   $(call cc-option,-fstack-clash-protection) \
		   $(call cc-option,-fcf-protection=full) \
		   $(call cc-option,-ftrivial-auto-var-init=zero) \
		   $(call cc-option,-fzero-call-used-regs=used-gpr)
HARDEN_LD	:= -Wl,-z,relro,-z,now,-z,noexecstack,-z,defs

ifeq ($(FLAVOUR),asan)
OPT		:= -O1 -g -fno-omit-frame-pointer \
		   -fsanitize=address,undefined -fno-sanitize-recover=all
OPT_LD		:= -fsanitize=address,undefined
HARDEN		:=
HARDEN_LD	:= -Wl,-z,relro,-z,now
else
OPT		:= -O2 -g -D_FORTIFY_SOURCE=3
OPT_LD		:=
endif

STD		:= -std=c17
FEATURES	:= -D_POSIX_C_SOURCE=200809L
BASE_CFLAGS	:= $(STD) $(OPT) $(WARN) $(HARDEN) -fvisibility=hidden \
		   -ffile-prefix-map=$(CURDIR)=.
BASE_CPPFLAGS	:= -Ilibln/include -I$(B)/gen -DLN_VERSION='"$(VERSION)"' \
		   -DLN_LIBEXECDIR='"$(LIBEXECDIR)"'
DEPFLAGS	= -MMD -MP

LIBLN_PKGS	:= sqlite3 libsodium libcjson libutf8proc
# pkg-config may not be there yet when `make start` has still to install it.
LIBLN_CFLAGS	= $(shell $(PKG_CONFIG) --cflags $(LIBLN_PKGS) libcurl libcrypto 2>/dev/null)
LIBLN_LIBS	= $(shell $(PKG_CONFIG) --libs $(LIBLN_PKGS) 2>/dev/null) -lpthread -lm

# --- sources --------------------------------------------------------------
LIBLN_SRC	:= $(sort $(filter-out libln/store/embed.c,\
		   $(wildcard libln/base/*.c libln/store/*.c libln/net/*.c \
		   libln/text/*.c libln/model/*.c libln/llm/*.c \
		   libln/service/*.c libln/service/tools/*.c)))
LIBLN_GEN	:= $(B)/gen/migrations.c $(B)/gen/handbook.c \
		   $(B)/gen/common_passwords.c
LIBLN_OBJ	:= $(LIBLN_SRC:%.c=$(B)/obj/%.o) \
		   $(LIBLN_GEN:$(B)/gen/%.c=$(B)/obj/gen/%.o)
CMD_SRC		:= $(sort $(wildcard cmd/*.c))
CMD_OBJ		:= $(CMD_SRC:%.c=$(B)/obj/%.o)
MIGRATIONS	:= $(sort $(wildcard libln/store/migrations/*.sql))
HANDBOOK	:= $(sort $(wildcard docs/handbook/*.md))

.PHONY: all
all: $(B)/lnctl $(B)/localneural-server $(B)/ln-extract $(B)/libln.so \
	$(B)/libln.a

# --- libln ----------------------------------------------------------------
$(B)/obj/libln/%.o: libln/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(BASE_CFLAGS) $(FEATURES) -fPIC $(BASE_CPPFLAGS) -Ilibln \
	    $(LIBLN_CFLAGS) $(CPPFLAGS) $(CFLAGS) $(DEPFLAGS) -c $< -o $@

$(B)/obj/gen/%.o: $(B)/gen/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(BASE_CFLAGS) $(FEATURES) -fPIC $(BASE_CPPFLAGS) -Ilibln \
	    $(CPPFLAGS) $(CFLAGS) $(DEPFLAGS) -c $< -o $@

$(B)/embed: libln/store/embed.c
	@mkdir -p $(@D)
	$(call say,HOSTCC,$<)
	$(Q)$(CC) $(STD) -O1 $(WARN) $(FEATURES) $< -o $@

$(B)/gen/migrations.c: $(B)/embed $(MIGRATIONS)
	@mkdir -p $(@D)
	$(call say,EMBED,$@)
	$(Q)$(B)/embed lni_migrations libln/store/migrations $(MIGRATIONS) >$@

$(B)/gen/handbook.c: $(B)/embed $(HANDBOOK)
	@mkdir -p $(@D)
	$(call say,EMBED,$@)
	$(Q)$(B)/embed lni_handbook docs/handbook $(HANDBOOK) >$@

$(B)/gen/common_passwords.c: $(B)/embed libln/service/common_passwords.txt
	@mkdir -p $(@D)
	$(call say,EMBED,$@)
	$(Q)$(B)/embed lni_common_passwords libln/service \
	    libln/service/common_passwords.txt >$@

$(B)/libln.a: $(LIBLN_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcD $@ $^

$(B)/libln.so.$(SO_VERSION): $(LIBLN_OBJ) libln/libln.map
	$(call say,LINK,$@)
	$(Q)$(CC) -shared -Wl,-soname,libln.so.$(SO_MAJOR) \
	    -Wl,--version-script=libln/libln.map $(HARDEN_LD) $(OPT_LD) \
	    -o $@ $(LIBLN_OBJ) $(LDFLAGS) $(LIBLN_LIBS)

$(B)/libln.so: $(B)/libln.so.$(SO_VERSION)
	$(Q)ln -sf libln.so.$(SO_VERSION) $(B)/libln.so.$(SO_MAJOR)
	$(Q)ln -sf libln.so.$(SO_MAJOR) $@

# --- lnctl ----------------------------------------------------------------
$(B)/obj/cmd/%.o: cmd/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(BASE_CFLAGS) $(FEATURES) -fPIE $(BASE_CPPFLAGS) \
	    $(CPPFLAGS) $(CFLAGS) $(DEPFLAGS) -c $< -o $@

CMD_LIBS	= $(shell $(PKG_CONFIG) --libs md4c 2>/dev/null)

$(B)/lnctl: $(CMD_OBJ) $(B)/libln.a
	$(call say,LINK,$@)
	$(Q)$(CC) -pie $(HARDEN_LD) $(OPT_LD) -o $@ $(CMD_OBJ) $(B)/libln.a \
	    $(LDFLAGS) $(CMD_LIBS) $(LIBLN_LIBS)

# --- ln-extract -----------------------------------------------------------
# The parsers of documents are linked here and nowhere else.
EXTRACT_SRC	:= $(sort $(wildcard cmd/extract/*.c))
EXTRACT_OBJ	:= $(EXTRACT_SRC:%.c=$(B)/obj/%.o)
EXTRACT_PKGS	:= libarchive expat libxml-2.0 libseccomp
EXTRACT_CFLAGS	= -DLN_PDFTOTEXT='"$(PDFTOTEXT)"' \
		  $(shell $(PKG_CONFIG) --cflags $(EXTRACT_PKGS) 2>/dev/null)
EXTRACT_LIBS	= $(shell $(PKG_CONFIG) --libs $(EXTRACT_PKGS) 2>/dev/null) \
		  -lmagic

$(B)/obj/cmd/extract/%.o: cmd/extract/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(BASE_CFLAGS) $(FEATURES) -fPIE $(BASE_CPPFLAGS) \
	    $(EXTRACT_CFLAGS) $(CPPFLAGS) $(CFLAGS) $(DEPFLAGS) -c $< -o $@

$(B)/ln-extract: $(EXTRACT_OBJ) $(B)/libln.a
	$(call say,LINK,$@)
	$(Q)$(CC) -pie $(HARDEN_LD) $(OPT_LD) -Wl,--as-needed -o $@ \
	    $(EXTRACT_OBJ) $(B)/libln.a $(LDFLAGS) $(EXTRACT_LIBS) \
	    $(LIBLN_LIBS)

# Generated from the command table, checked in, compared by a test.
.PHONY: completions
completions: $(B)/lnctl
	$(Q)mkdir -p completions
	$(B)/lnctl completion bash >completions/lnctl.bash
	$(B)/lnctl completion zsh >completions/_lnctl
	$(B)/lnctl completion fish >completions/lnctl.fish

include server/server.mk
include tests/tests.mk
include docs/debian/package.mk

# --- for people -----------------------------------------------------------
.PHONY: help clean distclean deps deps-check start install install-programs \
	uninstall
help:
	@echo 'make            build lnctl, localneural-server, libln.so, libln.a'
	@echo 'make start      install what is missing, build, initialise, serve'
	@echo 'make check      install what tests need, build, run every test'
	@echo 'make check-unit|check-cli|check-server|check-web|check-asan'
	@echo 'make check-timing|check-tls     measure what check can only count'
	@echo 'make crash                      a thousand kills: no lost data'
	@echo 'make bench-start                a lookup beside the sqlite3 shell'
	@echo 'make bench-streams              500 answers at once'
	@echo 'make bench-search               search in a million messages'
	@echo 'make bench-data                 export, import, validate, backup beside SQLite'
	@echo 'make lint       layers, format, analysers'
	@echo 'make web        rebuild the browser bundle (needs Node)'
	@echo 'make install    DESTDIR and PREFIX are honoured'
	@echo 'make deb        a Debian package in build/, checked by lintian'
	@echo 'make check-package  install, run, upgrade, remove, purge it (root)'
	@echo 'make clean      remove build output'

# Installs only what dpkg does not list, so a second run needs no network.
define install-deps
	@missing=; for p in $(1); do \
	    dpkg-query -W -f='$${db:Status-Status}\n' $$p 2>/dev/null | \
	    grep -qx installed || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then \
	    echo "installing:$$missing"; \
	    sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	    $$sudo apt-get update -q && \
	    $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -q -y \
	    --no-install-recommends $$missing; \
	fi
endef

deps:
	$(call install-deps,$(DEPS_BUILD))
deps-check:
	$(call install-deps,$(DEPS_CHECK))

start: deps
	@$(MAKE) --no-print-directory -j"$$(nproc)" all
	@exec $(B)/lnctl server run --init

clean:
	rm -rf build
distclean: clean
	rm -rf server/web/node_modules tests/node_modules

# What people run, without the library for other programs.
install-programs: all
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(SBINDIR) \
	    $(DESTDIR)$(LIBEXECDIR)
	install -m 755 $(B)/ln-extract $(DESTDIR)$(LIBEXECDIR)/ln-extract
	install -m 755 $(B)/lnctl $(DESTDIR)$(BINDIR)/lnctl
	install -m 755 $(B)/localneural-server $(DESTDIR)$(SBINDIR)/localneural-server
	install -d $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man5 \
	    $(DESTDIR)$(MANDIR)/man8 $(DESTDIR)$(BASHCOMPDIR) \
	    $(DESTDIR)$(ZSHCOMPDIR) $(DESTDIR)$(FISHCOMPDIR)
	install -m 644 docs/man/lnctl.1 $(DESTDIR)$(MANDIR)/man1/
	install -m 644 docs/man/localneural.conf.5 $(DESTDIR)$(MANDIR)/man5/
	sed 's|/usr/local/libexec/localneural|$(LIBEXECDIR)|' \
	    docs/man/localneural-server.8 \
	    >$(DESTDIR)$(MANDIR)/man8/localneural-server.8
	chmod 644 $(DESTDIR)$(MANDIR)/man8/localneural-server.8
	install -m 644 completions/lnctl.bash $(DESTDIR)$(BASHCOMPDIR)/lnctl
	install -m 644 completions/_lnctl $(DESTDIR)$(ZSHCOMPDIR)/
	install -m 644 completions/lnctl.fish $(DESTDIR)$(FISHCOMPDIR)/

install: install-programs
	install -d $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(INCLUDEDIR)/ln
	install -m 755 $(B)/libln.so.$(SO_VERSION) $(DESTDIR)$(LIBDIR)/
	ln -sf libln.so.$(SO_VERSION) $(DESTDIR)$(LIBDIR)/libln.so.$(SO_MAJOR)
	ln -sf libln.so.$(SO_MAJOR) $(DESTDIR)$(LIBDIR)/libln.so
	install -m 644 $(B)/libln.a $(DESTDIR)$(LIBDIR)/
	install -m 644 libln/include/ln/* $(DESTDIR)$(INCLUDEDIR)/ln/
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' \
	    libln/libln.pc.in >$(DESTDIR)$(LIBDIR)/pkgconfig/libln.pc

uninstall:
	rm -f $(DESTDIR)$(BINDIR)/lnctl $(DESTDIR)$(SBINDIR)/localneural-server \
	    $(DESTDIR)$(LIBDIR)/libln.so* $(DESTDIR)$(LIBDIR)/libln.a \
	    $(DESTDIR)$(LIBDIR)/pkgconfig/libln.pc \
	    $(DESTDIR)$(MANDIR)/man1/lnctl.1 \
	    $(DESTDIR)$(MANDIR)/man5/localneural.conf.5 \
	    $(DESTDIR)$(MANDIR)/man8/localneural-server.8 \
	    $(DESTDIR)$(BASHCOMPDIR)/lnctl \
	    $(DESTDIR)$(ZSHCOMPDIR)/_lnctl $(DESTDIR)$(FISHCOMPDIR)/lnctl.fish
	rm -rf $(DESTDIR)$(INCLUDEDIR)/ln $(DESTDIR)$(LIBEXECDIR)

-include $(LIBLN_OBJ:.o=.d) $(CMD_OBJ:.o=.d) $(EXTRACT_OBJ:.o=.d)
