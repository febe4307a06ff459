// A model gives a conversation its title, after the first answer.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { start as startFake } from "../fake/ollama.mjs";
import { ask_ws, of } from "./ask.mjs";
import { sleep, startServer, until } from "./harness.mjs";

let fake, server, ann;

before(async () => {
	fake = await startFake();
	server = await startServer({
		users: [{ username: "ann" }],
		env: { LOCALNEURAL_AUTO_TITLE: "1" },
	});
	await server.lnctl_ok(["provider", "set", "ollama", "--global",
	    "--base-url", fake.url, "-m", "namer", "--json"]);
	fake.behave("namer", { text: "\"Light and Air\".\n\nA good title.",
		capabilities: ["completion", "tools"] });
	ann = await server.login("ann");
});
beforeEach(() => {
	fake.requests.length = 0;
});
after(async () => {
	await server.stop().finally(() => fake.stop());
});

const title_of = async (id) => (await ann.get(`/api/chat/${id}`)).json.title;
const asked = () => fake.requests.filter((r) => r.body?.stream === false);

test("the title comes after the answer, one clean line", async () => {
	const ws = await ann.ws();
	ws.send({ type: "user_message", prompt: "Why is the sky blue?" });
	const events = await ws.collect("stream_done");
	assert.equal(of(events, "session_created")[0].title, "Why is the sky blue?");
	assert.equal(of(events, "title_updated").length, 0);
	const { session_id, title } = await ws.next("title_updated");
	assert.equal(title, "Light and Air");
	assert.equal(await title_of(session_id), "Light and Air");
	// Its own small prompt: no tools, no stream, and both turns.
	assert.equal(asked().length, 1);
	const { body } = asked()[0];
	assert.equal(body.tools, undefined);
	assert.ok(body.messages.at(-1).content.includes("Why is the sky blue?"));

	// Only once.
	ws.send({ type: "user_message", prompt: "And red?", session_id });
	await ws.collect("stream_done");
	await sleep(300);
	assert.equal(asked().length, 1);
	await ws.close();
});

test("a title that the person gave meanwhile stays", async () => {
	fake.behave("sleepy", { text: "Machine Title", first_ms: 1000 });
	const events = await ask_ws(ann, { prompt: "Hello", model: "sleepy" });
	const id = of(events, "session_created")[0].session_id;
	assert.equal((await ann.post(`/api/rename/${id}`, { title: "Mine" })).status, 200);
	await until(() => asked().length === 1 && asked()[0].closed !== null, "the title");
	await sleep(300);
	assert.equal(await title_of(id), "Mine");
});

test("the next question need not wait for the title", async () => {
	fake.behave("sleepy", { text: "Machine Title", first_ms: 1000 });
	const ws = await ann.ws();
	ws.send({ type: "user_message", prompt: "One", model: "sleepy" });
	const { session_id } = await ws.next("session_created");
	await ws.next("stream_done");
	ws.send({ type: "user_message", prompt: "Two", model: "namer", session_id });
	await ws.next("message_saved");
	await ws.next("stream_done");
	assert.equal((await ann.get(`/api/chat/${session_id}`)).json.messages.length, 4);
	await ws.close();
});

test("a provider that gives none is no error", async () => {
	fake.behave("fickle", {});
	const ws = await ann.ws();
	ws.send({ type: "user_message", prompt: "Hello there", model: "fickle" });
	const { session_id } = await ws.next("session_created");
	fake.behave("fickle", { status: 500, first_ms: 0 });
	const events = await ws.collect((e) => e.type === "stream_done" || e.type === "error");
	await sleep(500);
	assert.equal(await title_of(session_id), "Hello there");
	assert.ok(events.length > 0);
	await ws.close();
});

test("who does not want one is not given one", async () => {
	const title = async () => {
		const ws = await ann.ws();
		ws.send({ type: "user_message", prompt: "Why so quiet?" });
		const { session_id } = await ws.next("session_created");
		await ws.next("stream_done");
		if (await wants())
			await ws.next("title_updated");
		await ws.close();
		return title_of(session_id);
	};
	const wants = async () => (await ann.get("/api/user/settings")).json
	    .auto_title !== false;

	await ann.post("/api/user/settings", { auto_title: false });
	assert.equal(await title(), "Why so quiet?");
	assert.equal(asked().length, 0);
	await ann.post("/api/user/settings", { auto_title: null });
	assert.equal(await title(), "Light and Air");
});

test("a script's stream ends with the answer", async () => {
	fake.behave("sleepy", { text: "Machine Title", first_ms: 1500 });
	const events = [];
	for await (const e of ann.stream("/api/chat/stream", { prompt: "x", model: "sleepy" }))
		events.push(e);
	assert.equal(events.at(-1).type, "stream_done");
});
