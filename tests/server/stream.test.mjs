// How an answer reaches the people who wait for it: sockets, event streams,
// several tabs, several workers, and what happens when one of them goes.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import tls from "node:tls";
import { TEXTS, start as startOllama } from "../fake/ollama.mjs";
import { sleep, startServer, until } from "./harness.mjs";

let ollama, server;

before(async () => {
	ollama = await startOllama();
	server = await startServer({
		users: [{ username: "bob" }, { username: "eve" }],
		workers: 2,
		env: { LOCALNEURAL_PROVIDER: "ollama",
		    LOCALNEURAL_ALLOWED_ENDPOINTS: "http://127.0.0.1:*",
		    OLLAMA_API_URL: `http://127.0.0.1:${ollama.port}` },
	});
});
after(async () => {
	await server?.stop();
	await ollama?.stop();
});

const ask = (model, extra = {}) => ({ type: "user_message", prompt: "hello",
    model, temp_id: "t1", ...extra });

// Everything until the turn is over: { text, events, done }.
async function answer(ws, session_id) {
	const events = [];
	let text = "";
	for (;;) {
		const e = await ws.next((x) => session_id === undefined ||
		    x.session_id === undefined || x.session_id === session_id);
		events.push(e);
		if (e.type === "stream_chunk")
			text += e.chunk;
		if (e.type === "stream_done")
			return { text, events, done: e };
	}
}

