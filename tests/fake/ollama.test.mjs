// The official client accepts the fake, and the fake does what it is told.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import net from "node:net";
import { after, before, beforeEach, test } from "node:test";
import { Ollama } from "ollama";
import { TEXTS, start } from "./ollama.mjs";

const ask = (model, extra = {}) => ({
	model,
	messages: [{ role: "user", content: "Why is the sky blue?" }],
	...extra,
});

let fake, client;

before(async () => {
	fake = await start();
	client = new Ollama({ host: fake.url });
});
beforeEach(() => {
	fake.requests.length = 0;
});
after(() => fake.stop());

async function collect(stream) {
	const parts = [];
	for await (const part of stream)
		parts.push(part);
	return parts;
}

const said = (parts) => parts.map((p) => p.message.content).join("");

test("list names the models with their details", async () => {
	const { models } = await client.list();
	const one = models.find((m) => m.name === "llama3.2:latest");
	assert.equal(one.model, "llama3.2:latest");
	assert.equal(one.details.format, "gguf");
	assert.match(one.digest, /^[0-9a-f]{64}$/);
	assert.ok(!Number.isNaN(Date.parse(one.modified_at)));
});

test("show says what a model can do, and refuses an unknown one", async () => {
	assert.deepEqual((await client.show({ model: "llava" })).capabilities,
	    ["completion", "vision"]);
	await assert.rejects(client.show({ model: "nobody" }),
	    { status_code: 404, error: "model 'nobody' not found" });
});

test("version and ps answer", async () => {
	assert.match((await client.version()).version, /^\d+\.\d+\.\d+$/);
	await client.chat(ask("llama3.2"));
	const { models } = await client.ps();
	assert.ok(models.some((m) => m.name === "llama3.2:latest"));
});

test("chat without streaming is one object with counts", async () => {
	const r = await client.chat(ask("llama3.2"));
	assert.equal(r.message.role, "assistant");
	assert.equal(r.message.content, TEXTS.ascii);
	assert.equal(r.done, true);
	assert.equal(r.done_reason, "stop");
	for (const k of ["total_duration", "load_duration", "prompt_eval_count",
	    "prompt_eval_duration", "eval_count", "eval_duration"])
		assert.ok(Number.isInteger(r[k]) && r[k] > 0, k);
});

test("chat streams pieces and closes with counts", async () => {
	const parts = await collect(await client.chat(ask("llama3.2", { stream: true })));
	assert.ok(parts.length > 5);
	assert.equal(said(parts), TEXTS.ascii);
	assert.ok(parts.slice(0, -1).every((p) => !p.done && p.eval_count === undefined));
	const last = parts.at(-1);
	assert.equal(last.message.content, "");
	assert.deepEqual([last.done, last.done_reason], [true, "stop"]);
	assert.equal(last.eval_count, parts.length - 1);
});

for (const [model, text] of [["unicode", TEXTS.unicode], ["bytes", TEXTS.unicode],
    ["markup", TEXTS.markup], ["markdown", TEXTS.markdown], ["hostile", TEXTS.hostile]]) {
	test(`${model}: the text arrives unharmed`, async () => {
		const parts = await collect(await client.chat(ask(model, { stream: true })));
		assert.equal(said(parts), text);
	});
}

test("bytes: one write for each byte", async () => {
	const writes = await new Promise((done, fail) => {
		const body = JSON.stringify(ask("bytes"));
		const sock = net.connect(fake.port, "127.0.0.1", () => sock.write(
		    "POST /api/chat HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" +
		    `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`));
		let all = "";
		sock.on("data", (d) => all += d.toString("latin1"));
		sock.on("error", fail);
		// Each byte is its own chunk of length 1.
		sock.on("end", () => done(all.match(/\r\n1\r\n/g).length));
	});
	assert.ok(writes > 500, String(writes));
});

test("the wire looks as Go writes it", async () => {
	const r = await fetch(`${fake.url}/api/chat`, {
		method: "POST", body: JSON.stringify(ask("markup")),
	});
	assert.equal(r.headers.get("content-type"), "application/x-ndjson");
	const raw = await r.text();
	assert.ok(raw.endsWith("}\n"));
	assert.ok(raw.includes("\\u003cscript\\u003e"));
	assert.ok(!/[<>&]/.test(raw));
	for (const line of raw.trimEnd().split("\n"))
		assert.match(JSON.parse(line).created_at,
		    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}Z$/);
});

test("echo answers with the last user message", async () => {
	const r = await client.chat({
		model: "echo",
		messages: [
			{ role: "user", content: "one" },
			{ role: "assistant", content: "two" },
			{ role: "user", content: "drei" },
		],
	});
	assert.equal(r.message.content, "drei");
});

test("images go through; what is not base64 is refused", async () => {
	const png = Buffer.from("89504e470d0a1a0a", "hex");
	const r = await client.chat({
		model: "llava",
		messages: [{ role: "user", content: "what is it?", images: [png] }],
	});
	assert.equal(r.done, true);
	assert.deepEqual(fake.asked("/api/chat")[0].body.messages[0].images,
	    [png.toString("base64")]);
	const bad = await fetch(`${fake.url}/api/chat`, {
		method: "POST",
		body: JSON.stringify({
			model: "llava",
			messages: [{ role: "user", content: "?", images: ["%%%"] }],
		}),
	});
	assert.equal(bad.status, 400);
});

