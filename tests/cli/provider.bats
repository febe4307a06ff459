#!/usr/bin/env bats
# lnctl with the providers that are not Ollama: choosing them, their keys, and
# an answer by each dialect.

load helpers

setup()
{
	ln_setup
	ln_init
}

teardown()
{
	ln_teardown
}

# with_fake DIALECT PROVIDER PATH: the administrator's instance talks to the
# fake of that dialect, whose URL has that path.
with_fake()
{
	fake_provider "$1" --key sk-canary-0123456789
	lnctl provider set "$2" --base-url "$FAKE$3" -m llama3.2 --global \
	    --key-file "$(secret sk-canary-0123456789)"
	assert_status 0
}

@test "every provider of this build is listed with what it needs" {
	lnctl provider list --json
	assert_status 0
	for name in offline ollama openai openrouter groq llamacpp vllm \
	    lmstudio openai-compatible anthropic gemini; do
		assert_json "d.providers.some(p => p.name === '$name')" true
	done
	assert_json 'd.providers.find(p => p.name === "groq").wants_key' true
	assert_json 'd.providers.find(p => p.name === "vllm").is_local' true
	assert_json \
	    'd.providers.find(p => p.name === "openai-compatible").base_url' \
	    null
}

@test "OpenAI's dialect answers ask, lists its models, and keeps the key" {
	with_fake openai openai /v1
	lnctl ask "Why is the sky blue?" --json </dev/null
	assert_status 0
	assert_json d.answer \
	    'The quick brown fox jumps over the lazy dog. It rests.'
	assert_json d.provider openai
	assert_json d.model llama3.2
	assert_json d.finish_reason stop
	assert_json d.is_estimated false
	assert_json 'd.tokens > 0 && d.prompt_tokens > 0' true
	lnctl provider test --json
	assert_status 0
	assert_json d.has_model true
	lnctl model list --json
	assert_status 0
	assert_json 'd.models.some(m => m.model === "qwen3")' true
	lnctl ask "Think" -m qwen3 --json </dev/null
	assert_json d.answer \
	    'The quick brown fox jumps over the lazy dog. It rests.'
	refute_output_has canary
}

@test "Anthropic's and Google's dialects do the same" {
	for name in anthropic gemini; do
		with_fake $name $name ""
		lnctl ask "Why is the sky blue?" --json </dev/null
		assert_status 0
		assert_json d.answer \
		    'The quick brown fox jumps over the lazy dog. It rests.'
		assert_json d.provider $name
		assert_json d.finish_reason stop
		assert_json d.is_estimated false
		assert_json 'd.tokens > 0 && d.prompt_tokens > 0' true
		lnctl provider test --json
		assert_status 0
		assert_json d.has_model true
		lnctl model list --json
		assert_status 0
		assert_json 'd.models.some(m => m.model === "qwen3")' true
		assert_json 'd.models.some(m => m.model.includes("embed"))' \
		    false
		lnctl ask "Think" -m qwen3 --json </dev/null
		assert_json d.answer \
		    'The quick brown fox jumps over the lazy dog. It rests.'
		lnctl ask "What time is it?" -m tools --json </dev/null
		assert_status 0
		assert_json d.answer \
		    'The quick brown fox jumps over the lazy dog. It rests.'
		refute_output_has canary
		lnctl ask hi -m nosuch </dev/null
		assert_status 4
		assert_error_has 'does not have this model'
		lnctl ask hi -m prompt-too-long </dev/null
		assert_error_has 'too long for this model'
		lnctl provider set $name --global \
		    --key-file "$(secret sk-wrong-000)"
		lnctl ask hi --json </dev/null
		assert_status 8
		assert_json d.code unauthenticated
		assert_error_has 'refused the API key'
		refute_error_has sk-wrong
	done
}

@test "a server of OpenAI's dialect goes by any of its names" {
	fake_provider openai
	for name in openrouter groq llamacpp vllm lmstudio openai-compatible; do
		lnctl provider set $name --global --base-url "$FAKE/v1/" -m echo
		assert_status 0
		lnctl ask "it is $name" --temp 0.5 --json </dev/null
		assert_status 0
		assert_json d.answer "it is $name"
		lnctl provider test --json
		assert_status 0
	done
}

@test "a refused key and a wrong path are exit 8, an unknown model is 4" {
	with_fake openai openai /v1
	lnctl ask hi -m nosuch </dev/null
	assert_status 4
	assert_error_has 'does not have this model'
	lnctl provider set openai --global --key-file "$(secret sk-wrong-000)"
	lnctl ask hi --json </dev/null
	assert_status 8
	assert_json d.code unauthenticated
	assert_json d.exit 8
	assert_error_has 'refused the API key'
	refute_output_has sk-wrong
	refute_error_has sk-wrong
	lnctl provider test
	assert_status 8
	lnctl provider set openai --global --base-url "$FAKE" \
	    --key-file "$(secret sk-canary-0123456789)"
	lnctl ask hi </dev/null
	assert_status 8
	assert_error_has 'Check its base URL'
}

@test "a provider in the cloud says at once that it needs a key" {
	for name in openai openrouter groq anthropic gemini; do
		lnctl ask hi --provider $name -m some </dev/null
		assert_status 2
		assert_error_has 'needs an API key'
		assert_error_has '--key-stdin'
		lnctl model list --provider $name --json
		[ "$status" -ne 0 ]
		assert_error_has 'needs an API key'
	done
	# Nothing was saved for a question that was never asked.
	[ "$(sql 'SELECT count(*) FROM message')" = 0 ]
}

