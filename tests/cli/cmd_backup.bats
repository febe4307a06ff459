#!/usr/bin/env bats
# lnctl backup: what cron runs at night and a person needs on a bad day.

load helpers

setup()
{
	ln_setup
	ln_init
	BACKUPS=$DIR/backups
	mkdir "$BACKUPS"
}

teardown()
{
	ln_teardown
}

# make OPTIONS...: a backup in $BACKUPS; its path in $FILE.
make()
{
	lnctl backup create -d "$BACKUPS" --json "$@"
	assert_status 0
	FILE=$(json d.path)
}

@test "create prints one line of JSON and leaves nothing but the file" {
	make --verify full
	assert_json d.result created
	assert_json d.verified full
	assert_json d.users 1
	[ "$(wc -l <<<"$output")" = 1 ]
	[ "$(mode "$FILE")" = 600 ]
	[ "$(ls "$BACKUPS")" = "${FILE##*/}" ]
	[ -z "$(ls -A "$BACKUPS" | grep -v lock | grep '^\.')" ]
}

@test "without a folder it goes beside the database, which nobody else reads" {
	lnctl backup create
	assert_status 0
	[ "$(mode "${DB%/*}/backups")" = 700 ]
	lnctl backup create -d "$DIR/nosuch"
	assert_status 4
	assert_error_line
	[ ! -e "$DIR/nosuch" ]
}

@test "any zstd opens one that is not encrypted" {
	make
	python3 - "$FILE" <<-'END'
	import struct, sys
	b = open(sys.argv[1], "rb").read()
	magic, n = struct.unpack("<II", b[:8])
	assert magic == 0x184D2A5D
	assert b[8:8 + n].startswith(b'{"format":"localneural-backup","version":1,')
	assert b[8 + n:8 + n + 4] == b"\x28\xb5\x2f\xfd"
	END
}

@test "the host of the backups needs no secret, the restore does" {
	lnctl backup keygen -o "$DIR/secret" --json
	assert_status 0
	local public
	public=$(json d.public_key)
	[ "$(mode "$DIR/secret")" = 600 ]
	lnctl backup keygen -o "$DIR/secret"
	assert_status 5
	make --encrypt-to "$public" --verify drill
	assert_json d.verified drill
	! grep -q "$ADMIN_NAME" "$FILE"
	lnctl backup verify "$FILE"
	assert_status 12
	assert_error_line
	lnctl backup verify "$FILE" --verify quick
	assert_status 0
	lnctl backup drill --latest -d "$BACKUPS" --secret-key-file "$DIR/secret"
	assert_status 0
	chmod 644 "$DIR/secret"
	lnctl backup verify "$FILE" --secret-key-file "$DIR/secret"
	assert_status 6
}

@test "a passphrase opens what it closed, another does not" {
	make --passphrase-file "$(secret 'correct horse battery')" --verify full
	lnctl backup verify "$FILE" --passphrase-file "$(secret 'correct horse battery')"
	assert_status 0
	lnctl backup verify "$FILE" --passphrase-file "$(secret 'wrong horse battery')"
	assert_status 12
	lnctl backup create -d "$BACKUPS" --passphrase-file "$(secret short)"
	assert_status 2
}

@test "a restore brings back what was there, and keeps what was" {
	ln_user ann
	make
	lnctl user delete ann --confirm ann
	assert_status 0
	ln_user bob
	lnctl backup restore "$FILE" --no-input
	assert_status 2
	[ "$(sql "SELECT count(*) FROM user WHERE username = 'bob'")" = 1 ]
	lnctl backup restore "$FILE" --yes --json
	assert_status 0
	assert_json d.result restored
	[ "$(sql 'SELECT username FROM user ORDER BY username')" = $'ann\nroot' ]
	local kept
	kept=$(json d.snapshot)
	[ "$(sqlite3 "$kept" "SELECT count(*) FROM user WHERE username = 'bob'")" = 1 ]
	lnctl audit verify
	assert_status 0
}

@test "on a machine without a database the backup becomes it" {
	ln_user ann
	make
	rm -r "${DB%/*}"
	lnctl backup restore "$FILE"
	assert_status 0
	[ "$(mode "$DB")" = 600 ]
	[ "$(mode "${DB%/*}")" = 700 ]
	lnctl user show ann
	assert_status 0
	lnctl backup restore "$FILE" --to "$DIR/other" --json
	assert_status 0
	[ "$(sqlite3 "$DIR/other/neural_memory.db" 'SELECT count(*) FROM user')" = 2 ]
	lnctl backup restore "$FILE" --to "$DIR/other"
	assert_status 5
}

@test "init begins with a backup, and never on top of a database" {
	make
	DB=$DIR/second/data.db
	lnctl init --from-backup "$FILE" --no-input --json
	assert_status 0
	assert_json d.admin_result already_exists
	lnctl init --from-backup "$FILE" --no-input
	assert_status 5
}

@test "damage is found, with exit 7, and changes nothing" {
	make --verify full
	printf 'XXXX' | dd of="$FILE" bs=1 seek=700 conv=notrunc 2>/dev/null
	lnctl backup verify "$FILE"
	assert_status 7
	assert_error_line
	sql '.dump' >"$DIR/before"
	lnctl backup restore "$FILE" --yes
	assert_status 7
	sql '.dump' | grep -v audit >"$DIR/after"
	diff <(grep -v audit "$DIR/before") "$DIR/after"
	echo 'no backup' >"$DIR/x.db.zst"
	lnctl backup verify "$DIR/x.db.zst"
	assert_status 7
	lnctl backup verify "$DIR/nosuch"
	assert_status 4
}

@test "status is what monitoring asks" {
	lnctl backup status
	assert_status 4
	make --verify quick
	lnctl backup status --max-age 26h --json
	assert_status 0
	assert_json d.is_fresh true
	sleep 1.1
	lnctl backup status --max-age 1s --json
	assert_status 7
	lnctl backup status --max-age soon
	assert_status 2
	LOCALNEURAL_BACKUP_MAX_AGE=1s lnctl backup status --json
	assert_status 7
	assert_json d.is_fresh false
	LOCALNEURAL_BACKUP_MAX_AGE=1s lnctl backup status --max-age 26h
	assert_status 0
	LOCALNEURAL_BACKUP_MAX_AGE=soon lnctl backup status
	assert_status 2
	assert_error_line
	LOCALNEURAL_BACKUP_MAX_AGE=soon lnctl config check
	assert_status 7
}

@test "create --prune keeps what the rules say and tells what went" {
	make
	local first=$FILE
	make --verify quick
	make --verify full --prune --keep-last 2
	assert_json d.pruned.length 1
	assert_json 'd.pruned[0].path' "$first"
	[ ! -e "$first" ]
	lnctl backup list -d "$BACKUPS" --json
	assert_json d.backups.length 2
	assert_json 'd.backups[0].verified' full
	lnctl backup prune -d "$BACKUPS" --keep-last 1 --dry-run --json
	assert_json d.result would_prune
	assert_json d.pruned.length 1
	lnctl backup list -d "$BACKUPS" --json
	assert_json d.backups.length 2
}

@test "a second backup to the folder does not start" {
	exec 8>"$BACKUPS/.localneural-backup.lock"
	flock 8
	lnctl backup create -d "$BACKUPS"
	assert_status 5
	assert_error_line
	exec 8>&-
	make
}

@test "a killed one leaves no file under the final name, and no rubbish" {
	local i
	for i in 1 2 3 4 5 6; do
		"$LNCTL" --env-file "$ENV_FILE" --db "$DB" backup create \
		    -d "$BACKUPS" --verify drill >/dev/null 2>&1 </dev/null &
		local pid=$!
		sleep "0.0$((i * 2))"
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	for FILE in "$BACKUPS"/*.zst; do
		[ ! -e "$FILE" ] || { lnctl backup verify "$FILE"; assert_status 0; }
	done
	# Working folders of killed runs go once they are a minute old.
	find "$BACKUPS" -name '.localneural.backup-*' -exec touch -d '2 minutes ago' {} +
	make
	[ -z "$(find "$BACKUPS" -name '.localneural.backup-*')" ]
}

@test "a full disk leaves everything as it was" {
	mkdir "$DIR/small"
	mount -t tmpfs -o size=64k tmpfs "$DIR/small" 2>/dev/null ||
	    { [ "$(id -u)" -ne 0 ]; return; }
	lnctl backup create -d "$DIR/small"
	local code=$status
	local left
	left=$(find "$DIR/small" -type f ! -name '*.lock')
	umount "$DIR/small"
	[ "$code" = 1 ]
	[ -z "$left" ]
	assert_error_line
}

@test "files of the first version open for ever" {
	local fixtures=$LN_ROOT/tests/fixtures/backup
	install -m 600 "$fixtures/secret.key" "$DIR/secret.key"
	lnctl backup restore "$fixtures/plain.db.zst" --to "$DIR/plain"
	assert_status 0
	lnctl backup restore "$fixtures/sealed.db.zst.enc" --to "$DIR/sealed" \
	    --secret-key-file "$DIR/secret.key"
	assert_status 0
	local db
	for db in "$DIR"/plain "$DIR"/sealed; do
		[ "$(sqlite3 "$db/neural_memory.db" 'SELECT username FROM user')" = vector ]
	done
}
