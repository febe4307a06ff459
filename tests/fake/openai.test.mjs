// The official client accepts the fake, and the fake does what it is told.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { after, before, beforeEach, test } from "node:test";
import OpenAI from "openai";
import { TEXTS, start } from "./openai.mjs";

const KEY = "sk-fake-0001";
const PNG = "iVBORw0KGgoAAAANSUhEUg==";
const TOOLS = [{
	type: "function",
	function: {
		name: "current_time", description: "the time",
		parameters: { type: "object", properties: { zone: { type: "string" } } },
	},
}];

const ask = (model, extra = {}) => ({
	model,
	messages: [{ role: "user", content: "Why is the sky blue?" }],
	...extra,
});
const streamed = (model, extra = {}) => ask(model, {
	stream: true, stream_options: { include_usage: true }, ...extra,
});

let fake, client;

before(async () => {
	fake = await start({ key: KEY });
	client = new OpenAI({
		baseURL: `${fake.url}/v1`, apiKey: KEY, maxRetries: 0,
	});
});
beforeEach(() => {
	fake.requests.length = 0;
});
after(() => fake.stop());

const create = (body) => client.chat.completions.create(body);

async function collect(stream) {
	const parts = [];
	for await (const part of stream)
		parts.push(part);
	return parts;
}

const said = (parts) =>
	parts.map((p) => p.choices[0]?.delta.content ?? "").join("");

test("models are listed and shown", async () => {
	const list = await collect(await client.models.list());
	const one = list.find((m) => m.id === "llama3.2");
	assert.equal(one.object, "model");
	assert.ok(Number.isInteger(one.created));
	assert.equal((await client.models.retrieve("llama3.2")).id, "llama3.2");
	await assert.rejects(client.models.retrieve("nobody"),
	    OpenAI.NotFoundError);
});

test("an answer comes whole, with counts", async () => {
	const r = await create(ask("llama3.2"));
	assert.equal(r.object, "chat.completion");
	assert.deepEqual(r.choices[0].message, {
		role: "assistant", content: TEXTS.ascii, refusal: null,
	});
	assert.equal(r.choices[0].finish_reason, "stop");
	assert.equal(r.usage.total_tokens,
	    r.usage.prompt_tokens + r.usage.completion_tokens);
});

test("an answer comes in pieces, then the reason, then the counts", async () => {
	const parts = await collect(await create(streamed("llama3.2")));
	assert.equal(said(parts), TEXTS.ascii);
	assert.ok(parts.length > 5);
	assert.ok(parts.every((p) => p.object === "chat.completion.chunk" &&
	    p.id === parts[0].id));
	assert.equal(parts[0].choices[0].delta.role, "assistant");
	assert.equal(parts.at(-2).choices[0].finish_reason, "stop");
	assert.deepEqual(parts.at(-1).choices, []);
	assert.ok(parts.at(-1).usage.completion_tokens > 0);
	assert.ok(parts.slice(0, -1).every((p) => p.usage === null));
});

test("counts come only when they are asked for", async () => {
	const parts = await collect(await create(ask("llama3.2", { stream: true })));
	assert.ok(parts.every((p) => p.usage === undefined));
	assert.equal(parts.at(-1).choices[0].finish_reason, "stop");
});

for (const [model, text] of [["unicode", TEXTS.unicode], ["bytes", TEXTS.unicode],
    ["markup", TEXTS.markup], ["markdown", TEXTS.markdown],
    ["hostile", TEXTS.hostile], ["empty", ""]]) {
	test(`${model}: the text arrives unharmed`, async () => {
		const parts = await collect(await create(streamed(model)));
		assert.equal(said(parts), text);
	});
}

test("the client's own accumulator makes sense of a stream", async () => {
	const runner = client.chat.completions.stream(ask("tools", { tools: TOOLS }));
	const r = await runner.finalChatCompletion();
	assert.equal(r.choices[0].finish_reason, "tool_calls");
	assert.equal(r.choices[0].message.tool_calls[0].id, "call_1");
	assert.deepEqual(
	    JSON.parse(r.choices[0].message.tool_calls[0].function.arguments),
	    { zone: "UTC" });
});

test("tool calls come in pieces, and the result ends them", async () => {
	const parts = await collect(await create(streamed("tools", { tools: TOOLS })));
	const pieces = parts.flatMap((p) => p.choices[0]?.delta.tool_calls ?? []);
	assert.ok(pieces.length > 2);
	assert.deepEqual(pieces[0], {
		index: 0, id: "call_1", type: "function",
		function: { name: "current_time", arguments: "" },
	});
	assert.equal(pieces.map((p) => p.function.arguments).join(""),
	    "{\"zone\":\"UTC\"}");
	assert.equal(parts.at(-2).choices[0].finish_reason, "tool_calls");

	const first = await create(ask("tools", { tools: TOOLS }));
	const second = await create({
		model: "tools",
		tools: TOOLS,
		messages: [
			...ask("tools").messages,
			first.choices[0].message,
			{ role: "tool", tool_call_id: "call_1", content: "12:00" },
		],
	});
	assert.equal(second.choices[0].message.content, TEXTS.ascii);
	assert.equal(second.choices[0].finish_reason, "stop");
});

test("what is not said rightly is refused", async () => {
	const bad = (body, words) => assert.rejects(create(body), (e) => {
		assert.ok(e instanceof OpenAI.BadRequestError, String(e));
		assert.match(e.message, words);
		return true;
	});
	await bad(ask("llama3.2", { tools: TOOLS }), /does not support tools/);
	await bad(ask("llama3.2", { messages: [] }), /messages/);
	await bad(ask("llama3.2", { messages: [{ role: "robot", content: "" }] }),
	    /robot/);
	await bad(ask("tools", { messages: [
		{ role: "tool", tool_call_id: "call_1", content: "12:00" },
	] }), /preceding/);
	await bad(ask("llama3.2", { stop: ["a", "b", "c", "d", "e"] }), /too long/);
	await bad(ask("llama3.2", { stream_options: { include_usage: true } }),
	    /stream_options/);
});

