#!/usr/bin/env bats
# lnctl db and lnctl doctor: what they answer and what they leave behind.

load helpers

setup()
{
	ln_setup
	LEGACY=$LN_ROOT/tests/fixtures/legacy_scrypt.db
}

teardown()
{
	ln_teardown
}

@test "every command says that there is no database, with exit 10" {
	: >"$ENV_FILE"
	local words
	for words in "db info" "db check" "user list" "history list" \
	    "provider show" "audit tail"; do
		# shellcheck disable=SC2086
		lnctl $words
		assert_status 10
		assert_error_has 'lnctl init'
		assert_error_line
	done
	[ ! -e "$DIR/data" ]
}

@test "what is not our database is not touched" {
	ln_init
	local file
	for file in empty text legacy; do
		DB=$DIR/$file.db
		case $file in
		empty) : >"$DB" ;;
		text) echo 'no database' >"$DB" ;;
		legacy) cp "$LEGACY" "$DB" ;;
		esac
		cp "$DB" "$DIR/before"
		lnctl user create ann --random
		[ "$status" -ne 0 ]
		assert_error_line
		cmp "$DB" "$DIR/before"
	done
}

@test "validate reports every finding and needs no database" {
	: >"$ENV_FILE"
	lnctl db validate "$LEGACY" --json
	assert_status 0
	assert_json d.kind legacy
	assert_json d.is_importable true
	assert_json d.counts.users 5
	assert_json 'd.findings.every(f => f.code && f.level && f.text)' true
	echo 'no database' >"$DIR/x.db"
	lnctl db validate "$DIR/x.db" --json
	assert_status 7
	assert_json d.is_importable false
	assert_json 'd.findings[0].code' not_sqlite
	assert_error_line
	lnctl db validate "$DIR/nosuch"
	assert_status 4
}

@test "import wants a yes, keeps a snapshot and says what arrived" {
	ln_init
	lnctl db import "$LEGACY"
	assert_status 2
	assert_error_has --yes
	lnctl db import "$LEGACY" --dry-run --json
	assert_status 0
	assert_json d.result would_import
	[ "$(sql 'SELECT count(*) FROM user')" = 1 ]
	lnctl db import "$LEGACY" --yes --keep-admin "$ADMIN_NAME" --json
	assert_status 0
	assert_json d.result imported
	assert_json d.counts.messages 24
	local snapshot
	snapshot=$(json d.snapshot)
	[ -s "$snapshot" ]
	[ "$(mode "$snapshot")" = 600 ]
	lnctl user show "$ADMIN_NAME"
	assert_status 0
}

@test "a refused import changes nothing and exits 7" {
	ln_init
	echo 'no database' >"$DIR/x.db"
	lnctl db import "$DIR/x.db" --yes --json
	assert_status 7
	assert_json d.is_importable false
	[ "$(sql 'SELECT count(*) FROM user')" = 1 ]
	ln_user ann
	lnctl db import "$LEGACY" --yes --keep-admin ann
	assert_status 2
}

@test "export, import and export again hold the same" {
	ln_init
	lnctl db import "$LEGACY" --yes --keep-admin "$ADMIN_NAME"
	assert_status 0
	lnctl db export "$DIR/one.db" --json
	assert_status 0
	[ "$(mode "$DIR/one.db")" = 600 ]
	lnctl db validate "$DIR/one.db" --json
	local counts
	counts=$(json 'JSON.stringify({ ...d.counts, audit: 0 })')
	lnctl db import "$DIR/one.db" --yes --json
	assert_status 0
	lnctl db export - >/dev/null
	assert_status 0
	lnctl db export "$DIR/two.db"
	lnctl db validate "$DIR/two.db" --json
	assert_json 'JSON.stringify({ ...d.counts, audit: 0 })' "$counts"
	lnctl audit tail --json
	assert_json 'd.audit.at(-1).action' db.export
	[ -z "$(find "$DIR" -name '*.part')" ]
}

