#!/usr/bin/env bats
# lnctl history: branches, tags and deleting several; the same in lnctl chat.

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

# Ask something offline; the id of the conversation is in $id.
ask()
{
	lnctl ask "$1" --provider offline --json </dev/null
	assert_status 0
	id=$(json d.conversation_id)
}

@test "a branch is forked, drawn, and stays in its tree when the parent goes" {
	local id root first branch deeper
	ask 'first question'
	root=$id
	lnctl history fork "$root"
	assert_status 2
	assert_error_line
	lnctl history show "$root" --json
	first=$(json 'd.messages[0].id')
	lnctl history fork "$root" --at "$first" --json
	assert_status 0
	assert_json d.result forked
	assert_json d.parent_id "$root"
	branch=$(json d.id)
	lnctl history show "$branch" --json
	assert_json 'd.messages.map(m => m.content).join()' 'first question'
	lnctl history fork "$branch" --at "$(json 'd.messages[0].id')"
	assert_status 0
	deeper=${output%%:*}
	lnctl history tree "$root" --json
	assert_json 'd.branches.map(b => b.depth).join()' 0,1,2
	assert_json 'd.branches.map(b => b.id).join()' "$root,$branch,$deeper"
	lnctl history tree "$branch"
	assert_output_has " - "
	assert_output_has "    * "
	lnctl history delete "$branch" --yes
	assert_status 0
	lnctl history tree "$root"
	assert_output_has '(deleted)'
	assert_output_has "$deeper"
	lnctl history fork "$root" --at 999999
	assert_status 4
	lnctl history fork "$root" --at x
	assert_status 2
	lnctl history tree nothing
	assert_status 4
}

@test "tags are added, listed, found and removed" {
	local id other
	ask 'about gardens'
	other=$id
	ask 'about music'
	lnctl history tag "$id" 'Late  Night' blue --json
	assert_status 0
	assert_json d.result tagged
	assert_json 'd.tags.map(t => t.tag).join()' blue,late-night
	lnctl history tag "$id" LATE-night --json
	assert_json d.result already_tagged
	lnctl history tag "$other" blue
	assert_output_has blue
	lnctl history tags --json
	assert_json 'd.tags.map(t => t.tag + t.count).join()' blue2,late-night1
	lnctl history list --tag 'late night' --json
	assert_json 'd.conversations.map(c => c.id).join()' "$id"
	lnctl history untag "$id" blue --json
	assert_json d.result untagged
	lnctl history untag "$id" blue --json
	assert_json d.result already_untagged
	# One that is none, and nothing is changed.
	lnctl history tag "$id" good ' '
	assert_status 2
	lnctl history tag "$id" --json
	assert_json 'd.tags.map(t => t.tag).join()' late-night
	lnctl history tag nothing x
	assert_status 4
}

@test "several conversations are deleted, all or none" {
	local id one two
	ask one
	one=$id
	ask two
	two=$id
	lnctl history delete "$one" nothing "$two" --yes
	assert_status 4
	lnctl history list --json
	assert_json d.conversations.length 2
	lnctl history delete "$one" "$two"
	assert_status 2
	lnctl history delete "$one" "$two" --yes --json
	assert_json d.result deleted
	assert_json d.count 2
	lnctl history list --json
	assert_json d.conversations.length 0
}

@test "chat forks, shows branches and tags" {
	lnctl_in $'first question\n/tag Blue Sky\n/tag -blue sky\n/tag red\n/fork 9\n' \
	    chat --provider offline
	assert_status 2
	assert_error_has 'tags: blue-sky'
	assert_error_has 'tags: none'
	assert_error_has '1 to 2'
	lnctl_in $'/fork 1\n/branches\n/history\n/quit\n' \
	    chat --provider offline --continue
	assert_status 0
	assert_error_has ' * '
	assert_error_has '1. user:'
	[ "$(sql "SELECT count(*) FROM conversation_tag WHERE tag = 'red'")" = 2 ]
	[ "$(sql 'SELECT count(*) FROM message')" = 3 ]
}
