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

@test "the manuals of the settings and of the server are sound" {
	run mandoc -Tlint -Wwarning "$LN_ROOT"/docs/man/localneural*
	[ "$status" -eq 0 ] || { echo "$output"; false; }
}

@test "the manual has every setting with its default, and no other" {
	"$LNCTL" config show --json | node -e '
	for (const s of JSON.parse(require("fs").readFileSync(0, "utf8")).settings)
		console.log(s.name)' | sort >"$DIR/settings"
	sed -n 's/\\$//; /^\.It Ev/,/^[^.]/{ s/^\.It Ev//; /^ *[A-Z]/p; }' \
	    "$LN_ROOT/docs/man/localneural.conf.5" | grep -o '[A-Z][A-Z_]*[A-Z]' |
	    grep -x '[A-Z]*_[A-Z_]*' | sort -u >"$DIR/manual"
	diff "$DIR/settings" "$DIR/manual"

	local word
	sed -n 's/^	{ "\([A-Z_]*\)", "\([^"]*\)".*/\1 \2/p' \
	    "$LN_ROOT/libln/base/config_keys.c" >"$DIR/defaults"
	[ "$(wc -l <"$DIR/defaults")" -ge 8 ]
	while read -r word value; do
		sed -n "/^\.It Ev $word\$/,/^\.It/p" \
		    "$LN_ROOT/docs/man/localneural.conf.5" |
		    grep -qxE "\.(Ql|Pa) $(printf %s "$value" | sed 's/[.]/[.]/g')( \.)?" ||
		    ln_fail "$word: the manual does not name $value"
	done <"$DIR/defaults"
}

@test "the manual of the server has every option of --help, and no other" {
	"$LN_BIN/localneural-server" --help | grep -oE -- '--[a-z-]+' |
	    sort -u >"$DIR/help"
	grep -oE -- '(Fl|^\.Fl|\|) -[a-z-]+' "$LN_ROOT/docs/man/localneural-server.8" |
	    sed 's/.* -/--/' | sort -u >"$DIR/manual"
	diff "$DIR/help" "$DIR/manual"
}
