// Models call tools, people decide about them, and a stop is felt at once.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import path from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { TEXTS, start as startFake } from "../fake/ollama.mjs";
import { ask_ws, messages, of } from "./ask.mjs";
import { BIN, sleep, startServer, text_of, until } from "./harness.mjs";

const CLOSE_MS = 200;	// of issue 4: from the stop to the closed connection

let fake, server, ann, bob;

before(async () => {
	fake = await startFake();
	server = await startServer({ users: [{ username: "ann" }, { username: "bob" }] });
	await server.lnctl_ok(["provider", "set", "ollama", "--global",
	    "--base-url", fake.url, "-m", "llama3.2", "--json"]);
	ann = await server.login("ann");
	bob = await server.login("bob");
	// A tool of everybody that asks first; it has no endpoint.
	execFileSync("sqlite3", [server.db, `INSERT INTO tool(id, name, description,
	    definition, is_enabled, asks_first, created_ms) VALUES ('t1', 'open_door',
	    'Opens a door', '{"name":"open_door","description":"Opens a door",
	    "parameters":{"type":"object","properties":{}}}', 1, 1, 1)`]);
	fake.behave("door", {
		capabilities: ["completion", "tools"],
		tool_calls: [{ name: "open_door", arguments: {} }],
	});
});
beforeEach(() => {
	fake.requests.length = 0;
});
after(async () => {
	await server.stop().finally(() => fake.stop());
});

describe("a model that calls a tool", () => {
	test("gets its result, and the person sees the run, then and later", async () => {
		const events = await ask_ws(ann, { prompt: "What time is it?", model: "tools" });
		const [running, done] = of(events, "tool_call");
		assert.equal(running.name, "current_time");
		assert.equal(running.status, "running");
		assert.deepEqual(JSON.parse(running.arguments), { zone: "UTC" });
		assert.equal(done.status, "done");
		assert.equal(done.call_id, running.call_id);
		assert.match(done.result, /rfc3339/);
		assert.equal(done.error, null);
		assert.equal(text_of(events), TEXTS.ascii);

		const [first, second] = fake.requests;
		assert.ok(first.body.tools.some((t) => t.function.name === "current_time"));
		assert.deepEqual(second.body.messages.slice(-2).map((m) => m.role),
		    ["assistant", "tool"]);
		assert.equal(second.body.messages.at(-1).content, done.result);

		const id = of(events, "session_created")[0].session_id;
		const answer = (await messages(ann, id))[1];
		assert.equal(answer.id, running.db_id);
		assert.deepEqual(answer.tools, [{
			call_id: done.call_id, name: "current_time",
			arguments: running.arguments, status: "done",
			result: done.result, error: null,
		}]);
		// In the audit log: who, and which tool.
		const [row] = await server.sql(`SELECT a.target, a.outcome, u.username
		    FROM audit a JOIN user u ON u.id = a.actor_id
		    WHERE a.action = 'tool.run' ORDER BY a.id LIMIT 1`);
		assert.deepEqual(row, { target: "current_time", outcome: "ok", username: "ann" });
		// The tokens of both requests.
		const end = events.at(-1);
		assert.ok(end.prompt_tokens > second.body.messages.length);
		const [history] = (await ann.get("/api/history")).json;
		assert.equal(history.total_tokens, end.tokens + end.prompt_tokens);
	});

	test("without end is stopped after five rounds with a clear sentence", async () => {
		const events = await ask_ws(ann, { prompt: "loop", model: "toolloop" });
		assert.match(of(events, "error")[0].error,
		    /kept asking for tools and was stopped after five rounds/);
		assert.equal(fake.requests.length, 6);
		const id = of(events, "session_created")[0].session_id;
		const saved = await until(async () => {
			const m = (await messages(ann, id))[1];
			return m.state === "failed" && m;
		}, "the failed answer");
		assert.equal(saved.tools.length, 5);
		// Who comes back later is told the same.
		assert.equal(saved.error, of(events, "error")[0].error);
	});

	test("can be offered none", async () => {
		const events = await ask_ws(ann, { prompt: "x", model: "tools", tools: false });
		assert.equal(of(events, "tool_call").length, 0);
		assert.equal(fake.requests.length, 1);
		assert.equal(fake.requests[0].body.tools, undefined);
	});
});

