#!/usr/bin/env bats
# lnctl history import: what people bring along, and what they take home.

load helpers

IMPORTS=$BATS_TEST_DIRNAME/../fixtures/imports

setup()
{
	ln_setup
}

teardown()
{
	ln_teardown
}

count()
{
	json "d.counts.find(c => c.what === '$1').$2"
}

@test "exports of other programs come in once, after a look" {
	ln_init
	ln_user ann
	lnctl history import "$IMPORTS/chatgpt.json" --user ann --dry-run --json
	assert_status 0
	assert_json d.result would_import
	[ "$(count conversations added)" = 3 ]
	[ "$(sql 'SELECT count(*) FROM conversation')" = 0 ]
	lnctl history import "$IMPORTS/chatgpt.json" --user ann --json
	assert_status 0
	assert_json d.format chatgpt
	[ "$(count conversations added)" = 3 ]
	lnctl history import "$IMPORTS/chatgpt.json" --user ann --json
	[ "$(count conversations added)" = 0 ]
	[ "$(count conversations present)" -gt 0 ]
	lnctl history import "$IMPORTS/open_webui.json" --user ann
	assert_status 0
	assert_output_has open_webui
	lnctl history import "$IMPORTS/legacy.json" --user ann
	assert_status 0
	lnctl history list --user ann --archived --json
	assert_json 'd.conversations.length' 6
	[ "$(sql "SELECT count(*) FROM audit WHERE action = 'user.import' AND outcome = 'ok'")" = 4 ]
}

@test "a person's data goes to another instance" {
	ln_init
	ln_user ann
	lnctl history import "$IMPORTS/open_webui.json" --user ann --json
	lnctl_in 'Be brief.' prompt add Brief - --user ann --json
	lnctl db export "$DIR/ann.json" --format json --user ann --json
	assert_status 0
	lnctl db export - --format json --user ann
	assert_status 0
	node -e 'JSON.parse(require("fs").readFileSync(0, "utf8"))' <<<"$output"
	lnctl user delete ann --export "$DIR/gone.json" --confirm ann --json
	assert_status 0
	[ "$(stat -c %a "$DIR/gone.json")" = 600 ]
	lnctl history import "$DIR/gone.json" --json
	assert_status 0
	assert_json d.format localneural
	[ "$(count conversations added)" = 2 ]
	[ "$(count messages added)" = 4 ]
	[ "$(count prompts added)" = 1 ]
	lnctl history import "$DIR/ann.json" --json
	[ "$(count conversations added)" = 0 ]
}

@test "what is no export is refused, and nothing comes" {
	ln_init
	printf '[{"mapping":{}' >"$DIR/cut.json"
	lnctl history import "$DIR/cut.json"
	assert_status 7
	assert_error_line
	lnctl history import "$DB"
	assert_status 7
	lnctl history import "$DIR/none.json"
	assert_status 4
	assert_error_line
	printf '{"format":"localneural-user","version":9}' >"$DIR/new.json"
	lnctl history import "$DIR/new.json"
	assert_status 13
	[ "$(sql 'SELECT count(*) FROM conversation')" = 0 ]
}
