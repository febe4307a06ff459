#!/usr/bin/env bats
# The corpus of tests/fixtures/hostile: each file gets the verdict that the
# script states, within the bounds of time and memory, and changes nothing.

load helpers

setup()
{
	ln_setup
}

teardown()
{
	ln_teardown
}

# The bounds that validation promises: 10 s for a file of less than a gigabyte,
# 64 MiB.  The sanitizers' shadow is not the program's memory.
SECONDS_MAX=10
MEMORY_KIB=65536

bound()
{
	if ! grep -qa __asan_init "$LNCTL"; then
		printf '#!/bin/bash\nulimit -d %s && exec %q "$@"\n' \
		    "$MEMORY_KIB" "$LNCTL" >"$DIR/lnctl"
		chmod +x "$DIR/lnctl"
		LNCTL=$DIR/lnctl
	fi
}

@test "each hostile file gets its stated verdict, in bounded time and memory" {
	local name verdict code wrong=0 seen=0 began

	ln_init
	ln_user ann
	lnctl ask --user ann --provider offline hello
	assert_status 0
	lnctl db export "$DIR/ours.db"
	assert_status 0
	bash "$LN_ROOT/tests/fixtures/hostile/build.sh" "$DIR/corpus" \
	    "$LN_ROOT/tests/fixtures/legacy_scrypt.db" "$DIR/ours.db"
	cp "$DB" "$DIR/before"
	bound
	while read -r name verdict; do
		began=$SECONDS
		lnctl db validate "$DIR/corpus/$name.db" --json
		seen=$((seen + 1))
		code=${verdict#repaired }
		case $verdict in
		importable | repaired*)
			[ "$status" -eq 0 ] &&
			    [[ $output == *'"is_importable":true'* ]] ;;
		*)
			[ "$status" -eq 7 ] &&
			    [[ $output == *'"is_importable":false'* ]] ;;
		esac && { [ "$verdict" = importable ] ||
		    [[ $output == *"\"code\":\"$code\""* ]]; } &&
		    [ $((SECONDS - began)) -lt "$SECONDS_MAX" ] || {
			wrong=$((wrong + 1))
			printf '%s: expected %s, exit %s: %s\n' "$name" \
			    "$verdict" "$status" "${output:0:600}"
		}
	done <"$DIR/corpus/verdicts"
	printf '%s files, %s wrong\n' "$seen" "$wrong"
	[ "$wrong" -eq 0 ]
	[ "$seen" -ge 60 ]
	cmp "$DB" "$DIR/before"
	# No private copy of a file stays behind.
	[ -z "$(find "$DIR" "${TMPDIR:-/tmp}" -maxdepth 1 -user "$(id -u)" \
	    -name 'ln-validate*' 2>/dev/null)" ]
}
