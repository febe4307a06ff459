// One product with two faces: what is said in a browser is there in the shell,
// and the other way round.  With a model server that behaves, and misbehaves.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { TEXTS, start as startFake } from "../fake/ollama.mjs";
import { ask_ws, messages, of } from "./ask.mjs";
import { sleep, startServer, text_of, until } from "./harness.mjs";

let fake, server, ann;

before(async () => {
	fake = await startFake();
	server = await startServer({ users: [{ username: "ann" }] });
	await server.lnctl_ok(["provider", "set", "ollama", "--global",
	    "--base-url", fake.url, "-m", "llama3.2", "--json"]);
	ann = await server.login("ann");
});
beforeEach(() => {
	fake.requests.length = 0;
});
after(async () => {
	await server.stop().finally(() => fake.stop());
});

test("an answer streams over the WebSocket, is saved, and shows in the shell",
    async () => {
	const ws = await ann.ws();
	ws.send({ type: "user_message", prompt: "Why is the sky blue?", temp_id: "t1" });
	const created = await ws.next("session_created");
	const saved = await ws.next("message_saved");
	assert.equal(saved.temp_id, "t1");
	assert.ok(Number.isInteger(saved.db_id));
	const events = await ws.collect("stream_done");
	const done = events.at(-1);
	assert.equal(text_of(events), TEXTS.ascii);
	assert.equal(done.session_id, created.session_id);
	assert.equal(done.finish_reason, "stop");
	assert.ok(done.tokens > 0 && done.prompt_tokens > 0);
	await ws.close();

	const saved_messages = await messages(ann, created.session_id);
	assert.deepEqual(saved_messages.map((m) => [m.role, m.content]), [
		["user", "Why is the sky blue?"], ["assistant", TEXTS.ascii],
	]);
	assert.equal(saved_messages[0].id, saved.db_id);
	assert.equal(saved_messages[1].id, done.db_id);
	assert.equal(saved_messages[1].model, "llama3.2");

	const shown = await server.lnctl_ok(["history", "show",
	    created.session_id, "--user", "ann", "--json"]);
	assert.ok(shown.stdout.includes("Why is the sky blue?"));
	assert.ok(shown.stdout.includes(TEXTS.ascii));
});

test("sequence numbers of the chunks join without a gap", async () => {
	const events = await ask_ws(ann, { prompt: "seq", model: "unicode" });
	const chunks = of(events, "stream_chunk");
	let at = 0;
	for (const c of chunks) {
		at += Buffer.byteLength(c.chunk);
		assert.equal(c.seq, at);
	}
	assert.equal(text_of(events), TEXTS.unicode);
});

test("lnctl ask saves, and the browser shows it", async () => {
	const r = await server.lnctl_ok(["ask", "What is a tree?", "--user", "ann"]);
	assert.equal(r.stdout.trim(), TEXTS.ascii);
	const list = (await ann.get("/api/history")).json;
	const chat = await messages(ann, list[0].id);
	assert.deepEqual(chat.map((m) => [m.role, m.content]), [
		["user", "What is a tree?"], ["assistant", TEXTS.ascii],
	]);
});

test("lnctl ask reads standard input, and joins it to its words", async () => {
	const one = await server.lnctl_ok(["ask", "-", "--user", "ann", "-m", "echo"],
	    { stdin: "only this\n" });
	assert.equal(one.stdout.trim(), "only this");
	const both = await server.lnctl_ok(
	    ["ask", "review this", "--user", "ann", "-m", "echo"],
	    { stdin: "diff --git a b\n" });
	assert.match(both.stdout, /review this/);
	assert.match(both.stdout, /diff --git a b/);
});

test("lnctl chat goes on with a conversation of the browser, and back",
    async () => {
	const events = await ask_ws(ann, { prompt: "first", model: "echo" });
	const id = of(events, "session_created")[0].session_id;
	const r = await server.lnctl_ok(
	    ["chat", "--id", id, "--user", "ann", "-m", "echo"],
	    { stdin: "second\n" });
	assert.match(r.stdout, /second/);
	const more = await ask_ws(ann, { prompt: "third", session_id: id, model: "echo" });
	assert.equal(of(more, "session_created").length, 0);
	assert.deepEqual((await messages(ann, id)).map((m) => m.content),
	    ["first", "first", "second", "second", "third", "third"]);
	// The model was told the whole conversation each time.
	const last = fake.asked("/api/chat").findLast((q) =>
		q.body.messages.at(-1)?.content === "third");
	assert.deepEqual(last.body.messages.filter((m) => m.role !== "system")
	    .map((m) => m.content),
	    ["first", "first", "second", "second", "third"]);
});

test("the same stream comes over plain HTTP", async () => {
	const events = [];
	for await (const e of ann.stream("/api/chat/stream",
	    { prompt: "by HTTP", model: "unicode" }))
		events.push(e);
	assert.equal(text_of(events), TEXTS.unicode);
	assert.equal(events.at(-1).type, "stream_done");
	const id = of(events, "session_created")[0].session_id;
	assert.equal((await messages(ann, id))[1].content, TEXTS.unicode);
});

