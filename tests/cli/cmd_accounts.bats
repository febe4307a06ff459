#!/usr/bin/env bats
# lnctl init and lnctl user: what they answer, where secrets come from, what
# is idempotent, what is refused.

load helpers

setup()
{
	ln_setup
}

teardown()
{
	ln_teardown
}

@test "init makes a private instance, and the second run changes nothing" {
	ln_init
	assert_json 'Object.keys(d).join()' \
	    env_file,env_file_created,database,database_created,admin,admin_result
	assert_json d.admin_result created
	assert_json d.env_file_created true
	[ "$(mode "$ENV_FILE")" = 600 ]
	[ "$(mode "$DIR/data")" = 700 ]
	[ "$(mode "$DB")" = 600 ]
	grep -Eq '^SECRET_KEY=.{32,}$' "$ENV_FILE"
	cp "$ENV_FILE" "$DIR/before"
	ln_init
	assert_json d.admin_result already_exists
	assert_json d.env_file_created false
	assert_json d.database_created false
	cmp "$ENV_FILE" "$DIR/before"
	[ "$(sql 'SELECT count(*) FROM user')" = 1 ]
}

@test "init --random prints the password once" {
	lnctl init --random --json
	assert_status 0
	assert_json 'd.password.length' 20
	lnctl init --random --json
	assert_status 0
	assert_json d.password undefined
}

@test "init never asks without a terminal, and says what to add" {
	lnctl_in "" init
	assert_status 2
	assert_error_has --password-stdin
	assert_error_line
}

@test "init --no-admin leaves the administrator to admin seed" {
	lnctl init --no-admin --json
	assert_status 0
	assert_json d.admin_result not_wanted
	assert_json d.env_file_created true
	[ "$(sql 'SELECT count(*) FROM user')" = 0 ]
	lnctl admin seed --email boss@example.test --random --json
	assert_status 0
	assert_json d.user.role admin
	lnctl init --no-admin
	assert_status 0
	[ "$(sql 'SELECT count(*) FROM user')" = 1 ]
}

@test "init takes the administrator from the environment" {
	LOCALNEURAL_ADMIN_EMAIL=boss@example.test \
	    LOCALNEURAL_ADMIN_PASSWORD_FILE=$(secret Operator-pass-0001) \
	    lnctl init --no-input --json
	assert_status 0
	assert_json d.admin admin
	[ "$(sql 'SELECT email FROM user')" = boss@example.test ]
}

@test "init refuses a weak SECRET_KEY and does not touch the file" {
	printf 'SECRET_KEY=short\n' >"$ENV_FILE"
	chmod 600 "$ENV_FILE"
	lnctl init --random
	assert_status 2
	assert_error_has SECRET_KEY
	assert_error_line
	[ "$(cat "$ENV_FILE")" = SECRET_KEY=short ]
	[ ! -e "$DB" ]
}

@test "without SECRET_KEY changes are refused and lookups work" {
	ln_init
	sed -i /SECRET_KEY/d "$ENV_FILE"
	lnctl user list --json
	assert_status 0
	assert_json d.users.length 1
	lnctl user create bob --random
	assert_status 2
	assert_error_has SECRET_KEY
	[ "$(sql 'SELECT count(*) FROM user')" = 1 ]
}

@test "a password comes from standard input, a private file or the random source" {
	ln_init
	lnctl_in 'Correct-horse-7' user create ann --password-stdin --json
	assert_status 0
	assert_json d.result created
	assert_json d.user.username ann
	assert_json d.password undefined
	refute_output_has Correct-horse-7
	lnctl user create ben --password-file "$(secret Correct-horse-7)" --json
	assert_status 0
	lnctl user create cy --random --json
	assert_status 0
	assert_json 'd.password.length' 20
}

@test "a password file that others can read is refused" {
	ln_init
	local file
	file=$(secret Correct-horse-7)
	chmod 644 "$file"
	lnctl user create ann --password-file "$file"
	assert_status 6
	assert_error_line
	[ "$(sql 'SELECT count(*) FROM user')" = 1 ]
}

@test "no option takes a password as its value" {
	lnctl help --jsonl
	[[ $output != *'--password '* && $output != *'--key '* ]]
	lnctl user create ann --password Correct-horse-7
	assert_status 2
	refute_output_has Correct-horse-7
	refute_error_has Correct-horse-7
}

@test "two sources of one password are one too many" {
	ln_init
	lnctl user create ann --random --password-stdin
	assert_status 2
	assert_error_line
}

@test "a weak password and a bad name are refused with a reason" {
	ln_init
	lnctl_in short user create ann --password-stdin
	assert_status 2
	assert_error_line
	lnctl user create 'a b' --random --json
	assert_status 2
	assert_json d.field username
	lnctl user create "$ADMIN_NAME" --random --json
	assert_status 5
	assert_json d.code conflict
}

@test "show and list answer the same record" {
	ln_init
	ln_user ann Correct-horse-7 --email ann@example.test
	lnctl user show ANN@example.test --json
	assert_status 0
	assert_json d.username ann
	assert_json d.role user
	assert_json d.is_blocked false
	assert_json d.conversations 0
	assert_json 'isNaN(Date.parse(d.created_at))' false
	lnctl user list --json --query ann
	assert_json d.total 1
	assert_json 'd.users[0].email' ann@example.test
	lnctl user list --jsonl
	[ "${#lines[@]}" -eq 3 ]
	lnctl user list
	[[ ${lines[0]} == USERNAME* ]]
	lnctl user show nobody
	assert_status 4
}

