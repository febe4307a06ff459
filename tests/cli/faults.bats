#!/usr/bin/env bats
# Whatever a provider does, lnctl ask says it in one sentence of ours, ends
# with the right exit code, and what came is saved.  The table:
# tests/fake/faults.mjs.

load helpers
load faults

@test "faults of Ollama" {
	check_table ollama
}

@test "faults of OpenAI's dialect" {
	check_table openai
}
