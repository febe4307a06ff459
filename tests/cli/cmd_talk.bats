#!/usr/bin/env bats
# lnctl ask and lnctl chat without a terminal, lnctl provider, lnctl history.

load helpers

setup()
{
	ln_setup
}

teardown()
{
	ln_teardown
}

# An instance whose administrator talks to the fake Ollama.
with_ollama()
{
	ln_init
	fake_ollama
	lnctl provider set ollama --base-url "$OLLAMA" -m llama3.2 --global \
	    --json
	assert_status 0
	assert_json d.provider ollama
	assert_json d.base_url "$OLLAMA"
}

@test "a fresh instance answers offline and says that no model is connected" {
	ln_init
	lnctl ask "How do I connect a model?" --json </dev/null
	assert_status 0
	assert_json d.provider offline
	assert_json 'd.answer.length > 0' true
	assert_json 'd.message_id > 0' true
	assert_json 'Object.keys(d).join()' \
	    answer,conversation_id,message_id,provider,model,tokens,prompt_tokens,is_estimated,duration_ms,finish_reason
	[ "$(sql 'SELECT count(*) FROM message')" = 2 ]
}

@test "provider test prints the models, and fails for one that is missing" {
	with_ollama
	lnctl provider test --json
	assert_status 0
	assert_json d.has_model true
	assert_json 'd.models.some(m => m.model === "slow:latest")' true
	lnctl provider set ollama -m nosuch
	assert_status 0
	lnctl provider test
	assert_status 8
	assert_error_line
	lnctl model list --jsonl
	assert_status 0
	lnctl provider set nosuch
	assert_status 4
}

@test "an API key is read from a file, kept sealed and never shown" {
	with_ollama
	lnctl provider set ollama --base-url "$OLLAMA" --json \
	    --key-file "$(secret sk-canary-0123456789)"
	assert_status 0
	assert_json d.api_key_set true
	assert_json d.api_key_last4 6789
	refute_output_has canary
	lnctl provider show --json
	refute_output_has canary
	! grep -aq canary "$DB" "$DB-wal"
	lnctl provider set ollama --clear-key --json
	assert_json d.api_key_set false
}

@test "ask joins its argument and what is piped in" {
	with_ollama
	output=$(echo 'int main(void);' | "$LNCTL" --env-file "$ENV_FILE" \
	    --db "$DB" ask "review this" -m echo)
	assert_output_has 'review this'
	assert_output_has 'int main(void);'
	lnctl_in 'hello there' ask - -m echo
	assert_status 0
	assert_output_has 'hello there'
	lnctl_in '' ask
	assert_status 2
	assert_error_line
}

@test "ask -x prints only code, and fails when there is none" {
	with_ollama
	lnctl ask code -m markdown -x </dev/null
	assert_status 0
	[ "$output" = 'int main(void);' ]
	lnctl ask code -x </dev/null
	assert_status 4
	[ -z "$output" ]
	assert_error_line
}

@test "a model cannot drive the terminal" {
	with_ollama
	lnctl ask hi -m hostile </dev/null
	assert_status 0
	refute_output_has $'\033'
	refute_output_has $'\a'
	refute_output_has $'\u202e'
	assert_output_has 'Red: '
	lnctl ask hi -m hostile --json </dev/null
	assert_json 'd.answer.includes("\u001b[31m")' true
}

@test "when the provider fails, what came is printed and kept, with exit 8" {
	with_ollama
	local model
	for model in cut short errline http500; do
		lnctl ask hi -m "$model" </dev/null
		assert_status 8
		assert_error_line
	done
	lnctl ask hi -m cut --json </dev/null
	assert_status 8
	assert_json d.exit 8
	assert_json 'd.answer.length > 0' true
	assert_json 'd.message_id > 0' true
	LOCALNEURAL_CONNECT_TIMEOUT_MS=500 lnctl provider set ollama \
	    --base-url http://127.0.0.1:9
	lnctl ask hi </dev/null
	assert_status 8
	[ -z "$output" ]
	refute_error_has SELECT
}

