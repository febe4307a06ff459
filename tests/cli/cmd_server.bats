#!/usr/bin/env bats
# lnctl server: how the server is found and started.  The program started here
# is a stand-in that prints its words; the real one is tested in tests/server.

load helpers

setup()
{
	ln_setup
	mkdir "$DIR/bin"
	cp "$LNCTL" "$DIR/bin/lnctl"
	LNCTL=$DIR/bin/lnctl
	cat >"$DIR/bin/localneural-server" <<-'SERVER'
	#!/bin/sh
	printf 'started\n'
	for word; do printf '<%s>\n' "$word"; done
	SERVER
	chmod +x "$DIR/bin/localneural-server"
}

teardown()
{
	ln_teardown
}

@test "run --init makes everything, prints the password once, then serves" {
	lnctl server run --init
	assert_status 0
	[ "${lines[0]}" = 'admin: admin' ]
	[[ ${lines[1]} =~ ^password:\ [^\ ]{20}\ \(shown\ once\)$ ]]
	[ "${lines[2]}" = started ]
	[ "$(mode "$ENV_FILE")" = 600 ]
	[ "$(mode "$DB")" = 600 ]
	cp "$ENV_FILE" "$DIR/before"
	lnctl server run --init
	assert_status 0
	[ "${lines[0]}" = started ]
	cmp "$ENV_FILE" "$DIR/before"
	[ "$(sql 'SELECT count(*) FROM user')" = 1 ]
}

@test "run --init takes a password that was set, and prints none" {
	LOCALNEURAL_ADMIN_PASSWORD_FILE=$(secret Operator-pass-0001) \
	    LOCALNEURAL_ADMIN_EMAIL=boss@example.test lnctl server run --init
	assert_status 0
	[ "${lines[0]}" = started ]
	[ "$(sql 'SELECT email FROM user')" = boss@example.test ]
}

@test "run hands every decision to the server, and no secret" {
	ln_init
	lnctl server run --listen 127.0.0.1:4321 --workers 3 \
	    --tls-cert /c.pem --tls-key /k.pem --insecure-http
	assert_status 0
	[ "$output" = "started
<--env-file>
<$ENV_FILE>
<--db>
<$DB>
<--listen>
<127.0.0.1:4321>
<--workers>
<3>
<--tls-cert>
</c.pem>
<--tls-key>
</k.pem>
<--insecure-http>" ]
}

@test "run refuses before it starts anything" {
	: >"$ENV_FILE"
	lnctl server run
	assert_status 2
	assert_error_has SECRET_KEY
	refute_output_has started
	rm "$ENV_FILE"
	ln_init
	mv "$DB" "$DB.away"
	rm -f "$DB-wal" "$DB-shm"
	lnctl server run
	assert_status 10
	refute_output_has started
	mv "$DB.away" "$DB"
	lnctl server run --json
	assert_status 2
	refute_output_has started
	rm "$DIR/bin/localneural-server"
	PATH=/nowhere lnctl server run
	assert_status 1
	assert_error_has localneural-server
	assert_error_line
}

@test "check says whether it could be started" {
	ln_init
	lnctl server check --listen 127.0.0.1:4322 --json
	assert_status 0
	assert_json d.result valid
	assert_json d.is_listening false
	assert_json d.program "$DIR/bin/localneural-server"
	lnctl server check --listen nonsense --json
	assert_status 7
	lnctl server check --listen 192.0.2.1:4322
	assert_status 7
	assert_error_line
}

@test "status tells a listener from none" {
	ln_init
	lnctl server status --listen 127.0.0.1:1 --json
	assert_status 1
	assert_json d.is_listening false
	fake_ollama
	lnctl server status --listen "${OLLAMA#http://}" --json
	assert_status 0
	assert_json d.is_listening true
}
