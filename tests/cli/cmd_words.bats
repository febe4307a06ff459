#!/usr/bin/env bats
# How lnctl takes words: help, options, guesses, exit codes, what goes where.

load helpers

setup()
{
	ln_setup
}

teardown()
{
	ln_teardown
}

# Without --env-file and --db in front.
bare()
{
	local here=$DIR/stderr

	status=0
	output=$("$LNCTL" "$@" 2>"$here") || status=$?
	errors=$(<"$here")
}

@test "the version needs no settings and no database" {
	bare --version
	assert_status 0
	[[ $output =~ ^lnctl\ [0-9]+\.[0-9]+\.[0-9]+\ \(database\ schema\ [0-9]+\)$ ]]
	[ -z "$errors" ]
	bare version --json
	assert_status 0
	assert_json 'Object.keys(d).join()' version,schema
	[ "$(ls -A "$DIR" | grep -v stderr)" = "" ]
}

@test "help goes to standard output, a missing command to standard error" {
	bare help
	assert_status 0
	assert_output_has 'Commands:'
	bare --help
	assert_status 0
	assert_output_has 'Commands:'
	bare
	assert_status 2
	[ -z "$output" ]
	assert_error_has 'Commands:'
	bare user
	assert_status 2
	[ -z "$output" ]
	assert_error_has 'lnctl user: manage accounts'
}

@test "every command explains itself and lists its own options" {
	bare help --jsonl
	assert_status 0
	local command first
	while read -r command; do
		# shellcheck disable=SC2086
		bare $command --help
		assert_status 0
		read -r first <<<"$output"
		[[ $first == "lnctl $command: "* ]] || ln_fail "$command"
	done < <(node -e '
		for (const l of require("fs").readFileSync(0, "utf8").trim()
		    .split("\n"))
			console.log(JSON.parse(l).command)' <<<"$output")
	bare help user create
	assert_output_has '--password-file FILE'
}

@test "a mistyped word is told, with what was probably meant" {
	local words meant
	while IFS='|' read -r words meant; do
		# shellcheck disable=SC2086
		bare $words
		assert_status 2
		[ -z "$output" ]
		assert_error_line
		assert_error_has "$meant"
	done <<-'ROWS'
		usr list|Did you mean "user"?
		user lst|Did you mean "user list"?
		user list --rle admin|Did you mean --role?
		help usr|Did you mean "user"?
	ROWS
	bare config get LOCALNEURAL_LISTN
	assert_status 4
	assert_error_has 'Did you mean LOCALNEURAL_LISTEN?'
}

@test "nothing is guessed for a word that resembles none" {
	bare frobnicate
	assert_status 2
	refute_error_has 'Did you mean'
	assert_error_line
}

@test "wrong options and words are refused before anything is done" {
	local words why
	while IFS='|' read -r words why; do
		# shellcheck disable=SC2086
		bare $words
		assert_status 2
		[ -z "$output" ]
		assert_error_line
		assert_error_has "$why"
	done <<-'ROWS'
		user list --role|needs a value
		user list --role boss|takes user|admin
		user list --blocked=yes|takes no value
		user list --query a --query b|given twice
		user list -n|needs a value
		user list extra|one word too many
		user show|something is missing
		completion csh|unknown shell
		--role admin user list|Options of a command follow its name
	ROWS
}

@test "--json and --jsonl exclude each other" {
	bare version --json --jsonl
	assert_status 2
	assert_json d.exit 2
}

@test "options stand before or after the command, with = or without" {
	: >"$ENV_FILE"
	bare --env-file "$ENV_FILE" --db=/x/y.db config get LOCALNEURAL_DB
	assert_status 0
	[ "$output" = /x/y.db ]
	bare config --json get LOCALNEURAL_DB --db /x/z.db
	assert_status 0
	assert_json d.value /x/z.db
	assert_json d.origin flag
}

@test "behind -- a word that looks like an option is a word" {
	bare help -- --json
	assert_status 2
	assert_error_has 'there is no command "--json"'
}

@test "with --json a failure is one object on standard output as well" {
	bare user show --json
	assert_status 2
	assert_json d.exit 2
	assert_json d.code usage
	assert_json 'd.error.length > 0' true
	assert_error_line
	lnctl db info --json
	: >"$ENV_FILE"
	lnctl db info --json
	assert_status 10
	assert_json d.code no_database
	assert_json d.exit 10
	assert_error_has 'lnctl init'
}

@test "piped output has no colour, unless it is asked for" {
	: >"$ENV_FILE"
	export TERM=xterm
	lnctl config show
	assert_status 0
	refute_output_has $'\033'
	lnctl config show --color always
	assert_output_has $'\033[1m'
}

@test "a terminal gets colour, and NO_COLOR, TERM=dumb and --color end it" {
	: >"$ENV_FILE"
	export TERM=xterm
	on_terminal()
	{
		script -qec "$LNCTL --env-file $ENV_FILE config show $*" \
		    /dev/null </dev/null
	}
	output=$(on_terminal)
	assert_output_has $'\033[1m'
	output=$(on_terminal --color never)
	refute_output_has $'\033'
	output=$(NO_COLOR=1 on_terminal)
	refute_output_has $'\033'
	output=$(TERM=dumb on_terminal)
	refute_output_has $'\033'
}

@test "settings: flag over environment over file over default" {
	printf 'LOCALNEURAL_LISTEN=127.0.0.1:1001\n' >"$ENV_FILE"
	bare config get LOCALNEURAL_LISTEN --json
	assert_json d.origin file
	LOCALNEURAL_LISTEN=127.0.0.1:1002 bare config get LOCALNEURAL_LISTEN \
	    --json
	assert_json d.value 127.0.0.1:1002
	assert_json d.origin environment
	LOCALNEURAL_LISTEN=127.0.0.1:1002 bare server status --json \
	    --listen 127.0.0.1:1
	assert_json d.listen 127.0.0.1:1
	rm "$ENV_FILE"
	bare config get LOCALNEURAL_LISTEN --json
	assert_json d.origin default
}

@test "a bad env file is told with its line, and nothing is done" {
	printf 'LOCALNEURAL_LISTEN=127.0.0.1:1\nwhat is this\n' >"$ENV_FILE"
	lnctl db info
	assert_status 2
	assert_error_has 'line 2'
	assert_error_line
	rm "$ENV_FILE"
	lnctl db info
	assert_status 4
	assert_error_has "$ENV_FILE"
}

@test "secrets in the settings are never printed" {
	printf 'SECRET_KEY=%s\nOPENAI_API_KEY=sk-canary\n' \
	    canary-0123456789-abcdefghijklmnopqrstuv >"$ENV_FILE"
	chmod 600 "$ENV_FILE"
	lnctl config show --origin --json
	assert_status 0
	refute_output_has canary
	lnctl config show -v
	refute_output_has canary
	assert_output_has '(set)'
	lnctl config get SECRET_KEY
	assert_status 6
	refute_output_has canary
	refute_error_has canary
}

@test "output that cannot be written is a failure" {
	[ -e /dev/full ] || skip "no /dev/full"
	run "$LNCTL" help --json
	[ "$status" -eq 0 ]
	status=0
	errors=$("$LNCTL" help --json 2>&1 >/dev/full) || status=$?
	[ "$status" -eq 1 ]
	assert_error_line
}

@test "a reader that leaves early is not an error message" {
	errors=$("$LNCTL" help --jsonl 2>&1 >/dev/null | head -n 1)
	[ -z "$errors" ]
	"$LNCTL" help --jsonl 2>"$DIR/e" | head -n 1 >/dev/null
	[ ! -s "$DIR/e" ]
}
