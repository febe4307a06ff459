#!/usr/bin/env bats
# lnctl project: documents come in, are read, are found, and are quoted.

load helpers

setup()
{
	ln_setup
	ln_init
	ln_user ann
	ln_user bob
}

teardown()
{
	ln_teardown
}

@test "a project holds documents that are read, found and quoted" {
	lnctl project create Garden --user ann --description 'What grows' --json
	assert_status 0
	assert_json d.result created
	printf '# Bulbs\n\nTulips want sun and a dry summer.\n' >"$DIR/bulbs.md"
	printf 'Moss wants shade.\n' >"$DIR/moss.txt"
	lnctl project add garden "$DIR/bulbs.md" "$DIR/moss.txt" --user ann --json
	assert_status 0
	assert_json 'd.documents.map(x => x.filename + " " + x.status).join()' \
	    'bulbs.md ready,moss.txt ready'
	lnctl project docs Garden --user ann --json
	assert_status 0
	assert_json d.documents.length 2
	lnctl project list --user ann --json
	assert_json 'd.projects[0].documents' 2
	lnctl project search Garden 'where do tulips grow?' --user ann --json
	assert_status 0
	assert_json 'd.passages[0].filename' bulbs.md
	assert_json 'd.passages[0].text.includes("dry summer")' true
	lnctl ask --user ann --provider offline --project Garden \
	    'What do tulips want?'
	assert_status 0
	assert_output_has 'dry summer'
	assert_output_has bulbs.md
}

@test "a document without text says why, and the others are kept" {
	lnctl project create Garden --user ann
	printf 'Moss wants shade.\n' >"$DIR/moss.txt"
	printf '\0\1\2\3\177\200binary' >"$DIR/noise.bin"
	lnctl project add Garden "$DIR/moss.txt" "$DIR/noise.bin" --user ann --json
	assert_status 3
	assert_json 'd.documents.map(x => x.status).join()' ready,failed
	assert_json 'd.documents[1].reason.length > 0' true
	lnctl project add Garden "$DIR/nosuch" --user ann
	assert_status 4
	assert_error_line
	: >"$DIR/empty.txt"
	lnctl project add Garden "$DIR/empty.txt" --user ann
	[ "$status" -ne 0 ]
	lnctl project docs Garden --user ann --json
	assert_json d.documents.length 2
}

@test "nobody else's project is there" {
	lnctl project create Garden --user ann --json
	local id
	id=$(json d.id)
	for name in Garden "$id" nosuch; do
		lnctl project docs "$name" --user bob
		assert_status 4
		lnctl project search "$name" tulips --user bob
		assert_status 4
		lnctl project delete "$name" --user bob --yes
		assert_status 4
		lnctl ask --user bob --provider offline --project "$name" hello
		assert_status 4
	done
	lnctl project delete Garden --user ann
	assert_status 2
	assert_error_has --yes
	lnctl project delete Garden --user ann --yes --json
	assert_status 0
	assert_json d.result deleted
	lnctl project list --user ann --json
	assert_json d.projects.length 0
}
