// The list of models: the same shape for every provider, asked for seldom,
// never in the way of the page, and each person's own.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { start as startOllama } from "../fake/ollama.mjs";
import { start as startOpenAI } from "../fake/openai.mjs";
import { sleep, startServer, until } from "./harness.mjs";

const KEY = "sk-canary-0123456789";

let ollama, openai, server, ann, bob;

before(async () => {
	ollama = await startOllama();
	openai = await startOpenAI({ key: KEY });
	server = await startServer({
		users: [{ username: "ann" }, { username: "bob" }],
		workers: 1,	// each has a cache of its own
		env: { LOCALNEURAL_ALLOWED_ENDPOINTS: "http://127.0.0.1:*" },
	});
	await server.lnctl_ok(["provider", "set", "ollama", "--global",
	    "--base-url", ollama.url, "-m", "llama3.2", "--json"]);
	ann = await server.login("ann");
	bob = await server.login("bob");
});
beforeEach(() => {
	ollama.requests.length = openai.requests.length = 0;
});
after(async () => {
	await server.stop();
	await ollama.stop();
	await openai.stop();
});

const list = async (who) => (await who.get("/api/models")).json;

async function choose(who, settings) {
	const r = await who.post("/api/provider/config", settings);
	assert.equal(r.status, 200, r.text);
}

test("it comes in two shapes, and the provider is asked once", async () => {
	const first = await list(ann);
	assert.equal(first.stale, false);
	assert.ok(first.models.some((m) => m.name === "llama3.2:latest"));
	const names = (await ann.get("/api/provider/models")).json;
	assert.deepEqual(names, first.models.map((m) => m.name));
	await list(ann);
	assert.equal(ollama.asked("/api/tags").length, 1);
});

test("another choice has the new provider asked at once", async () => {
	await choose(ann, { provider: "openai", base_url: `${openai.url}/v1`,
	    api_key: KEY });
	const { models, stale } = await list(ann);
	assert.equal(stale, false);
	assert.ok(models.some((m) => m.name === "llama3.2"));
	assert.equal(openai.asked("/v1/models").length, 1);
	assert.deepEqual(ollama.requests, []);
});

test("one person's list, address and key are nobody else's", async () => {
	const theirs = await list(bob);
	assert.ok(theirs.models.some((m) => m.name === "llama3.2:latest"));
	assert.deepEqual(openai.requests, []);
	// The same address, but another key: it is asked with that one.
	await choose(bob, { provider: "openai", base_url: `${openai.url}/v1`,
	    api_key: "sk-wrong-0123456789" });
	const refused = await list(bob);
	assert.equal(refused.stale, true);
	assert.ok(!refused.models.some((m) => m.name === "llama3.2"));
	assert.equal(openai.requests[0].headers.authorization,
	    "Bearer sk-wrong-0123456789");
	assert.equal((await list(ann)).stale, false);
});

test("who has no key yet sees the well-known models", async () => {
	await choose(bob, { provider: "openai", base_url: "", api_key: "" });
	const { models, stale } = await list(bob);
	assert.equal(stale, true);
	assert.ok(models.some((m) => m.name.startsWith("gpt-")));
	await choose(bob, { provider: "anthropic" });
	assert.ok((await list(bob)).models.some((m) => m.name.startsWith("claude")));
	await choose(bob, { provider: "offline" });
	assert.deepEqual(await list(bob), { models: [], stale: false });
});

test("a provider that is down gives an empty list, and is asked again behind " +
    "the reply", async () => {
	const late = await startOllama();
	const { port, url } = late;
	await late.stop();
	await choose(bob, { provider: "ollama", base_url: url });
	assert.deepEqual(await list(bob), { models: [], stale: true });

	const back = await startOllama({ port });
	try {
		// What is known now is what it was; the next one knows better.
		assert.deepEqual(await list(bob), { models: [], stale: true });
		await until(async () => {
			await sleep(300);
			return (await list(bob)).stale === false;
		}, "a fresh list");
		assert.equal(back.asked("/api/tags").length, 1);
	} finally {
		await back.stop();
	}
	// What it said last is better than nothing.
	const { models, stale } = await list(bob);
	assert.equal(stale, false);
	assert.ok(models.length > 5);
});
