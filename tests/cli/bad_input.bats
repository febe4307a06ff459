#!/usr/bin/env bats
# What is wrong is said in one sentence with advice, ends with the right exit
# status, and leaves nothing half-written.

load helpers

setup()
{
	ln_setup
}

teardown()
{
	ln_teardown
}

# refused STATUS ARGS...: that exit status, one error line, clean output.
refused()
{
	local want=$1

	shift
	lnctl "$@"
	assert_status "$want"
	assert_error_line
	[ -z "$output" ] || ln_fail "a failure printed data"
	refute_error_has "sqlite"
	refute_error_has "$ADMIN_PASSWORD"
}

# What the data folder holds, names and content.
snapshot()
{
	(cd "$DIR" && find data -type f ! -name '*-shm' -exec cksum {} + |
	    sort -k 3)
}

env_file()
{
	printf '%s\n' "$@" >"$ENV_FILE"
	chmod 600 "$ENV_FILE"
}

# --- SECRET_KEY -----------------------------------------------------------

@test "without a SECRET_KEY nothing is signed, and the command that makes one is told" {
	ln_init
	env_file "# nothing here"
	refused 2 user create bob --random --no-input
	assert_error_has SECRET_KEY
	assert_error_has "openssl rand -base64 48"
	[ "$(sql "SELECT count(*) FROM user WHERE username = 'bob'")" = 0 ]
}

@test "the command that the advice names makes a key that is accepted" {
	env_file "# nothing here"
	lnctl init --admin-email a@b.test --random --no-input
	assert_status 2
	command=$(sed -n 's/.*make one with: \(.*\)\. Put.*/\1/p' <<<"$errors")
	[ -n "$command" ] || ln_fail "no command in the advice"
	env_file "SECRET_KEY=$(bash -c "$command")"
	lnctl init --admin-email a@b.test --random --no-input --json
	assert_status 0
}

@test "a SECRET_KEY of 31 characters is refused, one of 32 is not" {
	env_file "SECRET_KEY=0123456789abcdefghijklmnopqrstu"
	refused 2 init --admin-email a@b.test --random --no-input
	assert_error_has SECRET_KEY
	assert_error_has 32
	[ ! -e "$DB" ] || ln_fail "a database was made"
	env_file "SECRET_KEY=0123456789abcdefghijklmnopqrstuv"
	lnctl init --admin-email a@b.test --random --no-input --json
	assert_status 0
}

@test "a SECRET_KEY that stands in examples is refused" {
	env_file "SECRET_KEY=change-me-change-me-change-me-change-me"
	refused 2 init --admin-email a@b.test --random --no-input
	assert_error_has SECRET_KEY
}

@test "the key is never printed" {
	ln_init
	key=$(sed -n 's/^SECRET_KEY=//p' "$ENV_FILE")
	for words in "config show" "config show --origin" "doctor" "db info" \
	    "user list -v" "server check"; do
		# shellcheck disable=SC2086
		lnctl $words
		refute_output_has "$key"
		refute_error_has "$key"
	done
}

# --- the env file ---------------------------------------------------------

@test "a line of the env file that can't be read is named by its number" {
	ln_init
	env_file "SECRET_KEY=0123456789abcdefghijklmnopqrstuvwxyz" "" "what is this"
	refused 2 user list
	assert_error_has "line 3"
	refute_error_has 0123456789
}

@test "an env file that others may read is refused" {
	ln_init
	chmod 644 "$ENV_FILE"
	refused 6 user list
	assert_error_has "chmod 600"
}

@test "an env file that was named and is not there is said" {
	ln_init
	run "$LNCTL" --env-file "$DIR/nowhere.env" --db "$DB" user list
	[ "$status" -eq 4 ] || [ "$status" -eq 2 ]
	[[ $output == *nowhere.env* ]]
	[ ! -e "$DIR/nowhere.env" ]
}

# --- the database ---------------------------------------------------------

@test "no database: exit 10, and nothing is made" {
	env_file "SECRET_KEY=0123456789abcdefghijklmnopqrstuvwxyz"
	for words in "user list" "db info" "db export out.db" "ask hello" \
	    "user block bob" "admin seed --random"; do
		# shellcheck disable=SC2086
		refused 10 $words --no-input
		assert_error_has "lnctl init"
		[ ! -e "$DB" ] || ln_fail "$words made a database"
		[ ! -e out.db ] || ln_fail "$words left a file"
	done
}

