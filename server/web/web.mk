# The browser bundle.  dist/ is committed, so that building the server needs
# no Node; these targets do, and only they.  Included from server/server.mk.

WEB		:= server/web
WEB_STAMP	:= $(WEB)/node_modules/.package-lock.json

# No package of ours needs its install script.
$(WEB_STAMP): $(WEB)/package.json $(WEB)/package-lock.json
	$(call say,NPM,$(WEB))
	$(Q)cd $(WEB) && npm ci --ignore-scripts --no-audit --no-fund
	$(Q)touch $@

.PHONY: web web-compare
web: $(WEB_STAMP)
	$(call say,TSC,$(WEB))
	$(Q)cd $(WEB) && node node_modules/typescript/bin/tsc --noEmit
	$(call say,WEB,$(WEB)/dist)
	$(Q)node $(WEB)/build.mjs

# Fails when the committed bundle is not what the sources make.
web-compare: $(WEB_STAMP)
	$(call say,WEB,compare)
	$(Q)cd $(WEB) && node node_modules/typescript/bin/tsc --noEmit
	$(Q)rm -rf $(B)/web-dist && mkdir -p $(B)
	$(Q)node $(WEB)/build.mjs --out $(B)/web-dist
	$(Q)diff -r $(WEB)/dist $(B)/web-dist || { \
	    echo 'server/web/dist is stale: run "make web" and commit it' >&2; \
	    exit 1; }
