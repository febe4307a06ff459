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
	for _ in {1..400}; do
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

# is_partial KIND TEXT: whether it is what a row lets through of an answer.
is_partial()
{
	case $1 in
	none) [ -z "$2" ] ;;
	whole) [[ $2 == 'Grüße, Welt! '*'🦀.' ]] ;;
	some) [ "$2" = 'The quick brown' ] || [[ ${#2} -gt 1000000 &&
	    $2 == *word0*word1* ]] ;;
	esac
}

# check_row PROVIDER NAME URL MODEL STATUS EXIT PARTIAL WORDS
check_row()
{
	local provider=$1 name=$2 url=$3 model=$4 token=$5 code=$6 partial=$7
	local words=$8 got saved

	echo "# row: $name"
	lnctl provider set "$provider" --global --base-url "$url"
	assert_status 0
	lnctl ask "Why is the sky blue?" -m "$model" --json </dev/null
	assert_status "$code"
	mapfile -t got < <(json '[d.answer, d.finish_reason, d.code, d.exit,
	    d.error].join("\n")')
	is_partial "$partial" "${got[0]}" || ln_fail "answer: ${got[0]}"
	mapfile -t saved < <(sql "SELECT state, content FROM message
	    WHERE role = 'assistant' ORDER BY id DESC LIMIT 1" | tr '|' '\n')
	if [ "$partial" != none ]; then
		is_partial "$partial" "${saved[1]}" ||
		    ln_fail "saved: ${saved[1]}"
	fi
	if [ "$token" = ok ]; then
		[ "${saved[0]}" = complete ] || ln_fail "state ${saved[0]}"
		[ -z "$errors" ] || ln_fail "something was said"
		return 0
	fi
	[ "$partial" = none ] || [ "${saved[0]}" = failed ] ||
	    ln_fail "state ${saved[0]}"
	[ "${got[1]}" = error ] || ln_fail "finish_reason ${got[1]}"
	[ "${got[2]}" = "$token" ] || ln_fail "code ${got[2]}"
	[ "${got[3]}" = "$code" ] || ln_fail "exit ${got[3]}"
	[[ ${got[4]} == *"$words"* ]] || ln_fail "sentence: ${got[4]}"
	[ "${#got[@]}" = 5 ] || ln_fail "more than one sentence"
	assert_error_line
	[ "$(grep -c '' <<<"$errors")" = 1 ] || ln_fail "more than one line"
	refute_error_has "$KEY"
	refute_output_has "$KEY"
	[[ ! $errors =~ CUDA|runner|not\ as\ it\ should|no\ such\ thing ]] ||
	    ln_fail "words of the provider"
}

check_table()
{
	local name url model token code partial words count=0

	with_table "$1"
	while IFS=$'\t' read -r _ name url model token code partial words; do
		check_row "$1" "$name" "$url" "$model" "$token" "$code" \
		    "$partial" "$words"
		count=$((count + 1))
	done < <(grep '^row' "$DIR/table")
	[ "$count" -ge 20 ]
	[ "$(sql "SELECT count(*) FROM message WHERE role = 'user'")" = \
	    "$count" ]
	[ "$(sql "SELECT count(*) FROM message WHERE state = 'streaming'")" = 0 ]
}