test("a model that takes no tools is asked without them", async () => {
	fake.behave("plain", {});
	const events = await ask_ws(ann, { prompt: "x", model: "plain" });
	assert.equal(text_of(events), TEXTS.ascii);
	assert.equal(of(events, "error").length, 0);
	assert.equal(fake.requests.at(-1).body.tools, undefined);
	// A refusal is remembered by the worker that got it.
	fake.requests.length = 0;
	for (let i = 0; i < 6; i++)
		await ask_ws(ann, { prompt: "x", model: "plain" });
	assert.ok(fake.requests.length < 12, `${fake.requests.length} requests`);
});

test("what a model thought is shown, and kept apart from its answer", async () => {
	const events = await ask_ws(ann, { prompt: "x", model: "qwen3" });
	const thought = of(events, "thinking").map((e) => e.chunk).join("");
	assert.equal(thought, "Let me think about that. Done.");
	assert.equal(text_of(events), TEXTS.ascii);
	const id = of(events, "session_created")[0].session_id;
	const answer = (await messages(ann, id))[1];
	assert.equal(answer.thinking, thought);
	assert.equal(answer.content, TEXTS.ascii);
});

describe("a tool that asks first", () => {
	async function asked() {
		const ws = await ann.ws();
		ws.send({ type: "user_message", prompt: "Open it", model: "door" });
		const { session_id } = await ws.next("session_created");
		const call = await ws.next("tool_call");
		assert.equal(call.status, "asking");
		assert.equal(call.name, "open_door");
		return { ws, session_id, call_id: call.call_id };
	}

	test("runs when another tab of the person allows it", async () => {
		const { ws, session_id, call_id } = await asked();
		const other = await ann.ws();
		other.send({ type: "tool_decision", session_id, call_id, allow: true });
		const calls = of(await ws.collect("stream_done"), "tool_call");
		assert.deepEqual(calls.map((e) => e.status), ["running", "failed"]);
		// It has no endpoint: said to the person and to the model.
		assert.equal(fake.requests.at(-1).body.messages.at(-1).content, calls[1].error);
		await ws.close();
		await other.close();
	});

	test("does not run when denied, and a script hears 404 about what does not ask",
	    async () => {
		const { ws, session_id, call_id } = await asked();
		const decide = (who, body) => who.post("/api/chat/tool", body);
		for (const [who, body] of [
			[bob, { session_id, call_id, allow: true }],
			[ann, { session_id, call_id: call_id + 1000, allow: true }],
			[ann, { session_id: "nosuch", call_id, allow: true }],
		])
			assert.equal((await decide(who, body)).status, 404);
		for (const [body, field] of [
			[{ call_id, allow: true }, "session_id"],
			[{ session_id, call_id: "1", allow: true }, "call_id"],
			[{ session_id, call_id, allow: "yes" }, "allow"],
		]) {
			const r = await decide(ann, body);
			assert.equal(r.status, 400);
			assert.equal(r.json.field, field);
		}
		assert.equal((await decide(ann, { session_id, call_id, allow: false })).status, 200);
		const calls = of(await ws.collect("stream_done"), "tool_call");
		assert.deepEqual(calls.map((e) => e.status), ["denied"]);
		assert.match(calls[0].error, /did not allow/);
		const [run] = (await messages(ann, session_id))[1].tools;
		assert.deepEqual([run.status, run.result, run.error],
		    ["denied", null, calls[0].error]);
		assert.equal((await decide(ann, { session_id, call_id, allow: true })).status, 404);
		await ws.close();
	});

	test("does not hold up a stop", async () => {
		const { ws, session_id } = await asked();
		ws.send({ type: "stop_generation", session_id });
		const events = await ws.collect("stream_done");
		assert.equal(of(events, "tool_call")[0].status, "failed");
		assert.equal(events.at(-1).finish_reason, "stopped");
		await ws.close();
	});
});