@test "a killed lnctl blocks its conversation for nobody" {
	with_ollama
	"$LNCTL" --env-file "$ENV_FILE" --db "$DB" ask hi -m slow \
	    >"$DIR/answer" 2>"$DIR/e" </dev/null &
	local pid=$!
	for _ in {1..1200}; do
		[ ! -s "$DIR/answer" ] || break
		sleep 0.05
	done
	kill -KILL "$pid"
	wait "$pid" || true
	[ "$(sql 'SELECT count(*) FROM generation')" = 1 ]
	lnctl ask again -c -m llama3.2 </dev/null
	assert_status 0
	[ "$(sql 'SELECT count(*) FROM generation')" = 0 ]
	[ "$(sql "SELECT group_concat(state) FROM (SELECT state FROM message
	    WHERE role = 'assistant' ORDER BY id)")" = interrupted,complete ]
	[ "$(sql 'SELECT count(*) FROM conversation')" = 1 ]
}

@test "a writing lnctl is left alone by another one" {
	with_ollama
	"$LNCTL" --env-file "$ENV_FILE" --db "$DB" ask hi -m slow \
	    >"$DIR/answer" 2>"$DIR/e" </dev/null &
	local pid=$!
	for _ in {1..1200}; do
		[ ! -s "$DIR/answer" ] || break
		sleep 0.05
	done
	lnctl ask again -c -m llama3.2 </dev/null
	assert_status 5
	kill -TERM "$pid"
	wait "$pid" || true
	[ "$(sql "SELECT state FROM message WHERE role = 'assistant'")" = \
	    stopped ]
}

@test "a stopped answer is kept and the exit code is 130" {
	with_ollama
	"$LNCTL" --env-file "$ENV_FILE" --db "$DB" ask hi -m slow \
	    >"$DIR/answer" 2>"$DIR/e" </dev/null &
	local pid=$!
	for _ in {1..1200}; do
		[ ! -s "$DIR/answer" ] || break
		sleep 0.05
	done
	[ -s "$DIR/answer" ]
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 130 ]
	[ "$(sql "SELECT state FROM message ORDER BY id DESC LIMIT 1")" = \
	    stopped ]
	[ "$(sql "SELECT length(content) > 0 FROM message ORDER BY id DESC
	    LIMIT 1")" = 1 ]
	[ "$(sql 'SELECT count(*) FROM generation')" = 0 ]
}

@test "-c goes on with the latest conversation, --no-save keeps nothing" {
	with_ollama
	lnctl ask one --json </dev/null
	local id
	id=$(json d.conversation_id)
	lnctl ask two -c --json </dev/null
	assert_json d.conversation_id "$id"
	lnctl ask three --id "$id" --json </dev/null
	assert_json d.conversation_id "$id"
	[ "$(sql 'SELECT count(*) FROM message')" = 6 ]
	lnctl ask four --no-save --json </dev/null
	assert_status 0
	assert_json d.message_id null
	[ "$(sql 'SELECT count(*) FROM message')" = 6 ]
	lnctl ask x --id nosuch </dev/null
	assert_status 4
	lnctl ask x --temp 3 </dev/null
	assert_status 2
	lnctl ask x --provider nosuch </dev/null
	assert_status 4
}

@test "a text file goes with the question; a binary one does not" {
	with_ollama
	echo 'the secret word is kumquat' >"$DIR/notes.txt"
	lnctl ask "what is the word" -a "$DIR/notes.txt" -m echo </dev/null
	assert_status 0
	assert_output_has kumquat
	lnctl ask hi -a "$LNCTL" </dev/null
	assert_status 2
	lnctl ask hi -a "$DIR/nosuch" </dev/null
	assert_status 4
}

