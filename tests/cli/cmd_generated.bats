#!/usr/bin/env bats
# What is made from the command table agrees with it: completion scripts and
# the manual.

load helpers

setup()
{
	ln_setup
}

teardown()
{
	ln_teardown
}

@test "the checked-in completion scripts are what lnctl prints" {
	local pair
	for pair in bash:lnctl.bash zsh:_lnctl fish:lnctl.fish; do
		"$LNCTL" completion "${pair%%:*}" |
		    diff "$LN_ROOT/completions/${pair##*:}" - ||
		    ln_fail "run make completions"
	done
}

# complete WORDS...: what bash would offer for the last of them.
complete_words()
{
	bash -c '
	. "$1"
	shift
	COMP_WORDS=(lnctl "$@")
	COMP_CWORD=$#
	_lnctl
	printf "%s\n" "${COMPREPLY[@]}"' - "$LN_ROOT/completions/lnctl.bash" "$@"
}

@test "bash completes commands, verbs, options and values" {
	[ "$(complete_words us)" = user ]
	[ "$(complete_words user bl)" = block ]
	[ "$(complete_words --db /x user bl)" = block ]
	[ "$(complete_words --db db user bl)" = block ]
	[ "$(complete_words user list --ro)" = --role ]
	[ "$(complete_words user list --role a)" = admin ]
	[ "$(complete_words history export --format m)" = md ]
	[ "$(complete_words --color al)" = always ]
	[ "$(complete_words user create bob --password-f)" = --password-file ]
	[ -z "$(complete_words user show --ro)" ]
}

@test "bash completes files where a file is wanted" {
	touch "$DIR/some.db"
	[ "$(complete_words db validate some)" = some.db ]
	[ "$(complete_words --db som)" = some.db ]
	[ -z "$(complete_words user show som)" ]
}

@test "the SYNOPSIS of the manual is the command table" {
	mandoc -Tascii "$LN_ROOT/docs/man/lnctl.1" | sed 's/.\x08//g' |
	    sed -n '/^SYNOPSIS/,/^DESCRIPTION/p' | sed '1d;$d' | tr -s ' \t\n' ' ' |
	    sed 's/ lnctl /\nlnctl /g' | sed '/^ *$/d; s/ *$//; $a\' >"$DIR/manual"
	"$LNCTL" help --json | node -e '
	for (const c of JSON.parse(require("fs").readFileSync(0, "utf8")).commands)
		console.log("lnctl " + c.usage)' >"$DIR/table"
	diff "$DIR/table" "$DIR/manual"
}

@test "the manual is sound and knows every exit code" {
	run mandoc -Tlint -Wwarning "$LN_ROOT/docs/man/lnctl.1"
	[ "$status" -eq 0 ] || { echo "$output"; false; }
	local code
	for code in 0 1 2 3 4 5 6 7 8 10 11 12 13 130; do
		sed -n '/^\.Sh EXIT STATUS/,/^\.Sh EXAMPLES/p' \
		    "$LN_ROOT/docs/man/lnctl.1" | grep -qx "\.It $code"
	done
}