test("bytes that arrive one by one make the same answer", async () => {
	const events = await ask_ws(ann, { prompt: "bytes", model: "bytes" });
	assert.equal(text_of(events), TEXTS.unicode);
});

test("markup and control characters are kept in the database, not obeyed by a terminal",
    async () => {
	const events = await ask_ws(ann, { prompt: "x", model: "hostile" });
	assert.equal(text_of(events), TEXTS.hostile);
	const id = of(events, "session_created")[0].session_id;
	assert.equal((await messages(ann, id))[1].content, TEXTS.hostile);
	const r = await server.lnctl_ok(["ask", "x", "--user", "ann", "-m", "hostile"]);
	assert.doesNotMatch(r.stdout, /[\u001b\u0007\u202e]/);
	assert.match(r.stdout, /Red: /);
});

test("stop ends the upstream and keeps what came", async () => {
	const ws = await ann.ws();
	ws.send({ type: "user_message", prompt: "slow", model: "slow" });
	const { session_id } = await ws.next("session_created");
	await ws.next("stream_chunk");
	await ws.next("stream_chunk");
	ws.send({ type: "stop_generation", session_id });
	const done = await ws.next("stream_done");
	assert.equal(done.finish_reason, "stopped");
	await fake.until((all) => all.at(-1).closed === "by client");
	assert.ok(fake.requests.at(-1).tokens < 100);
	const kept = (await messages(ann, session_id))[1].content;
	assert.match(kept, /^word1 word2/);
	await ws.close();
});

test("a closed tab loses nothing: the answer goes on and can be resumed",
    async () => {
	fake.behave("steady", { text: null, tokens: 30, delay_ms: 30 });
	const ws = await ann.ws();
	ws.send({ type: "user_message", prompt: "go", model: "steady" });
	const { session_id } = await ws.next("session_created");
	const first = await ws.next("stream_chunk");
	ws.terminate();
	await sleep(200);
	const again = await ann.ws();
	again.send({ type: "resume", session_id, after: first.seq });
	const events = await again.collect("stream_done");
	const whole = Array.from({ length: 30 }, (_, i) => `word${i + 1}`).join(" ");
	// Live chunks may come before the resumed ones; offsets say where each
	// belongs.
	const text = Buffer.alloc(whole.length);
	text.write(whole.slice(0, first.seq), "latin1");
	for (const c of of(events, "stream_chunk"))
		text.write(c.chunk, c.seq - Buffer.byteLength(c.chunk), "latin1");
	assert.equal(text.toString("latin1"), whole);
	await until(async () =>
		(await messages(ann, session_id))[1].content === whole, "the saved answer");
	await again.close();
});

for (const [model, sentence] of [
	["nobody", /nobody|model/i],
	["http500", /./],
	["http429", /Try again in 7 seconds/],
	["errline", /./],
	["badline", /./],
	["cut", /./],
	["short", /./],
]) {
	test(`${model}: an error event, what came is kept, nothing of the inside is told`,
	    async () => {
		const ws = await ann.ws();
		ws.send({ type: "user_message", prompt: model, model });
		const { session_id } = await ws.next("session_created");
		const error = await ws.next("error");
		assert.match(error.error, sentence);
		assert.doesNotMatch(error.error,
		    /CUDA|127\.0\.0\.1|sqlite|SELECT|\.c:|runner process/i);
		const chat = await messages(ann, session_id);
		assert.equal(chat[0].content, model);
		// The conversation goes on.
		ws.send({ type: "user_message", prompt: "again", session_id, model: "echo" });
		await ws.next((e) => e.type === "stream_done" && e.finish_reason === "stop");
		assert.equal((await messages(ann, session_id)).at(-1).content, "again");
		await ws.close();
	});
}

test("lnctl ask: a missing model is exit 4, a failing one exit 8, with advice",
    async () => {
	for (const [model, code] of [["nobody", 4], ["http500", 8], ["errline", 8],
	    ["cut", 8], ["short", 8]]) {
		const r = await server.lnctl(["ask", "x", "--user", "ann", "-m", model]);
		assert.equal(r.code, code, `${model}: ${r.stderr}`);
		assert.match(r.stderr, /^lnctl: .+\.$/m);
		assert.doesNotMatch(r.stderr, /CUDA|runner process/);
	}
});

test("a provider that is down is said in one sentence, in both faces", async () => {
	const gone = await startFake();
	await gone.stop();
	await server.lnctl_ok(["provider", "set", "ollama", "--global",
	    "--base-url", gone.url, "-m", "llama3.2", "--json"]);
	try {
		const root = await server.login();
		const events = await ask_ws(root, { prompt: "anybody there?" });
		assert.equal(events.at(-1).type, "error");
		assert.doesNotMatch(events.at(-1).error, /127\.0\.0\.1/);
		const r = await server.lnctl(["ask", "x", "--user", "ann"]);
		assert.equal(r.code, 8, r.stderr);
		assert.match(r.stderr, /^lnctl: .+\.$/m);
	} finally {
		await server.lnctl_ok(["provider", "set", "ollama", "--global",
		    "--base-url", fake.url, "-m", "llama3.2", "--json"]);
	}
});