@test "export never overwrites and never mixes up its two kinds" {
	ln_init
	: >"$DIR/taken"
	lnctl db export "$DIR/taken"
	assert_status 5
	[ ! -s "$DIR/taken" ]
	lnctl db export "$DIR/x" --format json
	assert_status 2
	lnctl db export "$DIR/x" --format sqlite --user "$ADMIN_NAME"
	assert_status 2
	lnctl db export - --json
	assert_status 2
	lnctl db export - --user "$ADMIN_NAME"
	assert_status 0
	assert_json 'typeof d' object
}

@test "check finds a sound database sound, and a damaged one not" {
	ln_init
	lnctl db check --full --json
	assert_status 0
	assert_json d.result sound
	lnctl db import "$LEGACY" --yes --keep-admin "$ADMIN_NAME"
	local page size
	page=$(sql "SELECT rootpage FROM sqlite_schema WHERE name = 'message'")
	size=$(sql 'PRAGMA page_size')
	sqlite3 "$DB" 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
	dd if=/dev/urandom of="$DB" bs="$size" seek=$((page - 1)) count=1 \
	    conv=notrunc status=none
	lnctl db check --json
	assert_status 7
	assert_json d.result damaged
	assert_json 'd.problems.length > 0' true
	assert_error_line
}

@test "info counts what is there, while somebody else writes" {
	ln_init
	sqlite3 "$DB" 'BEGIN IMMEDIATE' '.shell sleep 3' &
	JOBS+=($!)
	sleep 0.3
	lnctl db info --json
	assert_status 0
	assert_json d.users 1
	assert_json d.admins 1
	assert_json d.schema "$(json d.schema_latest)"
}

@test "a lock that stays is reported as busy, with exit 11" {
	ln_init
	sqlite3 "$DB" 'BEGIN IMMEDIATE' '.shell sleep 20' &
	JOBS+=($!)
	sleep 0.3
	lnctl user create ann --random --json
	assert_status 11
	assert_json d.code busy
}

@test "a newer database is refused with exit 13 and not touched" {
	ln_init
	sqlite3 "$DB" 'PRAGMA user_version = 999' 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
	cp "$DB" "$DIR/before"
	lnctl user create ann --random
	assert_status 13
	assert_error_line
	cmp "$DB" "$DIR/before"
}

@test "doctor finds what is wrong, and --fix repairs permissions only" {
	lnctl doctor --json
	assert_status 4
	ln_init
	lnctl doctor --json --listen 127.0.0.1:1
	assert_status 2
	LOCALNEURAL_LISTEN=127.0.0.1:59868 lnctl doctor --json
	assert_status 0
	assert_json d.errors 0
	chmod 755 "$DIR/data"
	chmod 644 "$DB"
	LOCALNEURAL_LISTEN=127.0.0.1:59868 lnctl doctor --json
	assert_status 7
	assert_json 'd.checks.filter(c => c.state === "error").map(c => c.check).join()' \
	    data_folder_mode,database_mode
	LOCALNEURAL_LISTEN=127.0.0.1:59868 lnctl doctor --fix --json
	assert_status 0
	[ "$(mode "$DIR/data")" = 700 ]
	[ "$(mode "$DB")" = 600 ]
}

# state of the one check that --run asked for
doctor_state()
{
	LOCALNEURAL_LISTEN=127.0.0.1:59868 lnctl doctor --json --run "$1"
	assert_json d.checks.length 1
	assert_json 'd.checks[0].check' "$1"
	assert_json 'd.checks[0].state' "$2"
}

@test "doctor --run looks at one thing, and says which there are" {
	ln_init
	doctor_state disk_space ok
	doctor_state schema ok
	doctor_state backup warning
	lnctl doctor --run horoscope
	assert_status 2
	assert_error_line
	lnctl doctor --run "schema wal"
	assert_status 2
	lnctl doctor --run ""
	assert_status 2
}