@test "a file that is no database is left alone" {
	env_file "SECRET_KEY=0123456789abcdefghijklmnopqrstuvwxyz"
	mkdir -m 700 data
	seq 1 5000 >"$DB"
	chmod 600 "$DB"
	before=$(snapshot)
	for words in "user list" "db check" "db info" "user block bob" \
	    "init --admin-email a@b.test --random"; do
		# shellcheck disable=SC2086
		refused 1 $words --no-input
		[ "$(snapshot)" = "$before" ] || ln_fail "$words changed something"
	done
}

@test "a truncated database is reported, not repaired by guessing" {
	ln_init
	sqlite3 "$DB" 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
	rm -f "$DB-wal" "$DB-shm"
	size=$(stat -c %s "$DB")
	truncate -s $((size / 2)) "$DB"
	lnctl db check
	[[ $status -eq 1 || $status -eq 7 ]] || ln_fail "not reported"
	assert_error_line
	[ "$(stat -c %s "$DB")" = $((size / 2)) ]
}

@test "a database that is newer than this build: exit 13, untouched" {
	ln_init
	sqlite3 "$DB" 'PRAGMA user_version = 999; PRAGMA wal_checkpoint(TRUNCATE)' \
	    >/dev/null
	before=$(sql 'SELECT count(*) FROM user')
	refused 13 user list
	refused 13 user create bob --random --no-input
	[ "$(sql 'PRAGMA user_version')" = 999 ]
	[ "$(sql 'SELECT count(*) FROM user')" = "$before" ]
}

@test "a database of another program is not taken for ours" {
	env_file "SECRET_KEY=0123456789abcdefghijklmnopqrstuvwxyz"
	mkdir -m 700 data
	sqlite3 "$DB" 'CREATE TABLE t(x); INSERT INTO t VALUES (1)'
	chmod 600 "$DB"
	refused 1 user create bob --random --no-input
	[ "$(sql 'SELECT x FROM t')" = 1 ]
}

@test "a locked database: exit 11 within a bound" {
	ln_init
	mkfifo gate
	sqlite3 "$DB" <gate >/dev/null 2>&1 3>&- &
	JOBS+=($!)
	exec 7>gate
	echo 'BEGIN IMMEDIATE; CREATE TABLE held(x); SELECT 1;' >&7
	sleep 0.5
	SECONDS=0
	refused 11 user create bob --random --no-input
	[ "$SECONDS" -lt 30 ]
	echo 'ROLLBACK;' >&7
	exec 7>&-
	wait "${JOBS[-1]}" || true
	lnctl user create bob --random --no-input --json
	assert_status 0
}

@test "a full disk is said, and the database stays whole" {
	[ "$(id -u)" -eq 0 ] || skip "needs root for a small file system"
	mkdir data
	mount -t tmpfs -o size=1m,mode=700 none data 2>/dev/null ||
	    skip "may not mount"
	ln_init
	head -c 1m /dev/zero >data/filler 2>/dev/null || true
	lnctl ask "$(head -c 60000 /dev/zero | tr '\0' x)" --no-input
	full=$status said=$errors
	rm -f data/filler
	check=$(sql 'PRAGMA integrity_check' 2>&1) || true
	lnctl user list --json
	cd /
	umount "$DIR/data"
	[ "$full" -ne 0 ] || ln_fail "nobody noticed"
	[ -n "$said" ]
	[ "$check" = ok ]
	assert_status 0
}

# --- files to import ------------------------------------------------------

