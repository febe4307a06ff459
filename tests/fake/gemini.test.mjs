// The official client accepts the fake, and the fake does what it is told.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { GoogleGenAI } from "@google/genai";
import { TEXTS, start } from "./gemini.mjs";

const PNG = Buffer.from("89504e470d0a1a0a", "hex").toString("base64");
const TOOLS = [{ functionDeclarations: [{
	name: "current_time",
	description: "the time",
	parameters: { type: "OBJECT", properties: { zone: { type: "STRING" } } },
}] }];
const QUESTION = { role: "user", parts: [{ text: "Why is the sky blue?" }] };

let fake, client;

before(async () => {
	fake = await start({ key: "k1" });
	client = new GoogleGenAI({ apiKey: "k1", httpOptions: { baseUrl: fake.url } });
});
beforeEach(() => {
	fake.requests.length = 0;
});
after(() => fake.stop());

const ask = (model, config, contents = [QUESTION]) =>
    ({ model, contents, ...(config !== undefined && { config }) });

async function collect(question) {
	const parts = [];
	for await (const part of await client.models.generateContentStream(question))
		parts.push(part);
	return parts;
}

const said = (parts) => parts.flatMap((p) => p.candidates?.[0].content.parts ?? [])
    .filter((p) => !p.thought).map((p) => p.text ?? "").join("");
const body = (question, stream = true) => fetch(`${fake.url}/v1beta/models/` +
    `${question.model}:${stream ? "streamGenerateContent?alt=sse" : "generateContent"}`, {
	method: "POST",
	headers: { "x-goog-api-key": "k1" },
	body: JSON.stringify({ contents: question.contents }),
});

test("models are listed, page by page, with what they can do", async () => {
	const models = [];
	for await (const m of await client.models.list({ config: { pageSize: 7 } }))
		models.push(m);
	const names = models.map((m) => m.name);
	assert.ok(names.includes("models/gemini-2.5-flash"));
	assert.ok(names.length > 14);
	assert.equal(new Set(names).size, names.length);
	assert.ok(fake.asked("/v1beta/models").length > 2);
});

test("an answer comes whole, with counts", async () => {
	const r = await client.models.generateContent(ask("gemini-2.5-flash"));
	assert.equal(r.text, TEXTS.ascii);
	assert.equal(r.candidates[0].finishReason, "STOP");
	assert.ok(r.usageMetadata.promptTokenCount > 0);
	assert.ok(r.usageMetadata.candidatesTokenCount > 0);
});

// The client cannot put a character together that came in two packets, so
// the model "bytes" speaks ASCII to it.
for (const [model, text] of [["gemini-2.5-flash", TEXTS.ascii],
    ["unicode", TEXTS.unicode], ["markup", TEXTS.markup],
    ["hostile", TEXTS.hostile], ["ascii-bytes", TEXTS.ascii]]) {
	test(`${model}: the text arrives unharmed in pieces`, async () => {
		fake.behave("ascii-bytes", { bytewise: true });
		const parts = await collect(ask(model));
		assert.equal(said(parts), text);
		assert.ok(parts.length > 5);
		assert.equal(parts.at(-1).candidates[0].finishReason, "STOP");
		assert.equal(parts.at(-1).usageMetadata.candidatesTokenCount,
		    parts.length - 1);
	});
}

test("bytes: what comes byte by byte is the same", async () => {
	assert.ok((await (await body(ask("bytes"))).text())
	    .includes("日本語"));
});

test("the length bound and the safety filter are told", async () => {
	const end = async (model) => (await collect(ask(model))).at(-1)
	    .candidates[0].finishReason;
	assert.equal(await end("length"), "MAX_TOKENS");
	assert.equal(await end("unsafe"), "SAFETY");
});

test("a question that is filtered gets no candidate", async () => {
	const [only] = await collect(ask("blocked"));
	assert.equal(only.promptFeedback.blockReason, "PROHIBITED_CONTENT");
	assert.equal(only.candidates, undefined);
});

test("function calls come whole, and their results end them", async () => {
	const parts = await collect(ask("tools", { tools: TOOLS }));
	const { content } = parts.at(-1).candidates[0];
	assert.deepEqual(parts.at(-1).functionCalls,
	    [{ name: "current_time", args: { zone: "UTC" } }]);
	const result = { functionResponse: { name: "current_time",
	    response: { output: "12:00" } } };
	const after = (...results) => client.models.generateContent(ask("tools",
	    { tools: TOOLS }, [QUESTION, content,
	    { role: "user", parts: results }]));
	assert.equal((await after(result)).text, TEXTS.ascii);
	await assert.rejects(after(result, result), /number of function response/);
	await assert.rejects(after({ text: "12:00" }), /number of function response/);
});

