// The official client accepts the fake, and the fake does what it is told.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import { TEXTS, start } from "./anthropic.mjs";

const PNG = Buffer.from("89504e470d0a1a0a", "hex").toString("base64");
const TOOLS = [{
	name: "current_time",
	description: "the time",
	input_schema: { type: "object", properties: {} },
}];
const QUESTION = { role: "user", content: "Why is the sky blue?" };

let fake, client;

const ask = (model, extra = {}) => ({
	model, max_tokens: 1000, messages: [QUESTION], ...extra,
});
const said = (m) => m.content.filter((b) => b.type === "text")
    .map((b) => b.text).join("");

before(async () => {
	fake = await start({ key: "k1" });
	client = new Anthropic({ baseURL: fake.url, apiKey: "k1", maxRetries: 0 });
});
beforeEach(() => {
	fake.requests.length = 0;
});
after(() => fake.stop());

test("models are listed, page by page", async () => {
	const names = [];
	for await (const m of client.models.list({ limit: 7 }))
		names.push(m.id);
	assert.ok(names.includes("claude-sonnet-5-5"));
	assert.ok(names.length > 14);
	assert.equal(new Set(names).size, names.length);
	assert.ok(fake.asked("/v1/models").length > 2);
});

test("a message comes whole, with counts", async () => {
	const m = await client.messages.create(ask("claude-sonnet-5-5"));
	assert.equal(said(m), TEXTS.ascii);
	assert.equal(m.stop_reason, "end_turn");
	assert.ok(m.usage.input_tokens > 0 && m.usage.output_tokens > 0);
});

for (const [model, text] of [["claude-sonnet-4-5", TEXTS.ascii],
    ["unicode", TEXTS.unicode], ["bytes", TEXTS.unicode],
    ["markup", TEXTS.markup], ["hostile", TEXTS.hostile]]) {
	test(`${model}: the text arrives unharmed in pieces`, async () => {
		const stream = client.messages.stream(ask(model));
		const parts = [];
		stream.on("text", (part) => parts.push(part));
		const m = await stream.finalMessage();
		assert.equal(said(m), text);
		assert.ok(parts.length > 5);
		assert.equal(m.usage.output_tokens, parts.length);
		assert.equal(m.stop_reason, "end_turn");
	});
}

test("the length bound is told", async () => {
	const m = await client.messages.stream(ask("length")).finalMessage();
	assert.equal(m.stop_reason, "max_tokens");
});

test("tool calls come in pieces, and their results end them", async () => {
	const m = await client.messages.stream(
	    ask("tools", { tools: TOOLS })).finalMessage();
	const [call] = m.content;
	assert.equal(m.stop_reason, "tool_use");
	assert.equal(call.name, "current_time");
	assert.deepEqual(call.input, { zone: "UTC" });
	const whole = await client.messages.create(ask("tools", { tools: TOOLS }));
	assert.deepEqual(whole.content[0].input, { zone: "UTC" });
	const result = (id) => client.messages.create(ask("tools", {
		tools: TOOLS,
		messages: [
			QUESTION,
			{ role: "assistant", content: m.content },
			{ role: "user", content: [{ type: "tool_result",
			    tool_use_id: id, content: "12:00" }] },
		],
	}));
	assert.equal(said(await result(call.id)), TEXTS.ascii);
	await assert.rejects(result("toolu_other"), { status: 400 });
});

test("thinking is kept apart from the answer", async () => {
	const m = await client.messages.stream(ask("qwen3")).finalMessage();
	assert.equal(m.content[0].thinking, "Let me think about that. Done.");
	assert.equal(said(m), TEXTS.ascii);
});

test("images go through; what is none is refused", async () => {
	const look = (media_type, data) => client.messages.create(ask("llava", {
		messages: [{ role: "user", content: [
			{ type: "image", source: { type: "base64", media_type, data } },
			{ type: "text", text: "what is it?" },
		] }],
	}));
	assert.equal(said(await look("image/png", PNG)), TEXTS.ascii);
	await assert.rejects(look("image/svg+xml", PNG), { status: 400 });
	await assert.rejects(look("image/png", "%%%"), { status: 400 });
});

