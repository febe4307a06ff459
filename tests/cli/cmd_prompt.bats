#!/usr/bin/env bats
# lnctl prompt: what conversations begin with, and talking with one.

load helpers

setup()
{
	ln_setup
}

teardown()
{
	ln_teardown
}

@test "a prompt is added from a file and standard input, shown and listed" {
	ln_init
	printf 'Be brief.\n' >"$DIR/brief.txt"
	lnctl prompt add Brief "$DIR/brief.txt" --json
	assert_status 0
	assert_json d.result added
	assert_json d.content 'Be brief.'
	assert_json d.is_global true
	ln_user ann
	lnctl_in 'Be kind.' prompt add Kind - --user ann --json
	assert_status 0
	assert_json d.is_global false
	lnctl prompt list --user ann --json
	assert_json 'd.prompts.map(p => p.title).join()' Kind,Brief
	lnctl prompt list --json
	assert_json 'd.prompts.map(p => p.title).join()' Brief
	lnctl prompt show Brief --user ann
	assert_output_has 'Be brief.'
	lnctl prompt add Brief "$DIR/brief.txt"
	assert_status 5
	assert_error_line
	lnctl prompt add Empty /dev/null
	assert_status 1
	lnctl prompt add Gone "$DIR/none.txt"
	assert_status 4
	assert_error_line
}

@test "a prompt is deleted after a yes, and only where it was asked for" {
	ln_init
	ln_user ann
	lnctl_in 'For all.' prompt add All - --json
	lnctl_in 'For ann.' prompt add Own - --user ann --json
	lnctl prompt delete All --user ann --yes
	assert_status 6
	assert_error_line
	lnctl prompt delete Own --yes
	assert_status 4
	lnctl prompt delete Own --user ann --no-input
	assert_status 2
	lnctl prompt delete Own --user ann --yes --json
	assert_status 0
	assert_json d.result deleted
	lnctl prompt show 1 --json
	assert_status 0
	assert_json d.title All
	lnctl prompt delete 1 --yes
	assert_status 0
	lnctl prompt list --json
	assert_json d.prompts.length 0
}

@test "a question takes a kept prompt along by its name" {
	ln_init
	lnctl_in 'You are the planted prompt.' prompt add Planted - --json
	lnctl ask hello --provider offline -p Planted --json
	assert_status 0
	lnctl history show "$(json d.conversation_id)" --json
	assert_json d.system_prompt 'You are the planted prompt.'
	lnctl ask hello --provider offline -p Nowhere
	assert_status 4
	assert_error_line
	lnctl ask hello --provider offline -p Planted -s 'Another.'
	assert_status 2
	assert_error_line
}
