#!/usr/bin/env bats
# The test runner itself: what it counts, what it shows, when it fails.

setup()
{
	dir=$(mktemp -d "$BATS_TEST_TMPDIR/XXXXXX")
	mkdir "$dir/zbin"
}

# file NAME: a test file made of standard input.  %test stands for the word that
# bats would take for a test of this file.
file()
{
	sed 's/^%test/@test/' >"$dir/$1"
	chmod +x "$dir/$1"
}

runner()
{
	# bats puts its own folder, with a private bats, in front.
	PATH=$(tr : '\n' <<<"$PATH" | grep -v /libexec/ | paste -sd :) \
	    run "$LN_ROOT/tests/run" --logs "$dir/logs" --bin "$dir/zbin" "$@"
}

closing()
{
	[ "${lines[-1]}" = "$1" ] || {
		printf 'closing line: %s\nwanted: %s\n' "${lines[-1]}" "$1"
		printf '%s\n' "$output"
		return 1
	}
}

said()
{
	[[ $output == *"$1"* ]] || {
		printf 'not said: %s\n%s\n' "$1" "$output"
		return 1
	}
}

@test "passing files of every kind are counted together" {
	file a.bats <<<'%test "one" { true; }
%test "two" { true; }'
	file b.test.mjs <<<'import test from "node:test";
test("three", async (t) => { await t.test("inner", () => {}); });'
	file c.sh <<<'echo 1..1; echo "ok 1 - four"'
	file d <<<'#!/bin/sh
echo 1..1; echo "ok 1 - five"'
	runner "$dir"/[a-d]*
	[ "$status" -eq 0 ]
	closing "5 passed, 0 failed"
}

@test "a failing test is counted, shown, and makes the run fail" {
	file a.bats <<<'%test "good" { true; }
%test "bad" { echo what went wrong; false; }'
	file b.test.mjs <<<'import test from "node:test";
test("worse", () => { throw new Error("because"); });'
	runner "$dir/a.bats" "$dir/b.test.mjs"
	[ "$status" -ne 0 ]
	closing "1 passed, 2 failed"
	said "what went wrong"
	said "because"
}

@test "a file that ends badly after good tests is a failure" {
	file a.sh <<<'echo 1..1; echo "ok 1 - fine"; exit 3'
	runner "$dir/a.sh"
	[ "$status" -ne 0 ]
	closing "1 passed, 1 failed"
	said "exit status 3 although no test failed"
}

@test "a crash is a failure of its own, with its error output shown" {
	file a <<<'#!/bin/sh
echo 1..2; echo "ok 1 - before"; echo "last words" >&2; kill -SEGV $$'
	runner "$dir/a"
	[ "$status" -ne 0 ]
	closing "1 passed, 2 failed"
	said "killed by signal 11"
	said "planned 2 tests, ran 1"
	said "last words"
}

@test "a module that does not load is a failure" {
	file a.test.mjs <<<'import "./not-there.mjs";'
	runner "$dir/a.test.mjs"
	[ "$status" -ne 0 ]
	said "ran no test"
}

@test "a file without a test is a failure" {
	file a.bats </dev/null
	file b.test.mjs <<<'export {};'
	file c.sh <<<'echo "1..0 # SKIP not today"'
	runner "$dir"/[a-c]*
	[ "$status" -ne 0 ]
	closing "0 passed, 3 failed"
}

@test "a missing plan and a short plan are failures" {
	file a.sh <<<'echo "ok 1 - no plan"'
	file b.sh <<<'echo 1..3; echo "ok 1 - one"; echo "ok 2 - two"'
	runner "$dir"/[ab].sh
	[ "$status" -ne 0 ]
	closing "3 passed, 2 failed"
}

@test "a hanging file is stopped and is a failure" {
	file a.sh <<<'echo 1..1; sleep 600'
	runner --timeout 1 "$dir/a.sh"
	[ "$status" -ne 0 ]
	closing "0 passed, 2 failed"
	said "stopped after 1 s"
}

@test "a hanging file that ignores the first signal is stopped too" {
	file a.sh <<<'trap "" TERM
echo 1..1; echo "ok 1 - x"; while :; do sleep 1; done'
	SECONDS=0
	runner --timeout 1 "$dir/a.sh"
	[ "$status" -ne 0 ]
	closing "1 passed, 1 failed"
	[ "$SECONDS" -lt 30 ]
}

@test "a process left behind is killed and is a failure" {
	file a.sh <<<'cd "$TMPDIR"
setsid sleep 600 >out 2>&1 & echo $! >'"$dir"'/pid
echo 1..1; echo "ok 1 - x"'
	runner "$dir/a.sh"
	[ "$status" -ne 0 ]
	closing "1 passed, 1 failed"
	said "behind: sleep 600"
	# Gone, or a zombie that nobody has waited for yet.
	[ -z "$(tr -d '\0' <"/proc/$(cat "$dir/pid")/cmdline" 2>/dev/null)" ]
}

@test "groups of one cmocka binary become one plan" {
	file a <<<'#!/bin/sh
echo 1..2; echo "ok 1 - a"; echo "not ok 2 - b"
echo 1..1; echo "ok 1 - c"; exit 1'
	runner "$dir/a"
	[ "$status" -ne 0 ]
	closing "2 passed, 1 failed"
}

@test "a skipped test is neither passed nor failed, and is said" {
	file a.bats <<<'%test "one" { true; }
%test "two" { skip "no tty"; }'
	runner "$dir/a.bats"
	[ "$status" -eq 0 ]
	closing "1 passed, 0 failed"
	said "1 skipped"
}

@test "a file sees its build, a private folder and nothing of the caller" {
	file a.sh <<<'echo 1..4
[ -z "${SECRET_KEY:-}" ] && [ -z "${LOCALNEURAL_DB:-}" ] && echo "ok 1"
[ "$LN_BIN" = '"$dir"'/zbin ] && echo "ok 2"
[ -d "$LN_FIXTURES" ] && echo "ok 3"
[ -z "$(ls -A "$TMPDIR" "$HOME" | grep -v :)" ] && echo "ok 4"'
	SECRET_KEY=x LOCALNEURAL_DB=y runner "$dir/a.sh"
	[ "$status" -eq 0 ]
	closing "4 passed, 0 failed"
}

@test "a file reaches loopback and no other network" {
	unshare --net true 2>/dev/null || skip "needs root"
	file a.sh <<<'echo 1..2
[ "$(grep -c : /proc/net/dev)" -eq 1 ] && echo "ok 1"
perl -MIO::Socket::INET -e "my \$l = IO::Socket::INET->new(Listen => 1,
    LocalAddr => q(127.0.0.1)) or die; IO::Socket::INET->new(PeerAddr =>
    q(127.0.0.1), PeerPort => \$l->sockport) or die" && echo "ok 2"'
	runner "$dir/a.sh"
	[ "$status" -eq 0 ]
	closing "2 passed, 0 failed"
}

@test "the same file may run once for each build" {
	mkdir "$dir/asan"
	file a.sh <<<'echo 1..1; echo "ok 1 - $LN_BIN"'
	runner "$dir/a.sh" --bin "$dir/asan" "$dir/a.sh"
	[ "$status" -eq 0 ]
	closing "2 passed, 0 failed"
	grep -q asan "$dir/logs/asan/a.sh.tap"
}

@test "nothing to run, a file that is not there and a bad option are refused" {
	runner
	[ "$status" -eq 2 ]
	runner "$dir/none.bats"
	[ "$status" -eq 2 ]
	runner --fast
	[ "$status" -eq 2 ]
}
