# The web app: Kore from Debian's packaged source plus our patches, and ours.
# Included from the top Makefile.
#
# Kore is built by its own Makefile in a copy under build/; /usr/share is never
# written.  Its flags come from dpkg-buildflags, so ours must not leak in: no
# MAKEFLAGS, no CFLAGS, extra ones through DEB_CFLAGS_APPEND.

KORE_SRC	?= /usr/share/kore
KORE_DIR	:= $(B)/kore
KORE_OBJ	:= $(B)/kobj
KORE_PATCHES	:= $(sort $(wildcard server/patches/*.patch))
KORE_FLAVOR	:= KORE_SINGLE_BINARY=1
# A forbidden system call must end the worker: by default it would end one
# thread and leave a worker that is neither dead nor alive.
KORE_CFLAGS	:= -fPIE -DSECCOMP_KILL_POLICY=SECCOMP_RET_KILL_PROCESS
ifeq ($(FLAVOUR),asan)
KORE_FLAVOR	+= SANITIZE=address,undefined
KORE_CFLAGS	+= -g -fno-sanitize-recover=all
endif

SERVER_SRC	:= $(sort $(wildcard server/*.c))
SERVER_OBJ	:= $(SERVER_SRC:%.c=$(B)/obj/%.o) $(B)/obj/gen/web.o
SERVER_CFLAGS	= -D_GNU_SOURCE -isystem $(KORE_DIR)/include \
		  $$(cat $(KORE_OBJ)/features)
# Kore finds its hooks and handlers by name at run time, so they must be seen.
SERVER_BASE	:= $(filter-out -fvisibility=hidden,$(BASE_CFLAGS))
SERVER_LIBS	= $$(cat $(KORE_OBJ)/ldflags) -lz
WEB_DIST	:= $(sort $(shell find server/web/dist -type f 2>/dev/null))

$(KORE_DIR)/.patched: $(KORE_PATCHES)
	@rm -rf $(KORE_DIR) $(KORE_OBJ) && mkdir -p $(B) $(KORE_OBJ)
	$(call say,KORE,$(KORE_SRC))
	$(Q)cp -R $(KORE_SRC) $(KORE_DIR)
	$(Q)for p in $(KORE_PATCHES); do \
	    patch -s -d $(KORE_DIR) -p1 <$$p || exit 1; done
	$(Q)touch $@

$(KORE_OBJ)/ldflags: $(KORE_DIR)/.patched server/server.mk
	$(Q)env -u MAKEFLAGS -u MFLAGS -u CFLAGS -u CPPFLAGS -u LDFLAGS \
	    CC='$(CC)' DEB_CFLAGS_APPEND='$(KORE_CFLAGS)' \
	    $(MAKE) -s -j2 -C $(KORE_DIR) OBJDIR=$(abspath $(KORE_OBJ)) \
	    $(KORE_FLAVOR) objects >$(KORE_OBJ)/log 2>&1 || \
	    { cat $(KORE_OBJ)/log; exit 1; }

$(B)/obj/server/%.o: server/%.c $(KORE_OBJ)/ldflags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(SERVER_BASE) -fPIE $(BASE_CPPFLAGS) $(SERVER_CFLAGS) \
	    $(CPPFLAGS) $(CFLAGS) $(DEPFLAGS) -c $< -o $@

# The browser bundle, as committed; rebuilding it is `make web`.
$(B)/gen/web.c: $(B)/embed $(WEB_DIST)
	@mkdir -p $(@D)
	$(call say,EMBED,$@)
	$(Q)$(B)/embed lni_web server/web/dist $(WEB_DIST) >$@

$(B)/localneural-server: $(SERVER_OBJ) $(KORE_OBJ)/ldflags $(B)/libln.a
	$(call say,LINK,$@)
	$(Q)$(CC) -pie $(HARDEN_LD) $(OPT_LD) -o $@ $(SERVER_OBJ) \
	    $(KORE_OBJ)/*.o $(B)/libln.a $(LDFLAGS) $(SERVER_LIBS) \
	    $(LIBLN_LIBS)

include server/web/web.mk

-include $(SERVER_OBJ:.o=.d)
