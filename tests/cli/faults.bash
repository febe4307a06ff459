# What the files that hold lnctl against the table of faults share (sourced by
# them; the table is tests/fake/faults.mjs).

setup()
{
	ln_setup
	ln_init
}

teardown()
{
	ln_teardown
}

# with_table PROVIDER: its fake runs, and $DIR/table holds its rows.
with_table()
{
	: >"$DIR/table"
	node "$LN_ROOT/tests/fake/faults.mjs" "$1" >"$DIR/table" 3>&- &
	JOBS+=($!)
	for _ in {1..1200}; do
		! grep -q '^listening$' "$DIR/table" || break
		sleep 0.05
	done
	grep -q '^listening$' "$DIR/table"
	KEY=$(sed -n 's/^key //p' "$DIR/table")
	lnctl provider set "$1" --global --base-url http://127.0.0.1:1 \
	    -m llama3.2 --key-file "$(secret "$KEY")"
	assert_status 0
	# As in the table; the default would take a minute.
	export LOCALNEURAL_STALL_TIMEOUT_MS=4000
}

# check_row PROVIDER NAME URL MODEL
check_row()
{
	lnctl provider set "$1" --global --base-url "$3"
	assert_status 0
	# By way of files: an answer without end is some megabytes of text.
	status=0
	"$LNCTL" --env-file "$ENV_FILE" --db "$DB" ask "Why is the sky blue?" \
	    -m "$4" --json </dev/null >"$DIR/out" 2>"$DIR/err" || status=$?
	sqlite3 -readonly -json "$DB" "SELECT state, content FROM message
	    WHERE role = 'assistant' AND conversation_id = (SELECT
	    conversation_id FROM message ORDER BY id DESC LIMIT 1)
	    ORDER BY id DESC LIMIT 1" >"$DIR/saved"
	node "$LN_ROOT/tests/fake/faults.mjs" "$1" "$2" "$status" "$DIR" ||
	    ln_fail "row: $2"
	if grep "$KEY\|Sanitizer\|runtime error:" "$DIR/out" "$DIR/err"; then
		ln_fail "row: $2"
	fi
}

check_table()
{
	local name url model count=0

	with_table "$1"
	while IFS=$'\t' read -r _ name url model; do
		check_row "$1" "$name" "$url" "$model"
		count=$((count + 1))
	done < <(grep '^row' "$DIR/table")
	[ "$count" -ge 20 ]
	[ "$(sql "SELECT count(*) FROM message WHERE role = 'user'")" = \
	    "$count" ]
	[ "$(sql "SELECT count(*) FROM message WHERE state = 'streaming'")" = 0 ]
}