@test "state verbs are idempotent and say so" {
	ln_init
	ln_user ann
	local words result
	while IFS='|' read -r words result; do
		# shellcheck disable=SC2086
		lnctl user $words --json
		assert_status 0
		assert_json d.result "$result"
	done <<-'ROWS'
		block ann --reason spam|blocked
		block ann|already_blocked
		unblock ann|unblocked
		unblock ann|already_unblocked
		role ann admin|admin
		role ann admin|already_admin
		role ann user|user
		rename ann anna|renamed
		rename anna anna|already_renamed
		logout anna|already_logged_out
	ROWS
}

@test "the last administrator can be neither blocked, demoted nor deleted" {
	ln_init
	local words
	for words in "block $ADMIN_NAME" "role $ADMIN_NAME user" \
	    "delete $ADMIN_NAME --confirm $ADMIN_NAME"; do
		# shellcheck disable=SC2086
		lnctl user $words
		assert_status 6
		assert_error_line
	done
	[ "$(sql "SELECT count(*) FROM user WHERE role = 'admin' AND
	    blocked_ms IS NULL")" = 1 ]
}

@test "a block may end by itself; an end in the past is refused" {
	ln_init
	ln_user ann
	lnctl user block ann --until 7d --json
	assert_status 0
	assert_json 'Date.parse(d.user.blocked_until) > Date.now()' true
	lnctl user block ann --until 2001-01-01
	assert_status 2
	assert_error_line
}

@test "deleting wants the exact name and saves the data first" {
	ln_init
	ln_user ann
	lnctl user delete ann
	assert_status 2
	lnctl user delete ann --yes
	assert_status 2
	lnctl user delete ann --confirm anne
	assert_status 6
	[ "$(sql 'SELECT count(*) FROM user')" = 2 ]
	: >"$DIR/taken"
	lnctl user delete ann --confirm ann --export "$DIR/taken"
	assert_status 5
	[ "$(sql 'SELECT count(*) FROM user')" = 2 ]
	lnctl user delete ann --confirm ann --export "$DIR/ann.json" --json
	assert_status 0
	assert_json d.result deleted
	[ "$(mode "$DIR/ann.json")" = 600 ]
	[ "$(sql 'SELECT count(*) FROM user')" = 1 ]
}

@test "a reset link needs the public address and is never logged" {
	ln_init
	ln_user ann
	lnctl user reset-link ann
	assert_status 2
	assert_error_has LOCALNEURAL_PUBLIC_URL
	LOCALNEURAL_PUBLIC_URL=https://chat.example.test/ \
	    lnctl user reset-link ann --expires 30m --json
	assert_status 0
	assert_json 'd.link.startsWith("https://chat.example.test/reset-password/")' true
	local token
	token=$(json 'd.link.split("/").pop()')
	[ "${#token}" -eq 43 ]
	! grep -aq "$token" "$DB" "$DB-wal"
	lnctl user reset-link ann --expires 8d
	assert_status 2
}

@test "the shell's deeds are in the audit log, whose chain holds" {
	ln_init
	ln_user ann
	lnctl user block ann
	lnctl audit tail --json
	assert_status 0
	assert_json 'd.audit.at(-1).action' user.block
	assert_json 'd.audit.at(-1).actor_kind' shell
	lnctl audit verify --json
	assert_status 0
	assert_json d.result whole
}

@test "audit search finds by actor, by action and by time" {
	ln_init
	ln_user ann
	lnctl user block ann
	lnctl user unblock ann
	lnctl audit search --action user.block --json
	assert_status 0
	assert_json 'd.audit.map(a => a.action).join()' user.block
	lnctl audit search --actor shell --action user --json
	assert_json 'd.audit.at(-1).action' user.unblock
	assert_json 'd.audit.every(a => a.action.startsWith("user."))' true
	lnctl audit search --actor ann --json
	assert_status 0
	assert_json 'd.audit.length' 0
	lnctl audit search --action user --since 1h --json
	assert_json 'd.audit.at(-1).action' user.unblock
	lnctl audit search --since 1h --until 30m --json
	assert_json 'd.audit.length' 0
	lnctl audit search -n 1 --json
	assert_json 'd.audit.length' 1
	lnctl audit search --since yesterday
	assert_status 2
	assert_error_line
}

@test "admin seed is idempotent and promotes only when told" {
	ln_init
	lnctl admin seed --username "$ADMIN_NAME" --random --json
	assert_status 0
	assert_json d.result already_exists
	assert_json d.password undefined
	ln_user ann
	lnctl admin seed --username ann --random
	assert_status 5
	assert_error_has --promote
	lnctl admin seed --username ann --random --promote --json
	assert_status 0
	assert_json d.result promoted
	assert_json d.password undefined
}

@test "root acts as the owner of the database" {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	local place
	place=$(mktemp -d /tmp/ln-owner.XXXXXX)
	DB=$place/data/neural_memory.db
	ln_init
	chown -R nobody "$place"
	lnctl user create ann --random
	found=$(find "$place/data" -user root)
	users=$(sql 'SELECT count(*) FROM user')
	rm -r "$place"
	assert_status 0
	[ "$users" = 2 ]
	[ -z "$found" ]
}
