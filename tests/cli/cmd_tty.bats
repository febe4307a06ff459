#!/usr/bin/env bats
# What lnctl asks on a terminal, and that it does not show what is secret.

load helpers
load tty

setup()
{
	ln_setup
	ln_init
}

teardown()
{
	terminal_close
	ln_teardown
}

@test "a password is asked twice and never shown" {
	terminal "user create ann"
	see 'New password:'
	keys Correct-horse-7 Enter
	see 'Again, password:'
	keys Correct-horse-7 Enter
	see 'left with 0'
	[[ $(screen) != *Correct-horse* ]]
	[ "$(sql 'SELECT count(*) FROM user')" = 2 ]
}

@test "two different passwords change nothing" {
	terminal "user create ann"
	see 'New password:'
	keys Correct-horse-7 Enter
	see 'Again, password:'
	keys Correct-horse-8 Enter
	see 'left with 2'
	see 'not the same'
	[ "$(sql 'SELECT count(*) FROM user')" = 1 ]
}

@test "Ctrl-C at a password leaves the terminal echoing and changes nothing" {
	terminal "user create ann"
	see 'New password:'
	keys Corr C-c
	see 'left with 130'
	keys 'echo is back' Enter
	see 'echo is back'
	[[ $(screen) != *Corr* ]]
	[ "$(sql 'SELECT count(*) FROM user')" = 1 ]
}

@test "--no-input asks nothing even on a terminal" {
	terminal "user create ann --no-input"
	see 'left with 2'
	see --password-stdin
}

@test "what cannot be undone wants the name typed" {
	ln_user ann
	terminal "user delete ann"
	see 'Type ann to go on:'
	keys bob Enter
	see 'left with 6'
	[ "$(sql 'SELECT count(*) FROM user')" = 2 ]
	terminal_close
	terminal "user delete ann"
	see 'Type ann to go on:'
	keys ann Enter
	see 'left with 0'
	[ "$(sql 'SELECT count(*) FROM user')" = 1 ]
}

@test "a question is answered with y or else with no" {
	terminal "user logout --all"
	see '[y/N]'
	keys Enter
	see 'left with 6'
	terminal_close
	terminal "user logout --all"
	see '[y/N]'
	keys y Enter
	see 'left with 0'
}
