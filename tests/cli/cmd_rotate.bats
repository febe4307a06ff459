#!/usr/bin/env bats
# lnctl config rotate-secret, and what a wrong SECRET_KEY is told.

load helpers

setup()
{
	ln_setup
}

teardown()
{
	ln_teardown
}

# The key of the env file.
key()
{
	sed -n 's/^SECRET_KEY=//p' "$ENV_FILE"
}

# An instance with an API key of a provider that is not there to be asked.
with_api_key()
{
	ln_init
	lnctl provider set ollama --global --base-url http://localhost:9 \
	    -m some --key-file "$(secret sk-rotate-me-0123456789)"
	assert_status 0
}

@test "rotate-secret changes the key, keeps the rest of the file, and all still opens" {
	local before

	with_api_key
	printf '# mine\nLOCALNEURAL_LOG_LEVEL=error   # quiet\n' >>"$ENV_FILE"
	cp "$ENV_FILE" "$DIR/before"
	before=$(key)
	lnctl config rotate-secret --yes --json
	assert_status 0
	assert_json d.result rotated
	assert_json d.api_keys 1
	assert_json d.audit whole
	[ "$(key)" != "$before" ]
	[ "$(mode "$ENV_FILE")" = 600 ]
	diff <(sed s/^SECRET_KEY=.*// "$ENV_FILE") \
	    <(sed s/^SECRET_KEY=.*// "$DIR/before")
	[ ! -e "$ENV_FILE.rotate" ] && [ ! -e "$ENV_FILE.new" ]
	lnctl provider show --json
	assert_status 0
	assert_json d.api_key_last4 6789
	lnctl audit verify --json
	assert_status 0
	lnctl audit search --action secret.rotate --json
	assert_json 'd.audit.map(a => a.actor_kind).join()' shell
	refute_output_has "$(key)"
	! grep -aq "$(key)" "$DB" "$DB-wal"
}

@test "rotate-secret asks first, and changes nothing without an answer" {
	with_api_key
	cp "$ENV_FILE" "$DIR/before"
	lnctl_in "" config rotate-secret
	assert_status 2
	assert_error_has --yes
	cmp "$ENV_FILE" "$DIR/before"
}

@test "rotate-secret is refused while a server holds the database" {
	with_api_key
	cp "$ENV_FILE" "$DIR/before"
	exec 9>"$DB.lock"
	flock -n 9
	lnctl config rotate-secret --yes
	assert_status 6
	assert_error_has "Stop the server first"
	assert_error_line
	cmp "$ENV_FILE" "$DIR/before"
	exec 9>&-
}

@test "rotate-secret is refused for a key in the environment" {
	ln_init
	SECRET_KEY=$(key) lnctl config rotate-secret --yes
	assert_status 6
	assert_error_has environment
	assert_error_line
}

@test "a rotation that was killed before the file changed is finished by the next command" {
	local old

	with_api_key
	old=$(key)
	cp "$ENV_FILE" "$DIR/before"
	lnctl config rotate-secret --yes
	assert_status 0
	# As a kill -9 between the two leaves it.
	(umask 077; printf '%s\n' "$(key)" >"$ENV_FILE.rotate")
	cp "$DIR/before" "$ENV_FILE"
	lnctl provider show --json
	assert_status 0
	assert_error_has "interrupted"
	assert_json d.api_key_last4 6789
	[ "$(key)" != "$old" ]
	[ ! -e "$ENV_FILE.rotate" ]
	lnctl audit verify
	assert_status 0
}

@test "an old env file is told that its key was replaced" {
	with_api_key
	cp "$ENV_FILE" "$DIR/before"
	lnctl config rotate-secret --yes
	cp "$DIR/before" "$ENV_FILE"
	lnctl user create bob --random
	assert_status 12
	assert_error_has "was replaced"
	assert_error_line
	lnctl audit verify
	assert_status 12
}

@test "ask under a wrong SECRET_KEY says so and sends nothing" {
	fake_ollama
	ln_init
	lnctl provider set ollama --global --base-url "$OLLAMA" -m mock \
	    --key-file "$(secret sk-wrong-0123456789)"
	assert_status 0
	sed -i "s/^SECRET_KEY=.*/SECRET_KEY=$(head -c 32 /dev/urandom |
	    base64 | tr -d '/+=')/" "$ENV_FILE"
	lnctl ask hello
	assert_status 12
	assert_error_has "another SECRET_KEY"
	assert_error_line
	[ "$(curl -s "$OLLAMA/_fake/requests")" = "[]" ]
	lnctl config rotate-secret --yes
	assert_status 12
	assert_error_has "cannot be opened"
}
