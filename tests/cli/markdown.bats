#!/usr/bin/env bats
# Answers on a terminal: Markdown is laid out while it comes.  Everywhere else
# they stay as they are.

load helpers
load tty

setup()
{
	ln_setup
	ln_init
	fake_ollama
	lnctl provider set ollama --base-url "$OLLAMA" -m echo
	assert_status 0
}

teardown()
{
	terminal_close
	ln_teardown
}

# answer [COLUMNS [ROWS]]: what the terminal shows of $DIR/text as an answer,
# without blanks at the ends of lines, up to the line behind it.
answer()
{
	COLUMNS_WANTED=${1:-60} ROWS_WANTED=${2:-24} \
	    terminal "ask -q -m ${MODEL:-echo} - <$DIR/text"
	see 'left with 0'
	screen | sed 's/ *$//; /^left with 0/,$d' >"$DIR/screen"
	terminal_close
}

# shows: the terminal shows what is on standard input.
shows()
{
	diff - "$DIR/screen"
}

@test "headings, emphasis, lists, quotes and rules become a page" {
	cat >"$DIR/text" <<-'END'
	# The *first* `title`
	A paragraph with **bold**, ~~gone~~ &amp; words
	that fill more than one line of it, and no more.

	- one
	- two
	  - nested, with so many words that it needs a second line
	- [x] done

	3. third
	4. fourth

	> quoted
	> on

	---
	Done.
	END
	answer 40
	shows <<-'END'
	The first title

	A paragraph with bold, gone & words that
	fill more than one line of it, and no
	more.

	• one
	• two
	  • nested, with so many words that it
	    needs a second line
	☑ done

	3. third
	4. fourth

	│ quoted on

	────────────────────────────────────────

	Done.
	END
}

@test "tables fit the terminal, and their columns stand below each other" {
	cat >"$DIR/text" <<-'END'
	| name | count | about |
	|:-----|------:|:-----:|
	| 日本 | 1 | short |
	| x | 22 | words that have to give way to others |
	END
	answer 40
	shows <<-'END'
	name │ count │           about
	─────┼───────┼──────────────────────────
	日本 │     1 │           short
	x    │    22 │  words that have to give
	     │       │       way to others
	END
}

@test "code comes line by line and is not touched, but for its colours" {
	printf '%s\n' 'So:' '```c' 'int  main(void);	/* a *b* */' '' \
	    '    return "x";' '```' 'end' >"$DIR/text"
	answer
	shows <<-'END'
	So:

	```c
	int  main(void);        /* a *b* */

	    return "x";
	```

	end
	END
}

@test "however it is cut and however low the screen, it ends the same" {
	{
		printf '# A title\n\nSome *words* of a paragraph.\n\n'
		printf -- '- item %d with `code` and more words than fit\n' \
		    1 2 3 4 5 6 7 8
		printf '\n```sh\nls # all\n```\n\n'
		printf '日本語のテキストは空白がないので折り返しの位置が難しい。%.0s' 1 2 3
		printf '\n\n> last\n'
	} >"$DIR/text"
	answer 34 40
	cp "$DIR/screen" "$DIR/whole"
	[ "$(wc -l <"$DIR/whole")" -gt 20 ]
	MODEL=bytes-echo answer 34 40
	shows <"$DIR/whole"
	MODEL=bytes-echo answer 34 6
	shows <"$DIR/whole"
}

@test "a link says where it leads, and only ours opens one" {
	# shellcheck disable=SC2016
	printf '%s\n' '[here](https://example.org/a) [there](javascript:alert(1))' \
	    $'and \033[31mred\033[0m \033]8;;https://evil.example\033\\x\033]8;;\033\\' \
	    >"$DIR/text"
	answer 70
	shows <<-'END'
	here (https://example.org/a) there and [31mred[0m
	]8;;https://evil.example\x]8;;\
	END
	script -qec "env TERM=xterm $LNCTL --env-file $ENV_FILE --db $DB \
	    ask -m echo - <$DIR/text" /dev/null >"$DIR/bytes" </dev/null
	grep -qF $'\033]8;;https://example.org/a\033\\' "$DIR/bytes"
	! grep -qF $'\033]8;;https://evil' "$DIR/bytes" || false
	! grep -qF $'\033]8;;javascript' "$DIR/bytes" || false
	! grep -qF $'\033[31mred' "$DIR/bytes" || false
}

@test "in a pipe, without colour and on a dumb terminal it stays as it is" {
	printf '# Title\n\n- **one**\n' >"$DIR/text"
	lnctl ask -m echo - <"$DIR/text"
	assert_status 0
	[ "$output" = "$(cat "$DIR/text")" ]
	answer
	shows <<-'END'
	Title

	• one
	END
	NO_COLOR=1 answer
	shows <"$DIR/text"
	LN_TERM=dumb answer
	shows <"$DIR/text"
}
