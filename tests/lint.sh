#!/bin/sh
# The rules of the house that grep can check, as TAP: who may include whom,
# where foreign headers end, where error details may be read, what is banned.
# shellcheck disable=SC2016 # awk programs stand in single quotes

cd "$(dirname "$0")/.." || exit 2
tests=0

found=$(mktemp) || exit 2
code=$(mktemp) || exit 2
trap 'rm -f "$found" "$code"' EXIT

# verdict NAME: one test; the file $found holds the findings, none is good.
verdict()
{
	tests=$((tests + 1))
	if [ ! -s "$found" ]; then
		echo "ok $tests - $1"
	else
		echo "not ok $tests - $1"
		sed 's/^/# /' "$found"
	fi
}

sources()
{
	find "$@" -name '*.[ch]' ! -path '*/node_modules/*' 2>/dev/null | sort
}

# includes DIR...: "FILE:LINE HEADER" for every #include; quoted headers are
# given as a path from libln/ or, elsewhere, as they are.
includes()
{
	sources "$@" | xargs awk '
	match($0, /^[ \t]*#[ \t]*include[ \t]*[<"][^>"]*[>"]/) {
		h = substr($0, RSTART, RLENGTH)
		sub(/^[^<"]*/, "", h)
		print FILENAME ":" FNR " " h
	}' /dev/null
}

# only HEADER-REGEX OWNER-REGEX: who else includes it.
only()
{
	includes libln cmd server | grep -E " [<\"]($1)[>\"]\$" |
	    grep -Ev "^($2)"
}

# Quoted includes in libln are paths from libln/ ("store/stmt.h"), or a
# neighbour ("stmt.h").  A floor may see its own and those below it; ids of
# floors: 0 base, 1 store net text, 2 model llm, 3 service.
layers()
{
	includes libln/base libln/store libln/net libln/text libln/model \
	    libln/llm libln/service | awk '
	function floor(d) {
		if (d == "base") return 0
		if (d == "store" || d == "net" || d == "text") return 1
		if (d == "model" || d == "llm") return 2
		if (d == "service") return 3
		return -1
	}
	$2 ~ /^"/ {
		h = $2
		gsub(/"/, "", h)
		if (split($1, from, "/") < 3)
			next
		if (split(h, to, "/") < 2 || to[1] == "tools")
			next
		if (to[1] == "..") {
			print $1 ": name the header from libln/: " h
			next
		}
		if (floor(to[1]) < 0) {
			print $1 ": no such floor: " h
			next
		}
		if (from[2] == to[1])
			next
		if (floor(to[1]) > floor(from[2]))
			print $1 ": a higher floor: " h
		else if (floor(to[1]) == floor(from[2]))
			print $1 ": a neighbour on the same floor: " h
	}'
}

# Comments and strings do not call anything: drop them before looking for
# names.  Prints FILE:LINE: TEXT.
code()
{
	sources "$@" | xargs awk '
	FNR == 1 { in_comment = 0 }
	{
		line = $0
		out = ""
		while (line != "") {
			if (in_comment) {
				i = index(line, "*/")
				if (i == 0)
					break
				line = substr(line, i + 2)
				in_comment = 0
				continue
			}
			if (!match(line,
			    /\/\*|\/\/|"([^"\\]|\\.)*"|\x27([^\x27\\]|\\.)*\x27/)) {
				out = out line
				break
			}
			out = out substr(line, 1, RSTART - 1)
			tok = substr(line, RSTART, 2)
			if (tok == "//")
				break
			in_comment = tok == "/*"
			if (!in_comment)
				out = out "\"\""
			line = substr(line, RSTART + (in_comment ? 2 : RLENGTH))
		}
		if (out ~ /[^ \t]/)
			print FILENAME ":" FNR ": " out
	}' /dev/null
}

ours=
for d in libln cmd server; do
	[ ! -d "$d" ] || ours="$ours $d"
done
# shellcheck disable=SC2086 # a list of folders
code $ours >"$code"

# who_calls REGEX: calls of functions whose name it matches.
who_calls()
{
	grep -E "(^|[^A-Za-z0-9_>.])($1) *\\(" "$code"
}

layers >"$found"
verdict "floors of libln include only floors below them"

only 'sqlite3(ext)?\.h' 'libln/(store|model)/' >"$found"
verdict "only store and model include sqlite3.h"

only 'curl/.*' 'libln/net/|server/' >"$found"
verdict "only net and the server's transport include curl"

only 'kore/.*' 'server/' >"$found"
verdict "only server includes Kore"

{
	only '(cjson/)?cJSON.*\.h' 'libln/base/'
	grep -n cJSON libln/include/ln/*
} >"$found"
verdict "cJSON stays in base and out of the public headers"

only 'sodium.*' 'libln/' >"$found"
verdict "libsodium stays in libln"

{
	includes cmd | grep -E ' "[^"]*/'
	includes server |
	    grep -E ' "(\.\.|base|store|net|text|model|llm|service|cmd)/'
} >"$found"
verdict "cmd and server include <ln/...> and their own headers only"

# Of records that have a member of that name, too, libln, lnctl and the audit
# route may read theirs.
grep -E '(->|\.)detail($|[^A-Za-z0-9_])' "$code" |
    grep -Ev '^(libln/base/error\.c|server/reply\.c|cmd/lnctl\.c):' |
    grep -Ev '^(libln/|cmd/|server/r_admin).*[^A-Za-z0-9_](ev|a|row)->detail' \
    >"$found"
verdict "the detail of an error is read in error.c, reply.c and lnctl.c only"

banned='strcpy|strcat|v?sprintf|gets|strtok|ato[ilf]|system|popen|s?rand|alloca'
who_calls "$banned|gmtime|localtime|asctime|ctime|mktemp|tmpnam" >"$found"
verdict "no banned function is called"

who_calls 'printf|puts|putchar|perror|exit|_exit|abort|raise' |
    grep '^libln/' | grep -v '^libln/store/embed\.c:' >"$found"
verdict "libln neither prints nor exits"

# shellcheck disable=SC2086
sources tests $ours | xargs awk '
    FNR == 651 { print FILENAME ": more than 650 lines" }' >"$found"
verdict "no C file is longer than 650 lines"

texts()
{
	git ls-files -- '*.[ch]' '*.sql' '*.mjs' '*.ts' '*.css' '*.bats' \
	    '*.bash' '*.sh' '*.mk' '*.md' Makefile tests/run |
	    grep -v '/dist/' | while read -r f; do
		[ ! -f "$f" ] || echo "$f"
	done
}

texts | grep -v '^tests/lint\.sh$' |
    xargs grep -nwE 'TODO|FIXME|XXX|HACK' >"$found"
verdict "nothing is left for later"

texts | grep -v '\.md$' | xargs grep -nE '[[:blank:]]+$' >"$found"
verdict "no line ends in blanks"

if command -v shellcheck >/dev/null; then
	{
		shellcheck -s sh -e SC1091 tests/run tests/lint.sh \
		    tests/package/*.sh docs/debian/*.post*
		for f in tests/*/*.bash completions/*.bash; do
			[ ! -f "$f" ] ||
			    shellcheck -s bash -e SC1091,SC2034,SC2154 "$f"
		done
	} >"$found" 2>&1
	verdict "shellcheck finds nothing"
fi

echo "1..$tests"