# cert DAYS: a certificate that ends in so many days, or ended before as many
cert()
{
	: >"$DIR/ca.db"
	printf '%s\n' '[ca]' 'default_ca = d' '[d]' "database = $DIR/ca.db" \
	    "new_certs_dir = $DIR" 'default_md = sha256' 'rand_serial = yes' \
	    'policy = p' '[p]' 'commonName = supplied' >"$DIR/ca.cnf"
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout "$DIR/key.pem" -out "$DIR/request.pem" -subj /CN=localhost \
	    2>/dev/null
	openssl ca -batch -selfsign -notext -config "$DIR/ca.cnf" \
	    -keyfile "$DIR/key.pem" -in "$DIR/request.pem" \
	    -startdate 20200101000000Z \
	    -enddate "$(date -u -d "$1 days" +%Y%m%d%H%M%SZ)" \
	    -out "$DIR/cert.pem" 2>"$DIR/ca.log"
}

@test "doctor warns before a certificate ends, and says when it has" {
	ln_init
	doctor_state certificate ok
	export LOCALNEURAL_TLS_CERT=$DIR/cert.pem
	doctor_state certificate error
	cert 400
	doctor_state certificate ok
	cert 29
	doctor_state certificate warning
	assert_status 0
	cert -1
	doctor_state certificate error
	assert_status 7
	echo "no certificate" >"$DIR/cert.pem"
	doctor_state certificate error
	unset LOCALNEURAL_TLS_CERT
	cert 1
	mv "$DIR/cert.pem" "$DIR/data/tls.crt"
	doctor_state certificate warning
}

@test "doctor goes on after a failure and names each" {
	: >"$ENV_FILE"
	lnctl doctor --json
	assert_status 7
	assert_json 'd.checks.some(c => c.check === "secret_key" && c.state === "error")' true
	assert_json 'd.checks.some(c => c.check === "database" && c.state === "error")' true
	assert_json 'd.checks.some(c => c.check === "listen")' true
}

@test "migrate brings an older database up to date, and says so before" {
	local id

	ln_init
	lnctl db migrate --json
	assert_status 0
	assert_json d.result already_current
	id=$(sql 'PRAGMA application_id')
	sqlite3 "$DIR/old.db" ".read $LN_ROOT/libln/store/migrations/0001_initial.sql" \
	    "PRAGMA application_id = $id; PRAGMA user_version = 1"
	DB=$DIR/old.db
	lnctl db migrate --dry-run --json
	assert_status 0
	assert_json d.result would_migrate
	assert_json d.from 1
	[ "$(sql 'PRAGMA user_version')" = 1 ]
	lnctl db migrate --json
	assert_status 0
	assert_json d.result migrated
	assert_json 'd.to > 1' true
	[ "$(sql 'PRAGMA user_version')" = "$(json d.to)" ]
	compgen -G "$DB.before-schema-*" >/dev/null
	DB=$DIR/nosuch.db
	lnctl db migrate
	assert_status 10
}

@test "vacuum gives back room, and everything is still there" {
	ln_init
	lnctl db import "$LEGACY" --yes --keep-admin "$ADMIN_NAME"
	assert_status 0
	sqlite3 "$DB" "CREATE TABLE filler(a); INSERT INTO filler
	    VALUES (zeroblob(3000000)); DROP TABLE filler"
	lnctl db vacuum --json
	assert_status 0
	assert_json 'd.bytes_before - d.bytes_after > 2500000' true
	lnctl db check --full
	assert_status 0
	[ "$(sql 'SELECT count(*) FROM message')" = 24 ]
}

@test "stats says what takes how much room" {
	ln_init
	lnctl db stats --json
	assert_status 0
	assert_json 'd.parts.some(p => p.name === "message" && p.kind === "table")' true
	assert_json 'd.parts.every((p, i) => i === 0 || p.bytes <= d.parts[i - 1].bytes)' true
	assert_json 'd.parts.reduce((n, p) => n + p.bytes, 0) + d.free_bytes <= d.file_bytes + d.wal_bytes' true
}
