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

@test "several conversations are pinned or archived, all or none" {
	local id one two
	ask one
	one=$id
	ask two
	two=$id
	lnctl history pin "$one" nothing "$two"
	assert_status 4
	assert_error_has nothing
	[ "$(sql 'SELECT count(*) FROM conversation WHERE pinned_ms > 0')" = 0 ]
	lnctl history pin "$one" --json
	assert_json d.result pinned
	assert_json d.id "$one"
	lnctl history pin "$one" "$two" --json
	assert_status 0
	assert_json 'd.conversations.map(c => c.id + c.result).join()' \
	    "${one}already_pinned,${two}pinned"
	lnctl history archive "$two" "$one"
	assert_status 0
	assert_output_has "$two  archived"
	lnctl history list --json
	assert_json d.conversations.length 0
	lnctl history unarchive "$one" "$two"
	lnctl history unpin "$one" "$two"
	[ "$(sql 'SELECT count(*) FROM conversation WHERE pinned_ms IS NULL
	    AND archived_ms IS NULL')" = 2 ]
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

@test "search finds what was said, and narrows by every filter" {
	local id spring other
	ask 'when do tulips bloom'
	spring=$id
	ask 'tulips and mountains'
	other=$id
	lnctl history tag "$spring" Spring
	lnctl project create Garden --json
	sqlite3 "$DB" "UPDATE conversation SET project_id = (SELECT id FROM project)
	    WHERE id = '$spring'"
	sqlite3 "$DB" "UPDATE message SET created_ms = 1500000000000
	    WHERE conversation_id = '$other'"
	lnctl history search tulips --role user --json
	assert_status 0
	assert_json 'd.hits.length' 2
	assert_json 'd.hits[0].role + d.is_partial + d.has_more' userfalsefalse
	found() {
		lnctl history search tulips --role user "$@" --json
		assert_status 0
		assert_json 'd.hits.map(h => h.conversation_id).join()' "$want"
	}
	want=$spring
	found --project garden
	found --tag spring
	found --since 2d
	found --since 2020-01-01
	want=$other
	found --until 2020-01-01
	found --since 2017-01-01 --until 2018-01-01
	want=
	found --tag autumn
	found --model gpt-9
	lnctl history search tulips --role assistant -n 1 --json
	assert_status 0
	lnctl history search tulips --role nobody
	assert_status 2
	assert_error_line
	lnctl history search tulips --project nothing
	assert_status 4
	lnctl history search tulips --since yesterday
	assert_status 2
	lnctl history search ''
	assert_status 2
}

@test "search marks what it found, where colours may be used" {
	local id esc=$'\e'
	ask 'when do tulips bloom'
	lnctl history search tulips --color always
	assert_output_has "when do ${esc}[1;33mtulips${esc}[0m bloom"
	assert_output_has "$id"
	lnctl history search tulips
	assert_output_has 'when do tulips bloom'
	[[ $output != *"$esc"* ]]
	lnctl history search tulips --color always --json
	[[ $output != *"$esc"* ]]
	# Not even what a message brings along.
	sqlite3 "$DB" "UPDATE message SET content = 'tulips ' || char(27) || '[31m red'
	    WHERE role = 'user'"
	lnctl db reindex
	lnctl history search tulips
	[[ $output != *"$esc"* ]]
	lnctl history search nothing-like-it
	assert_status 0
	[ -z "$output" ]
}

@test "the search index is made anew from the messages" {
	ask 'when do tulips bloom'
	sqlite3 "$DB" 'DELETE FROM search_doc'
	lnctl db check --json
	assert_status 7
	lnctl history search tulips --role user --json
	assert_json d.hits.length 0
	lnctl db reindex --json
	assert_status 0
	assert_json d.result reindexed
	assert_json d.path "$DB"
	lnctl db check --full
	assert_status 0
	lnctl history search tulips --role user --json
	assert_json d.hits.length 1
	lnctl db reindex too many words
	assert_status 2
}

@test "chat searches, and chooses a project" {
	ask 'when do tulips bloom'
	lnctl project create Garden
	lnctl_in $'/search tulips\n/search zzz\n/project\n/project garden\n/project\n/project none\n/project nothing\n' \
	    chat --provider offline
	assert_status 4
	assert_error_has 'when do tulips bloom'
	assert_error_has 'nothing was found'
	assert_error_has 'project: none'
	assert_error_has 'project: Garden'
	assert_error_has 'there is no such project'
	lnctl_in '/search' chat --provider offline
	assert_status 2
}