test("tool calls come, and the result ends them", async () => {
	const tools = [{
		type: "function",
		function: {
			name: "current_time", description: "the time",
			parameters: { type: "object", properties: {} },
		},
	}];
	const parts = await collect(await client.chat(
	    ask("tools", { stream: true, tools })));
	const calls = parts.flatMap((p) => p.message.tool_calls ?? []);
	assert.deepEqual(calls, [{
		function: { name: "current_time", arguments: { zone: "UTC" } },
	}]);
	const second = await client.chat({
		model: "tools",
		tools,
		messages: [
			...ask("tools").messages,
			{ role: "assistant", content: "", tool_calls: calls },
			{ role: "tool", tool_name: "current_time", content: "12:00" },
		],
	});
	assert.equal(second.message.content, TEXTS.ascii);
	assert.equal(second.message.tool_calls, undefined);
	await assert.rejects(client.chat(ask("llama3.2", { tools })),
	    { status_code: 400, message: /does not support tools/ });
});

test("thinking is kept apart from the answer", async () => {
	const parts = await collect(await client.chat(
	    ask("qwen3", { stream: true, think: true })));
	assert.equal(parts.map((p) => p.message.thinking ?? "").join(""),
	    "Let me think about that. Done.");
	assert.equal(said(parts), TEXTS.ascii);
	const off = await client.chat(ask("qwen3", { think: false }));
	assert.equal(off.message.thinking, undefined);
	await assert.rejects(client.chat(ask("llama3.2", { think: true })),
	    { status_code: 400, message: /does not support thinking/ });
});

test("an unknown model is a 404 with Ollama's sentence", async () => {
	await assert.rejects(client.chat(ask("nobody", { stream: true })),
	    { status_code: 404, error: "model 'nobody' not found" });
});

test("refusals carry status and Retry-After", async () => {
	await assert.rejects(client.chat(ask("http500")), { status_code: 500 });
	const r = await fetch(`${fake.url}/api/chat`, {
		method: "POST", body: JSON.stringify(ask("http429")),
	});
	assert.equal(r.status, 429);
	assert.equal(r.headers.get("retry-after"), "7");
	assert.deepEqual(await r.json(), { error: "too many requests" });
});

test("an error in the middle of a stream reaches the client", async () => {
	const stream = await client.chat(ask("errline", { stream: true }));
	const parts = [];
	await assert.rejects(async () => {
		for await (const p of stream)
			parts.push(p);
	}, /CUDA error/);
	assert.equal(parts.length, 3);
});

test("a line that is not JSON is sent between good ones", async () => {
	const r = await fetch(`${fake.url}/api/chat`, {
		method: "POST", body: JSON.stringify(ask("badline")),
	});
	const lines = (await r.text()).trimEnd().split("\n");
	assert.throws(() => JSON.parse(lines[3]), SyntaxError);
	lines.splice(3, 1);
	assert.equal(said(lines.map((l) => JSON.parse(l))), TEXTS.ascii);
});

test("a line of 10 MiB and bytes that are not UTF-8 are sent as told", async () => {
	const raw = async (model) => Buffer.from(await (await fetch(`${fake.url}/api/chat`, {
		method: "POST", body: JSON.stringify(ask(model)),
	})).arrayBuffer());
	const long = (await raw("longline")).toString().split("\n");
	assert.ok(long[3].length > 10 * 1024 * 1024);
	const broken = await raw("badutf8");
	assert.throws(() => new TextDecoder("utf-8", { fatal: true }).decode(broken));
	assert.ok(broken.toString().includes("\ufffd"));
});

test("an endless answer goes on until the client leaves", async () => {
	const stream = await client.chat(ask("endless", { stream: true }));
	const ended = assert.rejects(collect(stream), { name: "AbortError" });
	await fake.until((all) => all.at(-1).tokens > 1000);
	client.abort();
	await ended;
	await fake.until((all) => all.at(-1).closed === "by client");
});

test("an endless tool loop calls again whatever the result", async () => {
	const r = await client.chat({
		model: "toolloop",
		tools: [{ type: "function", function: { name: "current_time" } }],
		messages: [
			...ask("tools").messages,
			{ role: "tool", tool_name: "current_time", content: "12:00" },
		],
	});
	assert.equal(r.message.tool_calls[0].function.name, "current_time");
});

test("a fake that wants a key refuses any other", async () => {
	const closed = await start({ key: "k1" });
	try {
		const list = (key) => new Ollama({
			host: closed.url, headers: { Authorization: `Bearer ${key}` },
		}).list();
		await assert.rejects(list("k2"), { status_code: 401 });
		assert.ok((await list("k1")).models.length > 5);
	} finally {
		await closed.stop();
	}
});

test("a cut connection breaks the client", async () => {
	const stream = await client.chat(ask("cut", { stream: true }));
	await assert.rejects(collect(stream), TypeError);
	await fake.until((all) => all.at(-1).closed === "by fake");
});