for (const [what, extra] of [
    ["no max_tokens", { max_tokens: undefined }],
    ["a temperature above 1", { temperature: 1.5 }],
    ["an answer at the end", { messages: [QUESTION,
	{ role: "assistant", content: "Because" }] }],
    ["an answer at the beginning", { messages: [
	{ role: "assistant", content: "Hi" }, QUESTION] }],
    ["two questions in a row", { messages: [QUESTION, QUESTION] }],
    ["a blank text", { messages: [{ role: "user", content: " " }] }],
    ["a call without its result", { messages: [QUESTION,
	{ role: "assistant", content: [{ type: "tool_use", id: "t1",
	    name: "current_time", input: {} }] }, QUESTION] }]]) {
	test(`${what}: refused`, async () => {
		await assert.rejects(
		    client.messages.create(ask("claude-sonnet-4-5", extra)),
		    (e) => e.status === 400 && e.type === "invalid_request_error");
	});
}

test("the newest models refuse to be sampled otherwise", async () => {
	for (const extra of [{ temperature: 0.5 }, { top_k: 5 }, { top_p: 0.9 }])
		await assert.rejects(
		    client.messages.create(ask("claude-sonnet-5-5", extra)),
		    { status: 400 });
	await client.messages.create(ask("claude-sonnet-4-5", { temperature: 0.5 }));
});

for (const [model, status, name] of [
    ["http400", 400, "invalid_request_error"],
    ["http401", 401, "authentication_error"],
    ["http403", 403, "permission_error"], ["nobody", 404, "not_found_error"],
    ["http429", 429, "rate_limit_error"], ["http500", 500, "api_error"],
    ["http529", 529, "overloaded_error"]]) {
	test(`${model}: refused with ${status}, ${name}`, async () => {
		await assert.rejects(client.messages.create(ask(model)),
		    (e) => e.status === status && e.type === name &&
			(status !== 429 || e.headers.get("retry-after") === "7"));
	});
}

test("any other key is refused", async () => {
	const other = new Anthropic({ baseURL: fake.url, apiKey: "k2", maxRetries: 0 });
	await assert.rejects(other.messages.create(ask("claude-sonnet-5-5")),
	    { status: 401 });
});

test("an error in the middle of a stream reaches the client", async () => {
	const parts = [];
	await assert.rejects(async () => {
		for await (const e of await client.messages.create(
		    ask("errline", { stream: true })))
			parts.push(e.type);
	}, /CUDA error/);
	assert.equal(parts.filter((t) => t === "content_block_delta").length, 3);
});

for (const model of ["badline", "cut", "short"]) {
	test(`${model}: breaks the client`, async () => {
		await assert.rejects(
		    client.messages.stream(ask(model)).finalMessage());
	});
}

for (const model of ["stall", "endless"]) {
	test(`${model}: lasts until the client leaves, which is recorded`,
	    async () => {
		const stream = client.messages.stream(ask(model));
		const ended = assert.rejects(stream.finalMessage(),
		    Anthropic.APIUserAbortError);
		await fake.until((all) => all[0]?.tokens >= 3);
		assert.equal(fake.requests[0].closed, null);
		stream.abort();
		await ended;
		await fake.until((all) => all[0].closed === "by client");
	});
}

test("an endless tool loop calls again whatever the result", async () => {
	const m = await client.messages.create(ask("toolloop", {
		tools: TOOLS,
		messages: [
			QUESTION,
			{ role: "assistant", content: [{ type: "tool_use", id: "t1",
			    name: "current_time", input: {} }] },
			{ role: "user", content: [{ type: "tool_result",
			    tool_use_id: "t1", content: "12:00" }] },
		],
	}));
	assert.equal(m.stop_reason, "tool_use");
});