# The last request that asked for an answer, as d in a JavaScript expression.
last_request()
{
	curl -s "$OLLAMA/_fake/requests" | node -e '
		const all = JSON.parse(require("fs").readFileSync(0, "utf8"));
		const d = all.filter((r) => r.path === "/api/chat").at(-1).body;
		console.log(String(eval(process.argv[1])));' "$1"
}

# A picture of one pixel.
picture()
{
	base64 -d >"$1" <<<"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
}

@test "several text files and pictures go with one question" {
	with_ollama
	printf 'kumquat' >"$DIR/a.txt"
	printf 'medlar\n' >"$DIR/b.txt"
	picture "$DIR/looks-like.txt"
	lnctl ask "what are these" -a "$DIR/a.txt" -a "$DIR/looks-like.txt" \
	    --attach "$DIR/b.txt" -m llava </dev/null
	assert_status 0
	last_request 'd.messages.at(-1).content' >"$DIR/sent"
	grep -q -- '--- a.txt ---' "$DIR/sent"
	grep -q kumquat "$DIR/sent"
	grep -q medlar "$DIR/sent"
	[ "$(last_request 'd.messages.at(-1).images.length')" = 1 ]
	head -c 6000000 /dev/zero | tr '\0' x >"$DIR/big.txt"
	lnctl ask hi -a "$DIR/big.txt" </dev/null
	assert_status 2
	assert_error_has '5 MiB'
}

@test "a PDF and text in another encoding go as text; a scan is refused" {
	with_ollama
	# Without a table of places, which readers make up for.
	pdf()
	{
		printf '%%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n'
		printf '2 0 obj\n<</Type/Pages/Count 1/Kids[3 0 R]>>\nendobj\n'
		printf '3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]'
		printf '/Resources<</Font<</F 5 0 R>>>>/Contents 4 0 R>>\nendobj\n'
		printf '4 0 obj\n<</Length %d>>stream\n%s\nendstream\nendobj\n' \
		    "${#1}" "$1"
		printf '5 0 obj\n<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>'
		printf '\nendobj\ntrailer\n<</Size 6/Root 1 0 R>>\n%%%%EOF\n'
	}
	pdf 'BT /F 12 Tf 72 700 Td (kumquat) Tj ET' >"$DIR/a.pdf"
	printf 'gr\374\337' >"$DIR/b.txt"
	lnctl ask "what is it" -a "$DIR/a.pdf" -a "$DIR/b.txt" </dev/null
	assert_status 0
	last_request 'd.messages.at(-1).content' >"$DIR/sent"
	grep -qF '[Page 1]' "$DIR/sent"
	grep -q kumquat "$DIR/sent"
	grep -q 'grüß' "$DIR/sent"
	pdf '0 0 9 9 re f' >"$DIR/scan.pdf"
	lnctl ask hi -a "$DIR/scan.pdf" </dev/null
	assert_status 2
	assert_error_has 'its pages are pictures'
}

@test "a tool run is a line beside the answer, and in the history" {
	with_ollama
	lnctl ask "what time is it" -m tools </dev/null
	assert_status 0
	refute_output_has tool
	assert_error_has '[tool current_time: done]'
	local id
	id=$(sql 'SELECT id FROM conversation')
	lnctl history show "$id"
	assert_output_has '[tool current_time: done]'
	lnctl history show "$id" --json
	assert_json 'd.tool_runs[0].state' done
	assert_json 'd.tool_runs[0].message_id' 2
	lnctl -q ask "what time is it" -m tools </dev/null
	refute_error_has tool
}

@test "a tool that asks first is not allowed where nobody can be asked" {
	with_ollama
	lnctl tool enable current_time --ask
	assert_status 0
	lnctl ask "what time is it" -m tools </dev/null
	assert_status 0
	assert_output_has 'It rests.'
	assert_error_has 'nobody can be asked here'
	assert_error_has '[tool current_time: denied'
	[ "$(last_request 'd.messages.at(-1).content')" = \
	    'The person did not allow this call' ]
}