test("a model that signs its calls wants the signature back", async () => {
	const r = await client.models.generateContent(ask("gemini-3-pro",
	    { tools: TOOLS }));
	assert.equal(r.functionCalls.length, 2);
	const { content } = (await (await fetch(
	    `${fake.url}/v1beta/models/gemini-3-pro:generateContent`, {
		method: "POST",
		headers: { "x-goog-api-key": "k1" },
		body: JSON.stringify({ contents: [QUESTION], tools: TOOLS }),
	})).json()).candidates[0];
	const result = { functionResponse: { name: "current_time",
	    response: { output: "12:00" } } };
	const again = (parts) => fetch(
	    `${fake.url}/v1beta/models/gemini-3-pro:generateContent`, {
		method: "POST",
		headers: { "x-goog-api-key": "k1" },
		body: JSON.stringify({ contents: [QUESTION, { role: "model", parts },
		    { role: "user", parts: [result, result] }], tools: TOOLS }),
	});
	assert.equal((await again(content.parts)).status, 200);
	const bare = content.parts.map((p) => ({ functionCall: p.functionCall }));
	assert.equal((await again(bare)).status, 400);
});

test("thinking is kept apart from the answer", async () => {
	const parts = await collect(ask("qwen3"));
	assert.equal(said(parts), TEXTS.ascii);
	assert.equal(parts.flatMap((p) => p.candidates[0].content.parts)
	    .filter((p) => p.thought).map((p) => p.text).join(""),
	    "Let me think about that. Done.");
	assert.ok(parts.at(-1).usageMetadata.thoughtsTokenCount > 0);
});

test("images go through; what is none is refused", async () => {
	const look = (mimeType, data) => client.models.generateContent(ask("llava",
	    undefined, [{ role: "user", parts: [{ inlineData: { mimeType, data } },
	    { text: "what is it?" }] }]));
	assert.equal((await look("image/png", PNG)).text, TEXTS.ascii);
	await assert.rejects(look("image/svg+xml", PNG), /INVALID_ARGUMENT/);
	await assert.rejects(look("image/png", "%%%"), /INVALID_ARGUMENT/);
});

for (const [what, question] of [
    ["a temperature above 2", ask("gemini-2.5-flash", { temperature: 2.5 })],
    ["six stop sequences",
	ask("gemini-2.5-flash", { stopSequences: [..."abcdef"] })],
    ["a turn without parts",
	ask("gemini-2.5-flash", undefined, [{ role: "user", parts: [] }])],
    ["another role", ask("gemini-2.5-flash", undefined,
	[{ role: "assistant", parts: [{ text: "Hi" }] }])]]) {
	test(`${what}: refused`, async () => {
		await assert.rejects(client.models.generateContent(question),
		    /INVALID_ARGUMENT/);
	});
}

for (const [model, status] of [["http400", "400 INVALID_ARGUMENT"],
    ["http401", "400 INVALID_ARGUMENT"], ["http403", "403 PERMISSION_DENIED"],
    ["nobody", "404 NOT_FOUND"], ["http429", "429 RESOURCE_EXHAUSTED"],
    ["http500", "500 INTERNAL"], ["prompt-too-long", "400 INVALID_ARGUMENT"]]) {
	test(`${model}: refused with ${status}`, async () => {
		const [code, name] = status.split(" ");
		for (const call of [client.models.generateContent(ask(model)),
		    collect(ask(model))])
			await assert.rejects(call,
			    (e) => e.message.includes(name) && e.message.includes(code));
		const { headers } = await body(ask(model));
		assert.equal(headers.get("retry-after"),
		    model === "http429" ? "7" : null);
	});
}

test("any other key is refused", async () => {
	const other = new GoogleGenAI({ apiKey: "k2",
	    httpOptions: { baseUrl: fake.url } });
	await assert.rejects(other.models.generateContent(ask("gemini-2.5-flash")),
	    /API key not valid/);
});

test("an error in the middle of a stream reaches the client", async () => {
	const parts = [];
	await assert.rejects(async () => {
		for await (const p of await client.models.generateContentStream(
		    ask("errline")))
			parts.push(p);
	}, /INTERNAL/);
	assert.equal(parts.length, 3);
});

for (const model of ["badline", "cut"]) {
	test(`${model}: breaks the client`, async () => {
		await assert.rejects(collect(ask(model)));
	});
}

test("an orderly end without a reason is no end", async () => {
	const parts = await collect(ask("short"));
	assert.equal(parts.at(-1).candidates[0].finishReason, undefined);
});

for (const model of ["stall", "endless"]) {
	test(`${model}: lasts until the client leaves, which is recorded`,
	    async () => {
		const stop = new AbortController();
		const ended = assert.rejects(collect(ask(model,
		    { abortSignal: stop.signal })), /abort/i);
		await fake.until((all) => all[0]?.tokens >= 3);
		assert.equal(fake.requests[0].closed, null);
		stop.abort();
		await ended;
		await fake.until((all) => all[0].closed === "by client");
	});
}

test("an endless tool loop calls again whatever the result", async () => {
	const call = { functionCall: { name: "current_time", args: {} } };
	const r = await client.models.generateContent(ask("toolloop",
	    { tools: TOOLS }, [QUESTION, { role: "model", parts: [call] },
	    { role: "user", parts: [{ functionResponse: { name: "current_time",
		response: { output: "12:00" } } }] }]));
	assert.equal(r.functionCalls.length, 1);
});