@test "what is no database is refused with 7 and a stable code, and nothing changes" {
	ln_init
	good=$LN_FIXTURES/legacy_scrypt.db
	seq 1 5000 >text.db
	: >empty.db
	head -c 50000 "$good" >half.db
	gzip -c "$good" >packed.db
	before=$(sql 'SELECT group_concat(id) FROM user')
	while read -r file code; do
		lnctl db validate "$file" --json
		assert_status 7
		assert_json 'd.is_importable' false
		assert_json "d.findings.some((f) => f.code === '$code')" true
		lnctl db import "$file" --yes --no-input
		assert_status 7
		assert_error_line
		[ "$(sql 'SELECT group_concat(id) FROM user')" = "$before" ]
	done <<-'EOF'
	text.db not_sqlite
	empty.db empty
	half.db truncated
	EOF
	lnctl db validate packed.db --json
	assert_status 7
	lnctl db validate nowhere.db
	assert_status 4
	lnctl db validate "$DIR"
	[[ $status -eq 7 || $status -eq 1 ]] || ln_fail "a folder was accepted"
	mkfifo pipe.db
	run timeout 20 "$LNCTL" --env-file "$ENV_FILE" --db "$DB" db validate pipe.db
	[[ $status -ne 0 && $status -ne 124 ]]
	command ln -s "$good" link.db
	lnctl db validate link.db
	assert_status 7
}

@test "an import that would change everything asks first" {
	ln_init
	lnctl db import "$LN_FIXTURES/legacy_scrypt.db" --no-input
	assert_status 2
	assert_error_has --yes
	[ "$(sql 'SELECT count(*) FROM user')" = 1 ]
}

@test "a dry run of an import reports and changes nothing" {
	ln_init
	lnctl db import "$LN_FIXTURES/legacy_scrypt.db" --dry-run --json --no-input
	assert_status 0
	assert_json 'd.result' would_import
	assert_json 'd.counts.users' 5
	[ "$(sql 'SELECT count(*) FROM user')" = 1 ]
}

@test "an export does not overwrite" {
	ln_init
	echo precious >out.db
	lnctl db export out.db
	assert_status 5
	[ "$(cat out.db)" = precious ]
}

# --- words ----------------------------------------------------------------

@test "an unknown word gets a suggestion and exit 2" {
	ln_init
	refused 2 usr list
	assert_error_has user
	refused 2 user blok bob
	assert_error_has block
	refused 2 user list --jsno
	assert_error_has json
}

@test "a secret on the command line is not even an option" {
	ln_init
	lnctl user create bob --password Secret-pass-1 --no-input
	assert_status 2
	refute_error_has Secret-pass-1
	refute_output_has Secret-pass-1
}

@test "a secret file that others may read is refused" {
	ln_init
	file=$(secret Some-Password-1)
	chmod 644 "$file"
	lnctl user create bob --password-file "$file" --no-input
	assert_status 6
	assert_error_has "$file"
}

@test "without a terminal nothing is asked" {
	ln_init
	lnctl user create bob --no-input
	assert_status 2
	assert_error_has --password-file
	lnctl user create bob
	assert_status 2
}

# --- providers ------------------------------------------------------------

@test "a provider that is down: exit 8, the question is kept" {
	ln_init
	lnctl provider set ollama --global --base-url http://127.0.0.1:9 -m x --json
	assert_status 0
	lnctl ask "anybody?" --no-input
	assert_status 8
	assert_error_line
	lnctl provider test --json
	assert_status 8
	[ "$(sql "SELECT count(*) FROM message WHERE role = 'user'")" = 1 ]
}

@test "a model that is not there: exit 4, and what to do" {
	ln_init
	fake_ollama
	lnctl provider set ollama --global --base-url "$OLLAMA" -m nobody --json
	assert_status 0
	lnctl ask hello --no-input
	assert_status 4
	assert_error_line
	assert_error_has "choose another one"
	lnctl model list --json
	assert_status 0
	assert_output_has llama3.2
}

# --- the server -----------------------------------------------------------

@test "a port in use is said with what to do" {
	ln_init
	node -e 'const s = require("net").createServer();
	    s.listen(0, "127.0.0.1", () => console.log(s.address().port));' \
	    >port 3>&- &
	JOBS+=($!)
	for _ in {1..1200}; do
		[ -s port ] && break
		sleep 0.05
	done
	lnctl server run --listen "127.0.0.1:$(cat port)" --no-input
	[ "$status" -ne 0 ]
	assert_error_has "in use"
	assert_error_has --listen
}

@test "an address that can't be listened on is a usage error" {
	ln_init
	for where in "nonsense" "127.0.0.1:70000" "127.0.0.1:-1" ":x"; do
		lnctl server run --listen "$where" --no-input
		[ "$status" -ne 0 ] || ln_fail "$where was accepted"
		assert_error_has --listen
	done
}
