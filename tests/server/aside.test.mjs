// What the provider is asked for beside answers, through the real server.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { start as startFake } from "../fake/ollama.mjs";
import { ask_ws, of } from "./ask.mjs";
import { startServer, until } from "./harness.mjs";

let fake, server, ann, bob;

before(async () => {
	fake = await startFake();
	server = await startServer({
		users: [{ username: "ann" }, { username: "bob" }],
		workers: 1,	// each counts for itself
	});
	fake.behave("writer", { text: "- The sky scatters blue light." });
	ann = await server.login("ann");
	bob = await server.login("bob");
});
beforeEach(() => {
	fake.requests.length = 0;
});
after(async () => {
	await server.stop().finally(() => fake.stop());
});

async function conversation(client) {
	const events = await ask_ws(client, { prompt: "Why is the sky so blue today?" });
	return of(events, "session_created")[0].session_id;
}

test("without a model a summary quotes, and says so", async () => {
	const r = await ann.post(`/api/summarize/${await conversation(ann)}`);
	assert.equal(r.status, 200);
	assert.equal(r.json.is_extract, true);
	assert.match(r.json.summary, /nobody wrote a summary/);
	assert.match(r.json.summary, /- You: Why is the sky so blue today\?/);
});

test("the model writes a summary, in one piece and unsaved", async () => {
	await server.lnctl_ok(["provider", "set", "ollama", "--global",
	    "--base-url", fake.url, "-m", "writer", "--json"]);
	const id = await conversation(ann);
	fake.requests.length = 0;
	const r = await ann.post(`/api/summarize/${id}`, {});
	assert.deepEqual(r.json, { summary: "- The sky scatters blue light.",
		model: "writer", is_extract: false });
	assert.equal(fake.requests[0].body.stream, false);
	assert.ok(fake.requests[0].body.messages.at(-1).content.includes("so blue today"));
	assert.equal((await ann.get(`/api/chat/${id}`)).json.messages.length, 2);
});

test("another model may be asked", async () => {
	const id = await conversation(ann);
	fake.behave("other", { text: "Short." });
	const r = await ann.post(`/api/summarize/${id}`, { model: "other" });
	assert.equal(r.json.summary, "Short.");
	assert.equal((await ann.post(`/api/summarize/${id}`, { model: 1 })).status, 400);
});

test("somebody else's conversation is as unknown as one that never was", async () => {
	const foreign = await bob.post(`/api/summarize/${await conversation(ann)}`);
	const unknown = await bob.post("/api/summarize/nowhere");
	assert.equal(foreign.status, 404);
	assert.equal(unknown.status, 404);
	assert.deepEqual(foreign.json, unknown.json);
});

test("a provider's refusal is no refusal of ours", async () => {
	const id = await conversation(ann);
	const r = await ann.post(`/api/summarize/${id}`, { model: "gone" });
	assert.equal(r.status, 502);
	assert.match(r.json.error, /not installed/);
});

test("four may wait, a fifth is told so; a client that goes closes its own", async () => {
	const id = await conversation(ann);
	fake.behave("slow", { text: "Late.", first_ms: 60000 });
	fake.requests.length = 0;
	const gone = new AbortController();
	const path = `/api/summarize/${id}`;
	const waiting = [1, 2, 3, 4].map(() => ann.post(path, { model: "slow" },
	    { signal: gone.signal }).catch(() => null));
	await until(() => fake.requests.length === 4, "four requests");
	assert.equal((await ann.post(path, { model: "slow" })).status, 429);
	gone.abort();
	await Promise.all(waiting);
	await until(() => fake.requests.every((r) => r.closed !== null), "they close");
	assert.equal((await ann.post(path)).status, 200);
});