describe("over a WebSocket", () => {
	it("an answer streams in and is saved", async () => {
		const bob = await server.login("bob");
		const ws = await bob.ws();
		ws.send(ask("unicode"));
		const { text, events, done } = await answer(ws);
		assert.equal(text, TEXTS.unicode);
		const types = events.map((e) => e.type);
		assert.equal(types[0], "session_created");
		assert.ok(types.includes("message_saved"));
		const saved = events.find((e) => e.type === "message_saved");
		assert.equal(saved.temp_id, "t1");
		assert.equal(done.finish_reason, "stop");
		const chunks = events.filter((e) => e.type === "stream_chunk");
		assert.equal(chunks.at(-1).seq, Buffer.byteLength(TEXTS.unicode));
		const r = await bob.get(`/api/sessions/${done.session_id}/messages`);
		assert.equal(r.status, 200);
		assert.deepEqual(r.json.map((m) => m.role), ["user", "assistant"]);
		assert.equal(r.json[1].content, TEXTS.unicode);
		assert.equal(r.json[1].id, done.db_id);
	});
	it("every tab of the person sees it, on whichever worker; nobody else " +
	    "does", async () => {
		const bob = await server.login("bob");
		const eve = await server.login("eve");
		const tabs = [];
		for (let i = 0; i < 6; i++)
			tabs.push(await bob.ws());
		const other = await eve.ws();
		tabs[0].send(ask("llama3.2"));
		for (const t of tabs)
			assert.equal((await answer(t)).text, TEXTS.ascii);
		await sleep(200);
		assert.deepEqual(other.events, []);
	});
	it("a provider that fails is an error event and a saved turn", async () => {
		const bob = await server.login("bob");
		const ws = await bob.ws();
		ws.send(ask("http500"));
		const { events, done } = await answer(ws);
		const e = events.find((x) => x.type === "error");
		assert.ok(e.error.length > 0);
		assert.doesNotMatch(JSON.stringify(events), /llama runner/);
		assert.equal(done.finish_reason, "error");
	});
	it("stop ends it soon and keeps what came", async () => {
		const bob = await server.login("bob");
		const ws = await bob.ws();
		ws.send(ask("slow"));
		const { session_id } = await ws.next("stream_chunk");
		const from = Date.now();
		ws.send({ type: "stop_generation", session_id });
		const done = await ws.next("stream_done");
		assert.ok(Date.now() - from < 2000);
		assert.equal(done.finish_reason, "stopped");
		const r = await bob.get(`/api/sessions/${session_id}/messages`);
		assert.ok(r.json[1].content.length > 0);
	});
	it("stop works from a tab on another worker", async () => {
		const bob = await server.login("bob");
		const ws = await bob.ws();
		ws.send(ask("slow"));
		const { session_id } = await ws.next("stream_chunk");
		for (let i = 0; i < 4; i++)
			(await bob.ws()).send({ type: "stop_generation", session_id });
		assert.equal((await ws.next("stream_done")).finish_reason, "stopped");
	});
	it("it goes on without the socket; a new one resumes and misses " +
	    "nothing, on any worker", async () => {
		const bob = await server.login("bob");
		const first = await bob.ws();
		first.send(ask("slow"));
		const { session_id } = await first.next("stream_chunk");
		let got = "", seq = 0;
		for (const e of first.events)
			if (e.type === "stream_chunk") {
				got += e.chunk;
				seq = e.seq;
			}
		first.terminate();
		await sleep(500);
		for (let i = 0; i < 4; i++) {
			const ws = await bob.ws();
			ws.send({ type: "resume", session_id, after: seq });
			// Live events may come first; the reply closes the gap.
			const e = await ws.next((x) => x.type === "stream_chunk" &&
			    x.from <= seq && x.seq > seq);
			got += Buffer.from(e.chunk).subarray(seq - e.from).toString();
			seq = e.seq;
			ws.terminate();
			await sleep(150);
		}
		const ws = await bob.ws();
		ws.send({ type: "resume", session_id, after: seq });
		for (;;) {
			const e = await ws.next((x) => ["stream_chunk", "stream_done"]
			    .includes(x.type));
			if (e.type === "stream_done")
				break;
			if (e.seq <= seq || e.from > seq)
				continue;
			const bytes = Buffer.from(e.chunk);
			got += bytes.subarray(seq - e.from).toString();
			seq = e.seq;
		}
		const r = await bob.get(`/api/sessions/${session_id}/messages`);
		assert.equal(got, r.json[1].content);
	});
	it("resuming a finished answer gives the rest and the end", async () => {
		const bob = await server.login("bob");
		const ws = await bob.ws();
		ws.send(ask("llama3.2"));
		const { session_id } = (await answer(ws)).done;
		const again = await bob.ws();
		again.send({ type: "resume", session_id, after: 10 });
		const chunk = await again.next("stream_chunk");
		assert.equal(chunk.chunk, TEXTS.ascii.slice(10));
		assert.equal((await again.next("stream_done")).finish_reason, "stop");
	});
	it("nobody resumes or stops what is another's", async () => {
		const bob = await server.login("bob");
		const eve = await server.login("eve");
		const ws = await bob.ws();
		ws.send(ask("slow"));
		const { session_id } = await ws.next("stream_chunk");
		for (let i = 0; i < 4; i++) {
			const spy = await eve.ws();
			spy.send({ type: "stop_generation", session_id });
			spy.send({ type: "resume", session_id, after: 0 });
			assert.equal((await spy.next()).type, "error");
			await sleep(50);
			assert.ok(spy.events.every((e) => e.type === "error"));
		}
		const before_ = ws.events.length;
		await until(() => ws.events.length > before_ + 2, "more chunks");
		ws.send({ type: "stop_generation", session_id });
		await ws.next("stream_done");
	});
	it("a blocked person's answer ends within a second, and the next " +
	    "message is refused", async () => {
		await server.add_user({ username: "dan" });
		const dan = await server.login("dan");
		const ws = await dan.ws();
		ws.send(ask("slow"));
		const { session_id } = await ws.next("stream_chunk");
		await server.lnctl_ok(["user", "block", "dan", "--json"]);
		const from = Date.now();
		await ws.next("stream_done");
		assert.ok(Date.now() - from < 2000);
		ws.send(ask("llama3.2", { session_id }));
		const e = await ws.next("error");
		assert.equal(e.error, "Your account has been blocked.");
		const r = await dan.get(`/api/sessions/${session_id}/messages`);
		assert.equal(r.status, 200);
		assert.ok(r.json[1].content.length > 0);
		assert.equal(r.json.length, 2);
	});
	it("a field of the wrong type is named", async () => {
		const bob = await server.login("bob");
		const ws = await bob.ws();
		ws.send(ask("llama3.2", { prompt: 1 }));
		assert.equal((await ws.next("error")).field, "prompt");
		ws.send(ask("llama3.2", { images: "x" }));
		assert.equal((await ws.next("error")).field, "images");
	});
});