describe("a stop is felt by the provider at once", () => {
	async function closed_within(record, begin) {
		await fake.until(() => record().closed === "by client");
		assert.ok(record().closed_ms - begin <= CLOSE_MS,
		    `it took ${record().closed_ms - begin} ms`);
	}
	const slow = () => fake.requests.findLast((r) => r.tokens > 0);

	test("from the WebSocket", async () => {
		const ws = await ann.ws();
		ws.send({ type: "user_message", prompt: "x", model: "slow" });
		const { session_id } = await ws.next("session_created");
		await ws.next("stream_chunk");
		const begin = Date.now();
		ws.send({ type: "stop_generation", session_id });
		await closed_within(slow, begin);
		await ws.close();
	});

	test("before its first word as well", async () => {
		fake.behave("mute", { first_ms: 3000, capabilities: ["completion", "tools"] });
		const ws = await ann.ws();
		ws.send({ type: "user_message", prompt: "x", model: "mute" });
		const { session_id } = await ws.next("session_created");
		await fake.until((all) => all.length === 1);
		const begin = Date.now();
		ws.send({ type: "stop_generation", session_id });
		await closed_within(() => fake.requests[0], begin);
		await ws.close();
	});

	test("from Ctrl-C in the shell, which keeps what came", async () => {
		const child = spawn(path.join(BIN, "lnctl"), ["--env-file", server.env_file,
		    "--db", server.db, "ask", "x", "--user", "ann", "-m", "slow"],
		    { env: { ...process.env, ...server.env }, cwd: server.dir,
		      stdio: ["ignore", "pipe", "pipe"] });
		const over = new Promise((done) => child.on("close", done));
		await fake.until((all) => all.some((r) => r.tokens >= 3));
		const begin = Date.now();
		child.kill("SIGINT");
		await closed_within(slow, begin);
		assert.equal(await over, 130);
		const [newest] = (await ann.get("/api/history")).json;
		const answer = (await messages(ann, newest.id))[1];
		assert.equal(answer.state, "stopped");
		assert.match(answer.content, /^word1 word2/);
	});
});

describe("an answer that was stopped", () => {
	async function stopped() {
		const ws = await ann.ws();
		ws.send({ type: "user_message", prompt: "count", model: "slow" });
		const { session_id } = await ws.next("session_created");
		await ws.next("stream_chunk");
		ws.send({ type: "stop_generation", session_id });
		await ws.collect("stream_done");
		return { ws, session_id, answer: (await messages(ann, session_id))[1] };
	}

	test("is gone on with in the same message", async () => {
		const { ws, session_id, answer } = await stopped();
		ws.send({ type: "continue", session_id, model: "llama3.2" });
		const events = await ws.collect("stream_done");
		assert.equal(of(events, "stream_chunk")[0].from, Buffer.byteLength(answer.content));
		assert.equal(events.at(-1).db_id, answer.id);
		const all = await messages(ann, session_id);
		assert.equal(all.length, 2);
		assert.equal(all[1].content, answer.content + TEXTS.ascii);
		assert.equal(all[1].state, "complete");
		const sent = fake.requests.at(-1).body.messages;
		assert.equal(sent.at(-2).content, answer.content);
		assert.match(sent.at(-1).content, /exactly where it ended/);
		// Whole now: nothing to go on with.
		ws.send({ type: "continue", session_id });
		assert.match((await ws.next("error")).error, /no answer to go on with/);
		await ws.close();
	});

	test("is gone on with by a script, too", async () => {
		const { ws, session_id, answer } = await stopped();
		await ws.close();
		const events = [];
		for await (const e of ann.stream("/api/chat/stream",
		    { session_id, model: "llama3.2", continue: true }))
			events.push(e);
		assert.equal(events.at(-1).type, "stream_done");
		assert.equal((await messages(ann, session_id))[1].content,
		    answer.content + TEXTS.ascii);
		const r = await ann.post("/api/chat/stream", { session_id, continue: true });
		assert.equal(r.status, 404);
	});
});

test("a slow tool keeps no other answer waiting", async () => {
	const ws = await ann.ws();
	ws.send({ type: "user_message", prompt: "Open it", model: "door" });
	const { session_id } = await ws.next("session_created");
	await ws.next("tool_call");
	const events = await ask_ws(ann, { prompt: "x", model: "llama3.2" });
	assert.equal(text_of(events.filter((e) => e.session_id !== session_id)), TEXTS.ascii);
	await sleep(50);
	ws.send({ type: "stop_generation", session_id });
	await ws.close();
});