test("images go through as data URLs; anything else is refused", async () => {
	const look = (model, url) => create(ask(model, { messages: [{
		role: "user",
		content: [
			{ type: "text", text: "what is it?" },
			{ type: "image_url", image_url: { url } },
		],
	}] }));
	const r = await look("llava", `data:image/png;base64,${PNG}`);
	assert.equal(r.choices[0].message.content, TEXTS.ascii);
	await assert.rejects(look("llava", `data:image/png;base64,%%%`),
	    OpenAI.BadRequestError);
	await assert.rejects(look("llava", "http://h/x.png"),
	    OpenAI.BadRequestError);
	await assert.rejects(look("llama3.2", `data:image/png;base64,${PNG}`),
	    OpenAI.BadRequestError);
});

test("reasoning is kept apart from the answer", async () => {
	const parts = await collect(await create(streamed("qwen3")));
	assert.equal(parts.map((p) => p.choices[0]?.delta.reasoning_content ?? "")
	    .join(""), "Let me think about that. Done.");
	assert.equal(said(parts), TEXTS.ascii);
});

test("refusals are the client's own kinds of error", async () => {
	for (const [model, kind] of [
		["nobody", OpenAI.NotFoundError],
		["http401", OpenAI.AuthenticationError],
		["http403", OpenAI.PermissionDeniedError],
		["http404", OpenAI.NotFoundError],
		["http429", OpenAI.RateLimitError],
		["http500", OpenAI.InternalServerError],
		["http529", OpenAI.InternalServerError],
	])
		await assert.rejects(create(ask(model)), kind, model);
	const busy = await create(ask("http429")).catch((e) => e);
	assert.equal(busy.headers.get("retry-after"), "7");
	assert.equal(busy.code, "rate_limit_exceeded");
});

test("a wrong key and a wrong path are refused", async () => {
	const stranger = new OpenAI({
		baseURL: `${fake.url}/v1`, apiKey: "wrong", maxRetries: 0,
	});
	await assert.rejects(stranger.models.list(), { code: "invalid_api_key" });
	const lost = new OpenAI({
		baseURL: fake.url, apiKey: KEY, maxRetries: 0,
	});
	await assert.rejects(lost.models.list(), { status: 404, code: null });
});

test("an error in the middle of a stream reaches the client", async () => {
	const stream = await create(streamed("errline"));
	const parts = [];
	await assert.rejects(async () => {
		for await (const p of stream)
			parts.push(p);
	}, /CUDA error/);
	assert.ok(TEXTS.ascii.startsWith(said(parts)));
	assert.ok(said(parts).length > 0);
});

test("an event that is not JSON breaks the client", async () => {
	await assert.rejects(async () => collect(await create(streamed("badline"))),
	    SyntaxError);
});

test("a cut connection breaks the client", async () => {
	await assert.rejects(async () => collect(await create(streamed("cut"))));
	await fake.until((all) => all.at(-1).closed === "by fake");
});

test("an abort stops the fake's work", async () => {
	const stream = await create(streamed("slow"));
	let n = 0;
	for await (const part of stream) {
		if (part.choices[0]?.delta.content && ++n === 2)
			break;
	}
	await fake.until((all) => all.at(-1).closed === "by client");
	assert.ok(fake.requests.at(-1).tokens < 10);
});

test("embeddings come as the client asks, base64 or numbers", async () => {
	const input = ["Where did she buy the car?", "The automobile she bought"];
	const ask_for = (extra) => client.embeddings.create(
	    { model: "llama3.2", input, ...extra });
	const packed = await ask_for({});
	const plain = await ask_for({ encoding_format: "float" });
	const [a, b] = plain.data.map((d) => d.embedding);
	assert.deepEqual(packed.data.map((d) => d.index), [0, 1]);
	assert.deepEqual(Array.from(packed.data[0].embedding), a.map(Math.fround));
	assert.ok(a.reduce((sum, x, i) => sum + x * b[i], 0) > 0.3);
	assert.equal(plain.object, "list");
	assert.ok(plain.usage.total_tokens > 0);
	await assert.rejects(ask_for({ model: "nobody" }), OpenAI.NotFoundError);
	await assert.rejects(ask_for({ input: "" }), OpenAI.BadRequestError);
});

test("as a process it serves the client too", async () => {
	const child = spawn(process.execPath,
	    [new URL("./openai.mjs", import.meta.url).pathname, "--key", KEY],
	    { stdio: ["ignore", "pipe", "inherit"] });
	try {
		const first = await new Promise((done) =>
			child.stdout.once("data", (d) => done(String(d))));
		const port = first.match(/^listening (\d+)\n$/)[1];
		const there = new OpenAI({
			baseURL: `http://127.0.0.1:${port}/v1`, apiKey: KEY,
		});
		const r = await there.chat.completions.create(ask("llama3.2"));
		assert.equal(r.choices[0].message.content, TEXTS.ascii);
	} finally {
		child.kill("SIGTERM");
	}
});

test("a recording is written down", async () => {
	const file = await OpenAI.toFile(Buffer.from("OggS...."), "a.ogg");
	const { text } = await client.audio.transcriptions.create(
	    { model: "whisper-1", file });
	assert.equal(text, "8 bytes of a.ogg, gr\u00fc\u00dfe.");
	await assert.rejects(client.audio.transcriptions.create(
	    { model: "nosuch", file }), { status: 404 });
});