@test "what a model thinks is not in the answer of a script" {
	with_ollama
	lnctl ask hi -m qwen3 </dev/null
	assert_status 0
	refute_output_has think
	refute_error_has think
}

@test "chat sets options, corrects a question and counts" {
	with_ollama
	lnctl_in $'one\n/set max_tokens 40\n/temp 0.5\n/set\n/edit two\n/tokens\n' \
	    chat -m echo
	assert_status 0
	[ "$output" = $'one\ntwo' ]
	assert_error_has 'max_tokens: 40'
	assert_error_has 'temperature: 0.5'
	assert_error_has 'tokens, to a prompt of'
	[ "$(last_request 'd.options.num_predict')" = 40 ]
	[ "$(last_request 'd.options.temperature')" = 0.5 ]
	[ "$(sql "SELECT group_concat(content) FROM message")" = two,two ]
	local words
	for words in '/set nosuch 1' '/set top_p 2' '/temp 3' '/edit'; do
		lnctl_in $'one\n'"$words" chat
		assert_status 2
		assert_error_line
	done
}

@test "chat goes on with an answer that broke off" {
	with_ollama
	lnctl_in $'one\n/continue\n' chat -m length
	assert_status 0
	[ "$(sql 'SELECT count(*) FROM message')" = 2 ]
	[ "$(sql 'SELECT length(content) > 60 FROM message WHERE id = 2')" = 1 ]
	lnctl_in $'/continue\n' chat
	assert_status 4
}

@test "chat takes one question a line when piped, and its commands work" {
	with_ollama
	lnctl_in $'first question\n/title A good title\n/model echo\n"""\nline one\nline two\n"""\n/history\n/save '"$DIR/out.md"$'\n/quit\nnot asked\n' \
	    chat
	assert_status 0
	assert_output_has 'The quick brown fox'
	assert_output_has $'line one\nline two'
	refute_output_has '> '
	[ "$(sql 'SELECT title FROM conversation')" = 'A good title' ]
	[ "$(sql 'SELECT count(*) FROM message')" = 4 ]
	grep -q 'line two' "$DIR/out.md"
	[ "$(mode "$DIR/out.md")" = 600 ]
	lnctl_in $'/hlp\n' chat
	assert_status 2
	assert_error_has 'Did you mean /help?'
}

# The contents of the messages of the last request the fake was sent.
last_prompt()
{
	curl -s "$OLLAMA/_fake/requests" | node -e '
		const all = JSON.parse(require("fs").readFileSync(0, "utf8"));
		const chats = all.filter((r) => r.path === "/api/chat");
		console.log(chats.at(-1).body.messages
		    .map((m) => m.content.slice(0, 9)).join("|"));'
}

@test "chat --no-save remembers its turns until it ends, or /new" {
	with_ollama
	lnctl_in $'one\ntwo\n' chat --no-save
	assert_status 0
	[ "$(last_prompt)" = "one|The quick|two" ]
	lnctl_in $'one\n/new\ntwo\n' chat --no-save
	[ "$(last_prompt)" = two ]
	[ "$(sql 'SELECT count(*) FROM message')" = 0 ]
}

@test "chat --jsonl answers one object a question" {
	with_ollama
	lnctl_in $'one\ntwo\n' chat --jsonl
	assert_status 0
	[ "${#lines[@]}" -eq 2 ]
	output=${lines[1]}
	assert_json d.model llama3.2
	assert_json 'd.answer.length > 0' true
}

