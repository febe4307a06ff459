#!/usr/bin/env bats
# lnctl chat as a person sees it: a real terminal, keys pressed in tmux.

load helpers
load tty

setup()
{
	ln_setup
	ln_init
	fake_ollama
	lnctl provider set ollama --base-url "$OLLAMA" -m llama3.2
	assert_status 0
	export EDITOR='sed -i -e s/helo/hello/ -e "s/ then /\n/"' VISUAL= TMPDIR=$DIR/tmp
	mkdir "$DIR/tmp"
	terminal chat
}

teardown()
{
	terminal_close
	ln_teardown
}

@test "a question is answered at the prompt and the line is edited" {
	see $'\n>'
	keys 'helo' Left 'l' Enter
	see 'The quick brown fox jumps over the lazy dog. It rests.'
	keys /quit Enter
	see 'left with 0'
	[ "$(sql "SELECT content FROM message ORDER BY id LIMIT 1")" = hello ]
}

@test "Ctrl-C stops an answer, keeps what came, and the prompt comes back" {
	see $'\n>'
	keys '/model slow' Enter
	keys 'count' Enter
	for _ in {1..1200}; do
		[ "$(sql "SELECT coalesce(max(length(content)), 0) FROM message
		    WHERE role = 'assistant'")" -eq 0 ] || break
		sleep 0.05
	done
	keys C-c
	see 'what came is saved'
	[ "$(sql "SELECT state FROM message WHERE role = 'assistant'")" = \
	    stopped ]
	keys '/model llama3.2' Enter 'again' Enter
	see 'It rests.'
	keys C-d
	see 'left with 0'
}

@test "Ctrl-C drops a line, twice tells how to leave, Ctrl-D leaves" {
	see $'\n>'
	keys 'never asked' C-c
	keys C-c
	see '(Ctrl-D leaves)'
	keys C-d
	see 'left with 0'
	[ "$(sql 'SELECT count(*) FROM message')" = 0 ]
}

@test "lines are remembered in a private file" {
	see $'\n>'
	keys 'remember me' Enter
	see 'It rests.'
	keys C-d
	see 'left with 0'
	[ "$(mode "$DIR/state/localneural")" = 700 ]
	[ "$(mode "$DIR/state/localneural/history")" = 600 ]
	grep -q 'remember' "$DIR/state/localneural/history"
}

@test "a tool that asks first is allowed or not at the prompt" {
	see $'\n>'
	lnctl tool enable current_time --ask
	assert_status 0
	keys '/model tools' Enter 'what time is it' Enter
	see 'Allow it? [y/N]'
	keys y Enter
	see '[tool current_time: done]'
	see 'It rests.'
	keys 'and now' Enter
	for _ in {1..1200}; do
		[ "$(screen | grep -c 'Allow it?')" -lt 2 ] || break
		sleep 0.05
	done
	keys Enter
	see '[tool current_time: denied'
	[ "$(sql "SELECT group_concat(state) FROM tool_run")" = done,denied ]
	keys C-d
	see 'left with 0'
}

@test "Ctrl-C at the question of a tool stops the answer" {
	see $'\n>'
	lnctl tool enable current_time --ask
	keys '/model tools' Enter 'what time is it' Enter
	see 'Allow it? [y/N]'
	keys C-c
	see 'what came is saved'
	keys '/model llama3.2' Enter 'again' Enter
	see 'It rests.'
	keys C-d
	see 'left with 0'
}

@test "the last question is corrected in the person's editor" {
	see $'\n>'
	keys '/model echo' Enter 'helo world' Enter
	see $'\nhelo world'
	keys /edit Enter
	see $'\nhello world'
	[ "$(sql "SELECT group_concat(content) FROM message")" = \
	    'hello world,hello world' ]
	keys C-d
	see 'left with 0'
}

@test "Ctrl-G opens the line in the person's editor" {
	see $'\n>'
	keys '/model echo' Enter 'helo one then two' C-g
	see $'\nhello one\ntwo'
	for _ in {1..1200}; do
		[ "$(sql "SELECT count(*) FROM message WHERE
		    state = 'complete'")" -lt 2 ] || break
		sleep 0.05
	done
	[ "$(sql "SELECT content FROM message ORDER BY id LIMIT 1")" = \
	    $'hello one\ntwo' ]
	# What was left as it was is still there, and nothing was asked.
	keys 'as it' C-g ' was' Enter
	see $'\nas it was'
	[ "$(sql "SELECT group_concat(content, '|') FROM message
	    WHERE role = 'user'")" = $'hello one\ntwo|as it was' ]
	[ -z "$(ls -A "$DIR/tmp")" ]
	keys C-d
	see 'left with 0'
}
