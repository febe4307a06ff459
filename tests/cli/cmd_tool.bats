#!/usr/bin/env bats
# lnctl tool: what a model may call.

load helpers

setup()
{
	ln_setup
}

teardown()
{
	ln_teardown
}

# definition NAME [ENDPOINT]: a file with the definition of a tool.
definition()
{
	printf '{"name":"%s","description":"of a city","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}%s}' \
	    "$1" "${2:+,\"endpoint\":$2}" >"$DIR/$1.json"
	chmod 600 "$DIR/$1.json"
	printf '%s\n' "$DIR/$1.json"
}

@test "a fresh instance has the clock; search and files wait for a setting" {
	ln_init
	lnctl tool list --json
	assert_status 0
	assert_json 'd.tools.map(t => t.name).join()' \
	    current_time,web_search,read_file
	assert_json 'd.tools.map(t => t.is_available).join()' \
	    true,false,false
	LOCALNEURAL_SEARCH=duckduckgo LOCALNEURAL_READ_FOLDERS=/srv/docs \
	    lnctl tool list --json
	assert_json 'd.tools.every(t => t.is_available)' true
	lnctl tool show current_time --json
	assert_status 0
	assert_json d.kind builtin
	assert_json 'JSON.parse(d.definition).function.name' current_time
}

@test "a tool is added from a file and from standard input" {
	ln_init
	lnctl tool add "$(definition weather '{"url":"https://example.com/{city}"}')" --json
	assert_status 0
	assert_json d.result added
	assert_json d.kind http
	assert_json d.is_global true
	assert_json d.asks_first false
	lnctl tool add - --ask --json <"$(definition notes)"
	assert_status 0
	assert_json d.kind bare
	assert_json d.asks_first true
	lnctl tool list
	assert_output_has weather
	assert_output_has notes
	lnctl tool add "$(definition weather)"
	assert_status 5
	assert_error_line
	[ "$(sql "SELECT count(*) FROM audit WHERE action = 'tool.add' AND outcome = 'ok'")" = 2 ]
}

@test "the value of a header is kept sealed and never shown" {
	local file

	ln_init
	file=$(definition weather '{"url":"https://example.com/{city}","headers":{"Authorization":"Bearer canary-0123456789"}}')
	chmod 644 "$file"
	lnctl tool add "$file"
	assert_status 6
	assert_error_line
	chmod 600 "$file"
	lnctl tool add "$file" --json
	assert_status 0
	refute_output_has canary
	lnctl tool show weather --json
	refute_output_has canary
	assert_json 'JSON.parse(d.definition).endpoint.headers.Authorization' null
	! grep -aq canary "$DB" "$DB-wal"
	lnctl db export "$DIR/copy.db"
	assert_status 0
	! grep -aq canary "$DIR/copy.db"
}

@test "a definition that cannot be one is refused, and the place is named" {
	ln_init
	printf '{"name":"t","parameters":{"type":"object","properties":{"zone":{"type":"string","pattern":"a"}}}}' >"$DIR/t.json"
	lnctl tool add "$DIR/t.json"
	assert_status 2
	assert_error_has '/parameters/properties/zone: pattern is not checked here'
	assert_error_line
	lnctl tool add "$(definition t '{"url":"http://127.0.0.1:1/{city}"}')"
	assert_status 2
	assert_error_line
	printf 'not JSON' >"$DIR/t.json"
	lnctl tool add "$DIR/t.json"
	assert_status 2
	lnctl tool add "$(definition web_search)"
	assert_status 5
	lnctl tool add "$DIR/nothing.json"
	assert_status 4
	lnctl tool list --json
	assert_json d.tools.length 3
}

@test "switches are idempotent" {
	ln_init
	lnctl tool disable current_time --json
	assert_status 0
	assert_json d.result disabled
	lnctl tool disable current_time --json
	assert_status 0
	assert_json d.result already_disabled
	lnctl tool enable current_time --ask --json
	assert_json d.result enabled
	assert_json d.asks_first true
	lnctl tool enable current_time --no-ask --json
	assert_json d.result enabled
	assert_json d.asks_first false
	lnctl tool enable current_time --json
	assert_json d.result already_enabled
	lnctl tool enable current_time --ask --no-ask
	assert_status 2
}

@test "one person's tools are not everybody's" {
	ln_init
	ln_user bob
	lnctl tool add "$(definition mine)" --user bob --json
	assert_status 0
	assert_json d.is_global false
	lnctl tool show mine
	assert_status 4
	lnctl tool list --user bob --json
	assert_json 'd.tools.some(t => t.name === "mine")' true
	lnctl tool list --json
	assert_json 'd.tools.some(t => t.name === "mine")' false
	lnctl tool disable current_time --user bob
	assert_status 0
	lnctl tool show current_time --json
	assert_json d.is_enabled true
	lnctl tool show current_time --user bob --json
	assert_json d.is_enabled false
	lnctl tool disable current_time --global
	lnctl tool enable current_time --user bob
	assert_status 6
	assert_error_line
	lnctl tool list --user bob --global
	assert_status 2
	lnctl tool list --user nobody
	assert_status 4
}

@test "delete asks, and a wrong name gets a hint" {
	ln_init
	lnctl tool add "$(definition weather)"
	lnctl tool delete wether --yes
	assert_status 4
	assert_error_has 'Did you mean weather?'
	lnctl tool delete weather --no-input
	assert_status 2
	lnctl tool delete weather --yes --json
	assert_status 0
	assert_json d.result deleted
	lnctl tool show weather
	assert_status 4
	lnctl tool delete current_time --yes
	assert_status 6
	assert_error_line
}

@test "rotate-secret seals headers anew" {
	ln_init
	lnctl tool add "$(definition weather '{"url":"https://example.com/{city}","headers":{"X-Key":"canary-0123456789"}}')"
	assert_status 0
	lnctl config rotate-secret --yes --json
	assert_status 0
	assert_json d.api_keys 1
	lnctl config rotate-secret --yes --json
	assert_status 0
	assert_json d.api_keys 1
}
