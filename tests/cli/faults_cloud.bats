#!/usr/bin/env bats
# The table of faults, see faults.bats, for those who speak no dialect but
# their own.

load helpers
load faults

@test "faults of Anthropic" {
	check_table anthropic
}

@test "faults of Gemini" {
	check_table gemini
}
