// On a fresh machine the built-in provider answers, in both faces, and says
// that no language model is connected.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ask_ws, messages, of } from "./ask.mjs";
import { startServer, text_of } from "./harness.mjs";

const NO_MODEL = /no (language )?model/i;

let server, ann;

before(async () => {
	server = await startServer({ users: [{ username: "ann" }, { username: "bob" }] });
	ann = await server.login("ann");
});
after(() => server.stop());

test("it answers over the WebSocket, says that no model is connected, and saves",
    async () => {
	const events = await ask_ws(ann, { prompt: "How do I reset a password?" });
	assert.equal(events.at(-1).type, "stream_done");
	assert.ok(of(events, "stream_chunk").length > 1, "it streams");
	const text = text_of(events);
	assert.match(text, NO_MODEL);
	const id = of(events, "session_created")[0].session_id;
	assert.equal((await messages(ann, id))[1].content, text);
	const shown = await server.lnctl_ok(["history", "show", id, "--user", "ann"]);
	assert.match(shown.stdout, NO_MODEL);
});

test("it quotes the person's own messages, never another's", async () => {
	await ask_ws(ann, { prompt: "Remember: the zanzibar code is 4711." });
	const mine = text_of(await ask_ws(ann, { prompt: "what is the zanzibar code" }));
	assert.match(mine, /4711/);
	const bob = await server.login("bob");
	const other = text_of(await ask_ws(bob, { prompt: "what is the zanzibar code" }));
	assert.doesNotMatch(other, /4711/);
});

test("lnctl ask answers the same way, and the browser shows it", async () => {
	const r = await server.lnctl_ok(["ask", "How do I make a backup?", "--user", "ann"]);
	assert.match(r.stdout, NO_MODEL);
	const list = (await ann.get("/api/history")).json;
	const chat = await messages(ann, list[0].id);
	assert.equal(chat[0].content, "How do I make a backup?");
	assert.match(chat[1].content, NO_MODEL);
});

test("the shell works with the server down, and the server finds it", async () => {
	await server.stop();
	await server.lnctl_ok(["ask", "asked while it was down", "--user", "ann"]);
	await server.start();
	const again = await server.login("ann");
	const list = (await again.get("/api/history")).json;
	assert.equal((await messages(again, list[0].id))[0].content,
	    "asked while it was down");
	// Sessions live in the database: the old cookie still works.
	assert.equal((await ann.get("/api/auth/me")).status, 200);
});