@test "a provider without a usual address says that it needs one" {
	lnctl ask hi --provider openai-compatible -m some </dev/null
	assert_status 2
	assert_error_has '--base-url'
	fake_provider openai
	lnctl provider set openai-compatible --global --base-url "$FAKE/v1/" \
	    -m llama3.2
	assert_status 0
	lnctl ask hi </dev/null
	assert_status 0
	assert_output_has 'The quick brown fox'
}

@test "a local server is used when the operator has chosen it" {
	lnctl ask hi --provider llamacpp </dev/null
	assert_status 2
	assert_error_has 'inside the local network'
	fake_provider openai
	lnctl provider set llamacpp --global --base-url "$FAKE/v1"
	lnctl ask hi --provider llamacpp -m echo </dev/null
	assert_status 0
	assert_output_has hi
}

@test "models are pulled, listed with their size, chosen and deleted" {
	fake_provider ollama
	lnctl provider set ollama --global --base-url "$FAKE"
	lnctl model pull phi3:mini --json
	assert_status 0
	assert_json d.result pulled
	assert_json d.model phi3:mini
	assert_json d.size 2019377376
	[ -z "$errors" ]
	lnctl model list --json
	assert_json 'd.models.find(m => m.model === "phi3:mini").size' 2019393189
	assert_json 'd.models[0].modified_at' 2026-01-31T09:30:12.084Z
	lnctl model list
	assert_output_has '1.9 GiB'
	lnctl model default phi3:mini --json
	assert_status 0
	assert_json d.result set
	assert_json d.scope global
	assert_json d.provider ollama
	lnctl provider show --json
	assert_json d.model phi3:mini
	lnctl ask hi </dev/null
	assert_status 0
	lnctl model delete phi3:mini --no-input
	assert_status 2
	lnctl model delete phi3:mini --yes --json
	assert_status 0
	assert_json d.result deleted
	lnctl model delete phi3:mini --yes
	assert_status 4
	assert_error_has 'not installed'
	[ "$(sql "SELECT group_concat(action || ' ' || outcome, ', ') FROM
	    (SELECT action, outcome FROM audit WHERE action LIKE 'model.%'
	    ORDER BY id)")" = \
	    'model.pull ok, model.delete ok, model.delete not_found' ]
}

@test "a model for one account is nobody else's" {
	fake_provider ollama
	lnctl provider set ollama --global --base-url "$FAKE" -m llama3.2
	lnctl user create bob --random
	lnctl model default qwen3 --user bob --json
	assert_status 0
	assert_json d.scope bob
	lnctl provider show --user bob --json
	assert_json d.model qwen3
	lnctl provider show --json
	assert_json d.model llama3.2
	lnctl model default qwen3 --user bob --global
	assert_status 2
}

@test "a pull that cannot be says why, and is written down" {
	fake_provider ollama
	lnctl provider set ollama --global --base-url "$FAKE"
	lnctl model pull missing-model
	assert_status 4
	assert_error_has 'no such model'
	lnctl model pull full --json
	assert_status 8
	assert_error_has 'disk of the model server is full'
	lnctl model pull ../../etc/passwd
	assert_status 2
	assert_error_has 'not the name of a model'
	lnctl model pull a --provider openai
	assert_status 1
	assert_error_has 'Only those of Ollama can'
	lnctl provider set ollama --global --base-url http://127.0.0.1:9
	for verb in pull delete; do
		lnctl model $verb phi3 --yes
		assert_status 8
	done
	lnctl model list
	assert_status 8
}

@test "a stopped pull is exit 130, and written down" {
	fake_provider ollama
	lnctl provider set ollama --global --base-url "$FAKE"
	"$LNCTL" --env-file "$ENV_FILE" --db "$DB" model pull endless \
	    >"$DIR/out" 2>&1 </dev/null &
	local pid=$!
	for _ in {1..1200}; do
		! curl -s "$FAKE/_fake/requests" | grep -q /api/pull || break
		sleep 0.05
	done
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 130 ]
	[ "$(sql "SELECT outcome FROM audit WHERE action = 'model.pull'")" = \
	    cancelled ]
}

@test "--origin says where each part of the choice came from" {
	lnctl provider show --origin --json
	assert_status 0
	assert_json 'd.settings.map(s => s.name).join()' \
	    provider,model,base_url,api_key
	assert_json 'd.settings.map(s => s.from).join()' default,,,
	printf 'OPENAI_API_KEY=sk-canary-env-9876\n' >>"$ENV_FILE"
	lnctl provider set openai --global -m gpt-4o
	lnctl provider show --origin --json
	assert_json 'd.settings.map(s => s.from).join()' \
	    instance,instance,default,environment
	assert_json 'd.settings[3].value' '(set) ...9876'
	lnctl provider show --json
	assert_json d.api_key_set true
	lnctl user create bob --random
	lnctl provider set openai --user bob --base-url https://bob.example/v1
	lnctl provider show --origin --user bob --json
	assert_json 'd.settings.map(s => s.from).join()' \
	    'user,instance,user,'
	assert_json 'd.settings[3].value' null
	lnctl provider show --origin
	assert_status 0
	assert_output_has 'https://api.openai.com/v1'
	assert_output_has environment
	refute_output_has canary
	refute_output_has bob.example
}