describe("over POST /api/chat/stream", () => {
	it("the same events come as an event stream", async () => {
		const bob = await server.login("bob");
		const events = [];
		for await (const e of bob.stream("/api/chat/stream", ask("unicode")))
			events.push(e);
		assert.equal(events[0].type, "session_created");
		assert.equal(events.at(-1).type, "stream_done");
		assert.equal(events.filter((e) => e.type === "stream_chunk")
		    .map((e) => e.chunk).join(""), TEXTS.unicode);
	});
	it("a message of a megabyte goes in", async () => {
		const bob = await server.login("bob");
		const prompt = "x".repeat(900 * 1024);
		const events = [];
		for await (const e of bob.stream("/api/chat/stream",
		    ask("llama3.2", { prompt })))
			events.push(e);
		assert.equal(events.at(-1).finish_reason, "stop");
	});
	it("a client that leaves does not end the answer", async () => {
		const bob = await server.login("bob");
		const res = await bob.open("POST", "/api/chat/stream",
		    { json: ask("slow") });
		let text = "";
		await new Promise((done) => res.on("data", (d) => {
			text += d;
			if (text.includes("stream_chunk"))
				done();
		}));
		res.on("error", () => {});
		res.destroy();
		const { session_id } = JSON.parse(text.match(/data: (.*session_id.*)/)[1]);
		const read = async () => (await bob.get(
		    `/api/sessions/${session_id}/messages`)).json[1].content.length;
		const n = await read();
		await until(async () => await read() > n, "more of the answer");
		const ws = await bob.ws();
		ws.send({ type: "stop_generation", session_id });
		await sleep(500);
	});
	it("the connection can be used again afterwards", async () => {
		const bob = await server.login("bob");
		const body = JSON.stringify(ask("llama3.2"));
		const s = tls.connect({ port: server.port, host: "127.0.0.1",
		    ca: server.ca, servername: "localhost" });
		let text = "";
		s.on("data", (d) => text += d);
		s.write("POST /api/chat/stream HTTP/1.1\r\n" +
		    `Host: ${server.host}\r\nCookie: ${bob.cookie_header()}\r\n` +
		    "Content-Type: application/json\r\nX-Requested-With: " +
		    "XMLHttpRequest\r\n" +
		    `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
		await until(() => text.endsWith("0\r\n\r\n"), "the end of the stream");
		assert.match(text, /transfer-encoding: chunked/);
		text = "";
		s.write(`GET /healthz HTTP/1.1\r\nHost: ${server.host}\r\n\r\n`);
		await until(() => text.includes("ok\n"), "the second answer");
		s.destroy();
	});
	it("a missing conversation is 404, a wrong field 400, before any stream",
	    async () => {
		const bob = await server.login("bob");
		assert.equal((await bob.post("/api/chat/stream",
		    ask("llama3.2", { session_id: "nowhere" }))).status, 404);
		assert.equal((await bob.post("/api/chat/stream",
		    ask("llama3.2", { prompt: [] }))).status, 400);
	});
});

describe("what is deleted while it is written", () => {
	const upstream = (prompt) => ollama.requests.find((r) =>
	    r.body?.messages?.at(-1)?.content === prompt);
	const rows = async (ids) => (await server.sql("SELECT " +
	    ["message", "generation", "conversation_tag"].map((t) =>
	    `(SELECT count(*) FROM ${t} WHERE conversation_id IN (${ids
	        .map((id) => `'${id}'`)}))`).join("+") +
	    "+ (SELECT count(*) FROM search_queue) AS n"))[0].n;
	// Nothing of them comes back when the provider has been left.
	const assert_gone = async (ids, prompts) => {
		assert.equal(await rows(ids), 0);
		for (const prompt of prompts)
			await until(() => upstream(prompt).closed === "by client",
			    `the provider left: ${prompt}`);
		assert.equal(await rows(ids), 0);
	};

	const by_its_person = async (client, name) => {
		const r = await client.post("/api/account/delete",
		    { password: server.passwords[name] });
		assert.equal(r.status, 200, r.text);
	};
	const by_the_shell = (_client, name) => server.lnctl_ok(["user", "delete",
	    name, "--confirm", name, "--json"]);
	const by_an_admin = async (client) => {
		const { user_id } = (await client.get("/api/auth/me")).json;
		const root = await server.login();
		const r = await root.delete(`/api/admin/users/${user_id}`);
		assert.equal(r.status, 200, r.text);
	};

	const delete_account = async (name, remove) => {
		await server.add_user({ username: name });
		const client = await server.login(name);
		const sockets = [], events = [];
		for (let i = 0; i < 4; i++)
			sockets.push(await client.ws());
		sockets[0].send(ask("slow", { prompt: `${name} 1` }));
		const { session_id } = await sockets[0].next("stream_chunk");
		let begun;
		const first = new Promise((done) => begun = done);
		const script = (async () => {
			for await (const e of client.stream("/api/chat/stream",
			    ask("slow", { prompt: `${name} 2` }))) {
				events.push(e);
				if (e.type === "stream_chunk")
					begun();
			}
		})();
		await first;
		await remove(client, name);
		await script;
		for (const ws of sockets)
			assert.equal((await ws.closed).code, 1008);
		assert.equal((await client.get("/api/auth/me")).status, 401);
		assert.equal(events.at(-1).finish_reason, "error");
		await assert_gone([session_id, events[0].session_id],
		    [`${name} 1`, `${name} 2`]);
		assert.deepEqual(await server.sql(
		    `SELECT 1 FROM user WHERE username = '${name}'`), []);
	};

	it("an account, whoever does it: streams end, sockets close", () =>
	    Promise.all([["ida", by_its_person], ["sol", by_the_shell],
	        ["ole", by_an_admin]].map((a) => delete_account(...a))));
	it("a conversation, alone or with others: its answer ends", async () => {
		const bob = await server.login("bob");
		const ws = await bob.ws();
		const begin = async (prompt) => {
			ws.send(ask("slow", { prompt }));
			const { session_id } = await ws.next("session_created");
			await ws.next((e) => e.type === "stream_chunk" &&
			    e.session_id === session_id);
			return session_id;
		};
		ws.send(ask("llama3.2"));
		const idle = (await answer(ws)).done.session_id;
		const ids = [await begin("gone 1"), await begin("gone 2"),
		    await begin("gone 3")];
		await bob.post(`/api/sessions/${ids[0]}/tags`, { tag: "t" });
		// Another one's among them: none of them ends.
		const eve = await server.login("eve");
		assert.equal((await eve.post("/api/bulk-delete", { ids })).status, 404);
		let r = await bob.delete(`/api/sessions/${ids[0]}`);
		assert.equal(r.status, 200, r.text);
		r = await bob.post("/api/bulk-delete", { ids: [ids[1], idle, ids[2]] });
		assert.equal(r.status, 200, r.text);
		const over = new Set();
		while (over.size < 3) {
			const e = await ws.next("stream_done");
			assert.equal(e.finish_reason, "error");
			over.add(e.session_id);
		}
		assert.deepEqual([...over].sort(), [...ids].sort());
		await assert_gone([...ids, idle], ["gone 1", "gone 2", "gone 3"]);
		assert.equal((await bob.get(`/api/sessions/${ids[0]}/messages`)).status,
		    404);
		// And the server goes on.
		ws.send(ask("llama3.2"));
		assert.equal((await answer(ws)).text, TEXTS.ascii);
	});
});

describe("the offline provider", () => {
	it("answers over the socket and says that no model is connected",
	    async () => {
		const bob = await server.login("bob");
		const ws = await bob.ws();
		ws.send(ask(undefined, { provider: "offline",
		    prompt: "how do I make a backup?" }));
		const { text, done } = await answer(ws);
		assert.match(text, /no language model/i);
		assert.equal(done.finish_reason, "stop");
	});
});

describe("the end of the server", () => {
	it("keeps what an answer had", async () => {
		const own = await startServer({ users: [{ username: "bob" }],
		    env: { LOCALNEURAL_PROVIDER: "ollama",
			LOCALNEURAL_ALLOWED_ENDPOINTS: "http://127.0.0.1:*",
			OLLAMA_API_URL: `http://127.0.0.1:${ollama.port}` } });
		const bob = await own.login("bob");
		const ws = await bob.ws();
		ws.send(ask("slow"));
		const { session_id } = await ws.next("stream_chunk");
		await sleep(300);
		await own.stop();
		await own.start();
		const again = await own.login("bob");
		const r = await again.get(`/api/sessions/${session_id}/messages`);
		assert.ok(r.json[1].content.length > 0);
		assert.notEqual(r.json[1].state, "streaming");
		await own.stop();
	});
});

