# For bats files about lnctl:
#
#   load helpers
#   setup() { ln_setup; }
#   teardown() { ln_teardown; }
#
# Every test gets a folder of its own in $DIR, with the env file $ENV_FILE and
# the database $DB, which do not exist until ln_init makes them.

ADMIN_NAME=root
ADMIN_EMAIL=root@example.test
ADMIN_PASSWORD=Operator-pass-0001

ln_setup()
{
	DIR=$(mktemp -d "$BATS_TEST_TMPDIR/XXXXXX")
	DB=$DIR/data/neural_memory.db
	ENV_FILE=$DIR/.env
	LNCTL=$LN_BIN/lnctl
	JOBS=()
	export LOCALNEURAL_PWHASH=small
	# Fake models are not asked for titles, except where that is the test.
	export LOCALNEURAL_AUTO_TITLE=0
	cd "$DIR" || return 1
}

ln_teardown()
{
	local pid

	for pid in "${JOBS[@]}"; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	cd /
}

# lnctl on this test's files.  Standard output in $output, standard error in
# $errors, both kept apart; exit status in $status.
lnctl()
{
	local here=$DIR/stderr

	status=0
	output=$("$LNCTL" --env-file "$ENV_FILE" --db "$DB" "$@" 2>"$here") ||
	    status=$?
	errors=$(<"$here")
	mapfile -t lines <<<"$output"
	if [[ $errors == *Sanitizer* || $errors == *"runtime error:"* ]]; then
		printf '%s\n' "$errors"
		return 1
	fi
	return 0
}

# The same with standard input from the first argument.
lnctl_in()
{
	local text=$1

	shift
	lnctl "$@" <<<"$text"
}

ln_fail()
{
	printf '%s\n' "$1"
	printf -- '--- exit status %s, standard output:\n%s\n' "$status" "$output"
	printf -- '--- standard error:\n%s\n' "$errors"
	return 1
}

assert_status()
{
	[ "$status" -eq "$1" ] || ln_fail "expected exit status $1"
}

assert_output_has()
{
	[[ $output == *"$1"* ]] || ln_fail "standard output lacks: $1"
}

refute_output_has()
{
	[[ $output != *"$1"* ]] || ln_fail "standard output has: $1"
}

assert_error_has()
{
	[[ $errors == *"$1"* ]] || ln_fail "standard error lacks: $1"
}

refute_error_has()
{
	[[ $errors != *"$1"* ]] || ln_fail "standard error has: $1"
}

# "lnctl: WHAT: WHY. DO THIS.": one line, and the last sentence is advice.
assert_error_line()
{
	local last

	last=$(grep '^lnctl: ' <<<"$errors" | tail -n 1)
	[ -n "$last" ] || ln_fail "no error line"
	[[ $last =~ ^lnctl:\ .+\.$ ]] || ln_fail "not a sentence: $last"
}

# json EXPRESSION: evaluate it with d, the parsed standard output.
json()
{
	node -e '
	const d = JSON.parse(require("fs").readFileSync(0, "utf8"));
	const v = eval(process.argv[1]);
	process.stdout.write(typeof v === "string" ? v : JSON.stringify(v) ?? "undefined");
	' "$1" <<<"$output"
}

# assert_json EXPRESSION VALUE
assert_json()
{
	local got

	got=$(json "$1") || ln_fail "standard output is not the JSON wanted"
	[ "$got" = "$2" ] || ln_fail "$1 is $got, expected $2"
}

# secret TEXT: the path of a new file that only we can read.
secret()
{
	local file

	file=$(mktemp "$DIR/secret.XXXXXX")
	printf '%s' "$1" >"$file"
	printf '%s' "$file"
}

# The data folder, the env file and the administrator.
ln_init()
{
	lnctl init --admin-email "$ADMIN_EMAIL" --admin-username "$ADMIN_NAME" \
	    --password-file "$(secret "$ADMIN_PASSWORD")" --no-input --json
	assert_status 0
}

# ln_user NAME [PASSWORD] [options...]
ln_user()
{
	local name=$1 password=${2:-$1-Password-1}

	shift; shift || true
	lnctl user create "$name" --password-file "$(secret "$password")" \
	    --no-input --json "$@"
	assert_status 0
}

# A fake provider (a file of tests/fake, with its arguments) on loopback; its
# address in FAKE.
fake_provider()
{
	local port name=$1

	shift
	# Before the loop looks into it: the child may be slow to open it.
	: >"$DIR/fake"
	node "$LN_ROOT/tests/fake/$name.mjs" "$@" >"$DIR/fake" 3>&- &
	JOBS+=($!)
	for _ in {1..1200}; do
		port=$(sed -n 's/^listening //p' "$DIR/fake")
		[ -z "$port" ] || break
		sleep 0.05
	done
	[ -n "$port" ] || return 1
	FAKE=http://127.0.0.1:$port
}

# The fake Ollama; its address in OLLAMA.
fake_ollama()
{
	fake_provider ollama
	OLLAMA=$FAKE
}

# mode FILE: its permission bits, "600".
mode()
{
	stat -c %a "$1"
}

# sql STATEMENT: look into the database behind lnctl's back.
sql()
{
	sqlite3 -readonly "$DB" "$1"
}