@test "history lists, shows, exports and changes conversations" {
	with_ollama
	lnctl ask "a question of mine" --json </dev/null
	local id words result
	id=$(json d.conversation_id)
	lnctl history list --json
	assert_json 'd.conversations[0].id' "$id"
	lnctl history show "$id"
	assert_output_has 'a question of mine'
	lnctl history show "$id" --json
	assert_json 'd.messages.map(m => m.role).join()' user,assistant
	lnctl history export "$id"
	assert_output_has 'a question of mine'
	lnctl history export "$id" --format json -o "$DIR/c.json" --json
	assert_status 0
	lnctl history export "$id" -o "$DIR/c.json"
	assert_status 5
	while IFS='|' read -r words result; do
		# shellcheck disable=SC2086
		lnctl history $words --json
		assert_status 0
		assert_json d.result "$result"
	done <<-ROWS
		rename $id Better|renamed
		rename $id Better|already_renamed
		pin $id|pinned
		pin $id|already_pinned
		unpin $id|unpinned
		archive $id|archived
		unarchive $id|unarchived
	ROWS
	lnctl history delete "$id"
	assert_status 2
	lnctl history delete "$id" --yes --json
	assert_json d.result deleted
	lnctl history show "$id"
	assert_status 4
}

@test "nobody reads another account's conversation" {
	with_ollama
	ln_user ann
	lnctl ask mine --user ann --json </dev/null
	local id
	id=$(json d.conversation_id)
	lnctl history show "$id" --user "$ADMIN_NAME"
	assert_status 4
	lnctl history show "$id" --user ann
	assert_status 0
	LOCALNEURAL_USER=ann lnctl history list --json
	assert_json d.conversations.length 1
}

@test "a blocked account gets no answer" {
	with_ollama
	ln_user ann
	lnctl user block ann
	lnctl ask hi --user ann </dev/null
	assert_status 6
	[ "$(sql 'SELECT count(*) FROM message')" = 0 ]
}

@test "chat /summarize without a model quotes the conversation, and says so" {
	ln_init
	lnctl_in $'Why do tulips want such a cold winter?\n/summarize\n' chat
	assert_status 0
	assert_error_has 'nobody wrote a summary'
	assert_error_has '- You: Why do tulips want such a cold winter?'
	lnctl_in $'/summarize\n' chat
	assert_status 4
}

# title MODEL: of the only conversation, and how often a model was asked.
title()
{
	sql 'SELECT title FROM conversation'
	curl -s "$OLLAMA/_fake/requests" | node -e '
		const all = JSON.parse(require("fs").readFileSync(0, "utf8"));
		console.log(all.filter((r) => r.path === "/api/chat" &&
		    r.body.stream === false).length);'
}

@test "the model gives a title once its answer is out" {
	with_ollama
	export LOCALNEURAL_AUTO_TITLE=1
	# The answer is read before the title is there.
	curl -s -X PUT -H 'content-type: application/json' \
	    -d '{"text": "**Light and air.**"}' "$OLLAMA/_fake/models/namer" \
	    >/dev/null
	lnctl ask 'Why is the sky blue?' -m namer </dev/null
	assert_status 0
	[ "$output" = "**Light and air.**" ]
	[ "$(title)" = $'Light and air\n1' ]
	# Only the first answer, and only of what is saved.
	lnctl ask -c 'And red?' -m namer </dev/null
	assert_status 0
	lnctl ask --no-save 'And green?' -m namer </dev/null
	assert_status 0
	[ "$(title)" = $'Light and air\n1' ]
	lnctl_in $'first\nsecond\n' chat -m namer
	assert_status 0
	[ "$(title)" = $'Light and air\nLight and air\n2' ]
}

@test "without a title by the model the first words are one" {
	with_ollama
	export LOCALNEURAL_AUTO_TITLE=1
	curl -s -X PUT -H 'content-type: application/json' \
	    -d '{"whole_status": 500}' "$OLLAMA/_fake/models/nameless" \
	    >/dev/null
	lnctl ask 'Why is the sky blue?' -m nameless --json </dev/null
	assert_status 0
	assert_json d.answer \
	    'The quick brown fox jumps over the lazy dog. It rests.'
	[ "$(title)" = $'Why is the sky blue?\n1' ]
}

@test "titles by the model can be switched off" {
	with_ollama
	lnctl ask 'Why is the sky blue?' </dev/null
	assert_status 0
	[ "$(title)" = $'Why is the sky blue?\n0' ]
}
