# Test targets.  Included from the top Makefile.
#
# `make check` is the whole: both compilers, every test on the release build
# and on the sanitizer build, lint, one closing line with the counts.
# Logs: build/test-logs.  CHECK_JOBS: files run at the same time.

# Two processors and one file more: tests wait for a third of their time.
CHECK_JOBS	?= 3
CHECK_TIMEOUT	?= 600
# Both processors, unless the caller has said how many.
CHECK_MAKE	= $(MAKE) --no-print-directory \
		  $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))
CHECK_RUN	= tests/run --jobs $(CHECK_JOBS) --timeout $(CHECK_TIMEOUT)

UNIT_SRC	:= $(sort $(wildcard tests/unit/test_*.c tests/unit/*/test_*.c))
# What several unit tests share.
UNIT_LIB_SRC	:= $(sort $(filter-out $(UNIT_SRC),\
		   $(wildcard tests/unit/*.c tests/unit/*/*.c)))
UNIT_LIB_OBJ	:= $(UNIT_LIB_SRC:%.c=$(B)/obj/%.o)
UNIT_OBJ	:= $(UNIT_SRC:%.c=$(B)/obj/%.o)
UNIT_BIN	:= $(UNIT_SRC:%.c=$(B)/%)
CLI_TESTS	:= $(sort $(wildcard tests/cli/*.bats))
SERVER_TESTS	:= $(sort $(wildcard tests/fake/*.test.mjs \
		   tests/server/*.test.mjs tests/server/raw/*.test.mjs))
WEB_TESTS	:= $(sort $(wildcard tests/web/*.test.mjs))
# On the release build only: what is killed leaves the sanitizers no word.
CRASH_TESTS	:= $(sort $(wildcard tests/crash/*.test.mjs))
LINT_TESTS	:= tests/lint.sh
# The runner tests itself once, not once for each flavour.
ASAN_TESTS	:= $(filter-out tests/cli/run.bats tests/fake/%,\
		   $(CLI_TESTS) $(SERVER_TESTS))
# The longest of these.
LONG_TESTS	:= tests/server/security.test.mjs \
		   tests/server/routes.test.mjs tests/cli/cmd_talk.bats \
		   tests/cli/faults.bats tests/cli/faults_cloud.bats

.SECONDARY: $(UNIT_OBJ) $(UNIT_LIB_OBJ)
$(B)/obj/tests/unit/%.o: tests/unit/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(BASE_CFLAGS) $(FEATURES) -fPIE $(BASE_CPPFLAGS) -Ilibln \
	    -Itests/unit $(LIBLN_CFLAGS) $(CPPFLAGS) $(CFLAGS) $(DEPFLAGS) \
	    -c $< -o $@

$(B)/tests/unit/%: $(B)/obj/tests/unit/%.o $(UNIT_LIB_OBJ) $(B)/libln.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) -pie $(HARDEN_LD) $(OPT_LD) -o $@ $< $(UNIT_LIB_OBJ) \
	    $(B)/libln.a $(LDFLAGS) $(LIBLN_LIBS) -lcmocka $(UNIT_LIBS)

# This one counts the hashes that libln asks libsodium for.
$(B)/tests/unit/service/test_same_work: UNIT_LIBS := \
    -Wl,--wrap=crypto_pwhash,--wrap=crypto_pwhash_argon2id_str \
    -Wl,--wrap=crypto_pwhash_argon2id_str_verify

# This one has a tool that says too much.
$(B)/tests/unit/service/test_chat_results: UNIT_LIBS := \
    -Wl,--wrap=lni_toolbox_run

# This one decides which tools ask first, and has a slow one.
$(B)/tests/unit/service/test_chat_tools: UNIT_LIBS := \
    -Wl,--wrap=lni_toolbox_run,--wrap=lni_toolbox_asks_first

# An ln-extract that does what a hostile document says, to see it stopped.
FAKE_EXTRACT_OBJ := $(filter-out %/document.o,$(EXTRACT_OBJ)) \
    $(B)/obj/tests/fake/document.o $(B)/obj/tests/fake/misbehave.o
FAKE_EXTRACT_CC	= $(CC) $(BASE_CFLAGS) $(FEATURES) -fPIE $(BASE_CPPFLAGS) \
    -DLN_EXTRACT_MISBEHAVE -Icmd/extract -Itests/fake $(EXTRACT_CFLAGS) \
    $(CPPFLAGS) $(CFLAGS) $(DEPFLAGS)
$(B)/obj/tests/fake/document.o: cmd/extract/document.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(FAKE_EXTRACT_CC) -c $< -o $@
$(B)/obj/tests/fake/misbehave.o: tests/fake/misbehave.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(FAKE_EXTRACT_CC) -c $< -o $@
$(B)/tests/ln-extract: $(FAKE_EXTRACT_OBJ) $(B)/libln.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) -pie $(HARDEN_LD) $(OPT_LD) -Wl,--as-needed -o $@ \
	    $(FAKE_EXTRACT_OBJ) $(B)/libln.a $(LDFLAGS) $(EXTRACT_LIBS) \
	    $(LIBLN_LIBS)

# Preloaded, it makes the disk fail.
FAULT_SHIM	:= $(B)/tests/crash/fault.so
$(FAULT_SHIM): tests/crash/fault.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(STD) $(OPT) $(WARN) -D_GNU_SOURCE -fPIC -shared $(CFLAGS) \
	    -o $@ $< $(LDFLAGS)

.PHONY: unit-tests unit-objects
unit-tests: $(UNIT_BIN) $(B)/tests/ln-extract \
    $(if $(filter release,$(FLAVOUR)),$(FAULT_SHIM))
# For a build that only has to compile.
unit-objects: $(UNIT_OBJ) $(UNIT_LIB_OBJ)

# `npm ci`, not npm install: exactly what the lock file says.
tests/node_modules/.package-lock.json: tests/package.json \
    tests/package-lock.json tests/.npmrc
	cd tests && npm ci --no-progress
	@touch $@

.PHONY: check check-build check-unit check-cli check-server check-web \
	check-asan lint
# Long files first, so that the end is not one file on one processor.
check: deps-check
	@$(MAKE) --no-print-directory check-build
	@$(CHECK_RUN) $(LINT_TESTS) \
	    --bin build/asan $(LONG_TESTS) \
	    --bin build $(WEB_TESTS) $(CRASH_TESTS) $(SERVER_TESTS) $(CLI_TESTS) \
	    --bin build/asan $(filter-out $(LONG_TESTS),$(ASAN_TESTS)) \
	    $(UNIT_SRC:%.c=build/asan/%) --bin build $(UNIT_SRC:%.c=build/%)

# The second one is of server/web/web.mk.
NODE_STAMPS	= tests/node_modules/.package-lock.json $(WEB_STAMP)

check-build: $(NODE_STAMPS)
	@$(MAKE) --no-print-directory -j"$$(nproc)" WERROR=1 FLAVOUR=release all unit-tests
	@$(MAKE) --no-print-directory -j"$$(nproc)" WERROR=1 FLAVOUR=clang CC=clang \
	    all unit-objects
	@$(MAKE) --no-print-directory -j"$$(nproc)" WERROR=1 FLAVOUR=asan all unit-tests

# One kind of test on the flavour at hand.
check-unit: unit-tests
	@$(CHECK_RUN) --bin $(B) $(UNIT_BIN)
check-cli: all tests/node_modules/.package-lock.json
	@$(CHECK_RUN) --bin $(B) $(CLI_TESTS)
check-server: all tests/node_modules/.package-lock.json
	@$(CHECK_RUN) --bin $(B) $(SERVER_TESTS)
check-web: all $(NODE_STAMPS)
	@$(CHECK_RUN) --bin $(B) $(WEB_TESTS)
check-asan: tests/node_modules/.package-lock.json
	@$(CHECK_MAKE) FLAVOUR=asan all unit-tests
	@$(CHECK_RUN) --bin build/asan $(UNIT_SRC:%.c=build/asan/%) \
	    $(ASAN_TESTS)

# Not part of check: see the head of the file.
.PHONY: check-timing
check-timing: all tests/node_modules/.package-lock.json
	LN_BIN=$(abspath $(B)) node tests/bench/timing.mjs

# A thousand kills: see the head of the file.
KILLS	?= 1000
SEED	?= 1
.PHONY: crash
crash: all $(FAULT_SHIM) tests/node_modules/.package-lock.json
	@LN_BIN=$(abspath $(B)) LN_KILLS=$(KILLS) LN_SEED=$(SEED) \
	    LN_MOMENTS=60 node --test $(CRASH_TESTS)

# 500 answers at once: see the head of the file.
.PHONY: bench-start
bench-start: all
	LN_BIN=$(abspath $(B)) node tests/bench/start.mjs

.PHONY: bench-streams
bench-streams: all tests/node_modules/.package-lock.json
	LN_BIN=$(abspath $(B)) node tests/bench/streams.mjs

# Search in a million messages: see the head of the file.
.PHONY: bench-search
$(B)/tests/bench/search: tests/bench/search.c $(B)/libln.a
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(BASE_CFLAGS) $(FEATURES) -fPIE -pie $(BASE_CPPFLAGS) \
	    -Ilibln $(LIBLN_CFLAGS) $(CPPFLAGS) $(CFLAGS) $(HARDEN_LD) \
	    $(OPT_LD) -o $@ $< $(B)/libln.a $(LDFLAGS) $(LIBLN_LIBS) -lm
bench-search: $(B)/tests/bench/search
	$(B)/tests/bench/search

# A database out, in and through the checks: see the head of the file.
.PHONY: bench-data
bench-data: all tests/node_modules/.package-lock.json
	$(call install-deps,sqlite3 zstd)
	LN_BIN=$(abspath $(B)) node tests/bench/data.mjs

# testssl.sh is not among what `make check` installs: few people run this.
.PHONY: check-tls
check-tls: all tests/node_modules/.package-lock.json
	$(call install-deps,testssl.sh)
	LN_BIN=$(abspath $(B)) node tests/bench/tls.mjs build/test-logs

lint:
	@$(CHECK_RUN) $(LINT_TESTS)

-include $(UNIT_OBJ:.o=.d) $(UNIT_LIB_OBJ:.o=.d) $(FAKE_EXTRACT_OBJ:.o=.d)