test("an orderly end without the last line is told", async () => {
	const stream = await client.chat(ask("short", { stream: true }));
	await assert.rejects(collect(stream), /did not receive done/i);
});

test("a stall lasts until the client leaves, which is recorded", async () => {
	const stream = await client.chat(ask("stall", { stream: true }));
	const parts = [];
	const ended = assert.rejects(async () => {
		for await (const p of stream)
			parts.push(p);
	}, { name: "AbortError" });
	await fake.until(() => parts.length === 3);
	assert.equal(fake.requests.at(-1).closed, null);
	client.abort();
	await ended;
	await fake.until((all) => all.at(-1).closed === "by client");
	assert.equal(fake.requests.at(-1).tokens, 3);
});

test("an abort of a slow answer stops the fake's work", async () => {
	const stream = await client.chat(ask("slow", { stream: true }));
	const ended = assert.rejects(collect(stream), { name: "AbortError" });
	await fake.until((all) => all.at(-1).tokens >= 2);
	client.abort();
	await ended;
	await fake.until((all) => all.at(-1).closed === "by client");
	const seen = fake.requests.at(-1).tokens;
	await new Promise((done) => setTimeout(done, 200));
	assert.ok(fake.requests.at(-1).tokens <= seen + 1);
});

test("generate streams and answers whole", async () => {
	const parts = await collect(await client.generate(
	    { model: "llama3.2", prompt: "hi", stream: true }));
	assert.equal(parts.map((p) => p.response).join(""), TEXTS.ascii);
	const r = await client.generate({ model: "echo", prompt: "hi" });
	assert.equal(r.response, "hi");
});

test("embed gives one unit vector for each input", async () => {
	const { embeddings } = await client.embed(
	    { model: "llama3.2", input: ["a", "b", "a"] });
	assert.equal(embeddings.length, 3);
	assert.deepEqual(embeddings[0], embeddings[2]);
	assert.notDeepEqual(embeddings[0], embeddings[1]);
	assert.ok(Math.abs(Math.hypot(...embeddings[0]) - 1) < 1e-9);
});

test("what means the same is near, what does not is far", async () => {
	const { embeddings: [question, same, other] } = await client.embed({
		model: "llama3.2",
		input: ["Where did she buy the car?", "The automobile she purchased",
		    "Tulips need water"],
	});
	const near = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
	assert.ok(near(question, same) > 0.5);
	assert.ok(near(question, other) < 0.3);
	await assert.rejects(client.embed({ model: "nobody", input: "a" }),
	    { status_code: 404 });
});

test("pull reports progress, then the model is there; delete removes it", async () => {
	const steps = await collect(await client.pull({ model: "phi3", stream: true }));
	assert.equal(steps[0].status, "pulling manifest");
	assert.ok(steps.some((s) => s.completed > 0 && s.completed <= s.total));
	assert.equal(steps.at(-1).status, "success");
	assert.equal((await client.chat(ask("phi3"))).done, true);
	assert.deepEqual(await client.delete({ model: "phi3" }), { status: "success" });
	await assert.rejects(client.delete({ model: "phi3" }), { status_code: 404 });
	await assert.rejects(async () => collect(
	    await client.pull({ model: "missing", stream: true })),
	    /file does not exist/);
	await assert.rejects(async () => collect(
	    await client.pull({ model: "full", stream: true })), /no space left/);
	await assert.rejects(client.delete({ model: "full" }), { status_code: 404 });
	const endless = await client.pull({ model: "endless", stream: true });
	for await (const step of endless) {
		if (step.completed > 0)
			break;
	}
	endless.abort();
	await fake.until(() => fake.asked("/api/pull").at(-1).closed === "by client");
});

test("behaviours can be set for a new model", async () => {
	fake.behave("mine", { text: null, tokens: 3 });
	assert.equal((await client.chat(ask("mine"))).message.content,
	    "word1 word2 word3");
	fake.forget("mine");
	await assert.rejects(client.chat(ask("mine")), { status_code: 404 });
});

test("as a process it tells its port, obeys its control, and ends on SIGTERM",
    async () => {
	const child = spawn(process.execPath,
	    [new URL("./ollama.mjs", import.meta.url).pathname],
	    { stdio: ["ignore", "pipe", "inherit"] });
	try {
		const first = await new Promise((done) =>
			child.stdout.once("data", (d) => done(String(d))));
		const url = `http://127.0.0.1:${first.match(/^listening (\d+)\n$/)[1]}`;
		await fetch(`${url}/_fake/models/told`, {
			method: "PUT", body: JSON.stringify({ text: "as told" }),
		});
		const there = new Ollama({ host: url });
		assert.equal((await there.chat(ask("told"))).message.content, "as told");
		const seen = await (await fetch(`${url}/_fake/requests`)).json();
		assert.equal(seen[0].body.model, "told");
		assert.equal(seen[0].closed, "whole");
	} finally {
		child.kill("SIGTERM");
	}
	const [code] = await new Promise((done) =>
		child.once("exit", (...how) => done(how)));
	assert.equal(code, 0);
});
