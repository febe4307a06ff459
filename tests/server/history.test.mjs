// The history over HTTPS: pages, groups, tags, branches, and what other people
// see of them, which is nothing.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { run, startServer } from "./harness.mjs";

const UNKNOWN = "7d9f4f0e-0000-4000-8000-000000000000";

let server, ann, bob;

before(async () => {
	server = await startServer({ users: [{ username: "ann" },
	    { username: "bob" }, { username: "cy" }] });
	[ann, bob] = await Promise.all([server.login("ann"),
	    server.login("bob")]);
});
after(() => server.stop());

// Conversations with two messages each, made behind the server's back, as an
// import would; the last one is the newest.  Their ids.
let made = 0;
async function make(username, count = 1) {
	const ids = Array.from({ length: count }, () =>
		`${username}-${String(++made).padStart(4, "0")}`);
	const owner = `(SELECT id FROM user WHERE username = '${username}')`;
	const r = await run("sqlite3", [server.db], { stdin: ids.map((id) => `
	    INSERT INTO conversation(id, user_id, title, created_ms, updated_ms)
	        VALUES ('${id}', ${owner}, 'About ${id}', 1000, ${1000 + Number(id.slice(-4))});
	    INSERT INTO message(conversation_id, role, content, created_ms)
	        VALUES ('${id}', 'user', 'Question of ${id}', 1000);
	    INSERT INTO message(conversation_id, role, content, model, tokens,
	        created_ms) VALUES ('${id}', 'assistant', 'Answer of ${id}', 'm',
	        7, 1001);`).join("") });
	assert.equal(r.code, 0, r.stderr);
	return ids;
}

const ids_of = (r) => r.json.map((c) => c.id);

test("the history comes in pages that lose and double nothing", async () => {
	const all = await make("cy", 5);
	const cy = await server.login("cy");
	const seen = [];
	let at = "";

	for (;;) {
		const r = await cy.get(`/api/history?limit=2${at}`);
		assert.equal(r.status, 200, r.text);
		seen.push(...ids_of(r));
		const next = r.headers["x-next-cursor"];
		if (next === undefined)
			break;
		assert.equal(r.json.length, 2);
		at = `&before=${encodeURIComponent(next)}`;
		// Another tab pins what was shown, and deletes what was.
		if (seen.length === 2) {
			await cy.post(`/api/pin/${seen[0]}`);
			await cy.delete(`/api/sessions/${seen[1]}`);
		}
	}
	assert.deepEqual(seen, all.reverse());
	for (const before of ["~", "~cDE", "~%2F"]) {
		const r = await cy.get(`/api/history?before=${before}`);
		assert.deepEqual([r.status, r.json.field], [400, "before"]);
	}
	const foreign = await bob.get(`/api/history?before=${seen[0]}`);
	const none = await bob.get(`/api/history?before=${UNKNOWN}`);
	assert.equal(foreign.status, 404);
	assert.equal(foreign.text, none.text);
	assert.equal((await cy.get("/api/history?limit=0")).status, 400);
	assert.equal((await cy.get("/api/history?limit=1001")).status, 400);
});

// The same request for somebody else's id and for an unknown one.
async function same_for(client, method, at_foreign, at_unknown, json) {
	const opts = json === undefined ? {} : { json };
	const foreign = await client.request(method, at_foreign, opts);
	const none = await client.request(method, at_unknown, opts);

	assert.equal(foreign.status, 404, `${method} ${at_foreign}`);
	assert.equal(foreign.text, none.text);
	assert.deepEqual(foreign.status, none.status);
}

test("groups are made, filled, renamed, listed and deleted", async () => {
	const [a, b] = await make("ann", 2);
	let r = await ann.post("/api/groups", { title: "Work" });
	assert.equal(r.status, 200, r.text);
	const work = r.json;
	assert.deepEqual(Object.keys(work), ["id", "title", "position",
	    "session_count", "created_at"]);
	const home = (await ann.post("/api/groups", { title: "Home" })).json;
	for (const body of [{}, { title: "" }, { title: 7 },
	    { title: "a\u0007" }, { title: "x".repeat(201) }])
		assert.deepEqual([body, (await ann.post("/api/groups", body)).status],
		    [body, 400]);

	const tab = await ann.ws();
	r = await ann.post("/api/sessions/group", { session_id: a,
	    group_id: work.id });
	assert.deepEqual([r.status, r.json], [200, { status: "success" }]);
	assert.equal((await tab.next("history_changed")).session_id, a);
	tab.close();
	assert.deepEqual(ids_of(await ann.get(
	    `/api/history?group_id=${work.id}`)), [a]);
	assert.equal((await ann.get("/api/history")).json
	    .find((c) => c.id === a).group_id, work.id);
	r = await ann.put(`/api/groups/${home.id}`, { title: "House",
	    position: 0 });
	assert.deepEqual([r.json.title, r.json.position], ["House", 0]);
	assert.deepEqual((await ann.get("/api/groups")).json.map((g) =>
		[g.title, g.session_count]), [["House", 0], ["Work", 1]]);
	assert.equal((await ann.post("/api/sessions/group",
	    { session_id: a })).status, 400);

	await same_for(bob, "PUT", `/api/groups/${work.id}`,
	    `/api/groups/${UNKNOWN}`, { title: "x" });
	await same_for(bob, "DELETE", `/api/groups/${work.id}`,
	    `/api/groups/${UNKNOWN}`);
	const [his] = await make("bob");
	for (const body of [{ session_id: his, group_id: work.id },
	    { session_id: a, group_id: null }, { session_id: a,
	    group_id: work.id }, { session_id: UNKNOWN, group_id: null },
	    { session_id: his, group_id: UNKNOWN }]) {
		r = await bob.post("/api/sessions/group", body);
		assert.deepEqual([r.status, r.json], [404, { error: "Not found" }]);
	}
	assert.deepEqual((await bob.get("/api/groups")).json, []);
	assert.deepEqual((await bob.get(
	    `/api/history?group_id=${work.id}`)).json, []);

	// Deleting it while others assign: nobody is left in what is gone.
	const replies = await Promise.all([a, b, a, b].map((session_id) =>
		ann.post("/api/sessions/group", { session_id, group_id: work.id }))
	    .concat(ann.delete(`/api/groups/${work.id}`)));
	assert.equal(replies.at(-1).status, 200);
	assert.ok(replies.every((one) => [200, 404].includes(one.status)));
	assert.deepEqual((await ann.get("/api/history")).json
	    .filter((c) => c.group_id !== null), []);
	assert.equal((await ann.delete(`/api/groups/${work.id}`)).status, 404);
	assert.equal((await ann.delete(`/api/groups/${home.id}`)).status, 200);
});

test("tags are folded, listed, found and taken off again", async () => {
	const [a, b] = await make("ann", 2);
	const odd = "caf\u00c9 au/lait? 100% #1";
	const folded = "caf\u00e9-au/lait?-100%-#1";
	let r = await ann.post(`/api/sessions/${a}/tags`, { tag: ` ${odd} ` });
	assert.deepEqual([r.status, r.json], [200, { status: "success",
	    tags: [folded] }]);
	await ann.post(`/api/sessions/${a}/tags`, { tag: folded });
	await ann.post(`/api/sessions/${b}/tags`, { tag: "\u{1F600}".repeat(64) });
	r = await ann.post(`/api/sessions/${b}/tags`, { tag: odd });
	assert.equal(r.json.tags.length, 2);
	assert.deepEqual((await ann.get(`/api/sessions/${a}/tags`)).json.tags,
	    [folded]);
	assert.deepEqual((await ann.get("/api/tags")).json, [
		{ tag: folded, count: 2 },
		{ tag: "\u{1F600}".repeat(64), count: 1 },
	]);
	for (const body of [{}, { tag: " " }, { tag: 3 }, { tag: "x".repeat(65) },
	    { tag: "a\nb" }]) {
		r = await ann.post(`/api/sessions/${a}/tags`, body);
		assert.deepEqual([body, r.status, r.json.field], [body, 400, "tag"]);
	}
	const at = encodeURIComponent(odd);
	r = await ann.get(`/api/tags/${at}/sessions?limit=1`);
	assert.deepEqual(ids_of(r), [b]);
	const next = encodeURIComponent(r.headers["x-next-cursor"]);
	r = await ann.get(`/api/tags/${at}/sessions?limit=1&before=${next}`);
	assert.deepEqual(ids_of(r), [a]);
	assert.equal(r.headers["x-next-cursor"], undefined);

	// Bob's doings: neither seen nor touched, as with what is not there.
	await same_for(bob, "GET", `/api/sessions/${a}/tags`,
	    `/api/sessions/${UNKNOWN}/tags`);
	await same_for(bob, "POST", `/api/sessions/${a}/tags`,
	    `/api/sessions/${UNKNOWN}/tags`, { tag: "x" });
	await same_for(bob, "DELETE", `/api/sessions/${a}/tags/${at}`,
	    `/api/sessions/${UNKNOWN}/tags/${at}`);
	assert.deepEqual((await bob.get("/api/tags")).json, []);
	assert.deepEqual((await bob.get(`/api/tags/${at}/sessions`)).json, []);
	r = await bob.delete(`/api/tags/${at}`);
	assert.deepEqual([r.status, r.json.removed], [200, 0]);

	const smile = encodeURIComponent("\u{1F600}".repeat(64));
	for (let i = 0; i < 2; i++) {
		r = await ann.delete(`/api/sessions/${b}/tags/${smile}`);
		assert.deepEqual([r.status, r.json.tags], [200, [folded]]);
	}
	r = await ann.delete(`/api/tags/${at}`);
	assert.deepEqual([r.status, r.json.removed], [200, 2]);
	assert.deepEqual((await ann.get("/api/tags")).json, []);
	assert.equal((await ann.get("/api/tags/%20/sessions")).status, 400);
});

test("conversations are deleted together, all or none", async () => {
	const mine = await make("ann", 4);
	const [his] = await make("bob");
	const left = async () => (await server.sql("SELECT count(*) AS n FROM " +
	    `conversation WHERE id IN ('${mine.join("','")}')`))[0].n;

	for (const stranger of [his, UNKNOWN]) {
		const r = await ann.post("/api/bulk-delete",
		    { ids: [...mine, stranger] });
		assert.deepEqual([r.status, r.json], [404, { error: "Not found" }]);
	}
	for (const ids of [undefined, [], "x", [1], Array(501).fill(mine[0])]) {
		const r = await ann.post("/api/bulk-delete", { ids });
		assert.deepEqual([r.status, r.json.field], [400, "ids"]);
	}
	assert.equal(await left(), 4);
	const tab = await ann.ws();
	// Twice named, and twice asked at the same time.
	const replies = await Promise.all([0, 1].map(() =>
		ann.post("/api/bulk-delete", { ids: [...mine, mine[0]] })));
	assert.deepEqual(replies.map((r) => r.status).sort(), [200, 404]);
	assert.equal((await tab.next("history_changed")).session_id, undefined);
	tab.close();
	assert.equal(await left(), 0);
	assert.equal((await server.sql("SELECT count(*) AS n FROM message WHERE " +
	    `content LIKE 'Question of ann%' AND conversation_id IN ('${
	    mine.join("','")}')`))[0].n, 0);
	assert.equal((await bob.get(`/api/chat/${his}`)).status, 200);
});

const messages_of = async (client, id) =>
	(await client.get(`/api/sessions/${id}/messages`)).json;

test("a message is pinned and exported by its owner", async () => {
	const [a] = await make("ann");
	const [question, answer] = await messages_of(ann, a);
	assert.equal(question.pinned, false);
	let r = await ann.post(`/api/messages/${question.id}/pin`);
	assert.deepEqual([r.status, r.json], [200, { status: "success",
	    pinned: true }]);
	for (const pinned of [true, true, false])
		assert.equal((await ann.post(`/api/messages/${answer.id}/pin`,
		    { pinned })).json.pinned, pinned);
	assert.deepEqual((await messages_of(ann, a)).map((m) => m.pinned),
	    [true, false]);
	r = await ann.post(`/api/messages/${question.id}/pin`, { pinned: 1 });
	assert.deepEqual([r.status, r.json.field], [400, "pinned"]);

	r = await ann.get(`/api/messages/${answer.id}/export`);
	assert.equal(r.text, `Answer of ${a}\n`);
	assert.match(r.headers["content-type"], /^text\/markdown/);
	assert.equal(r.headers["content-disposition"],
	    `attachment; filename="message-${answer.id}.md"`);
	r = await ann.get(`/api/messages/${answer.id}/export?format=json`);
	assert.equal(r.json.format, "localneural-message");
	assert.deepEqual([r.json.id, r.json.role, r.json.content, r.json.tokens],
	    [answer.id, "assistant", `Answer of ${a}`, 7]);
	assert.equal((await ann.get(
	    `/api/messages/${answer.id}/export?format=html`)).status, 400);

	for (const [method, end] of [["POST", "pin"], ["GET", "export"]]) {
		const none = await bob.request(method,
		    `/api/messages/999999999/${end}`, {});
		for (const id of [answer.id, "x", "-1", "0", "1e3",
		    "99999999999999999999"]) {
			const r = await bob.request(method,
			    `/api/messages/${id}/${end}`, {});
			assert.deepEqual([id, r.status, r.text], [id, 404, none.text]);
		}
	}
});

test("a conversation is forked, and its tree is the same from everywhere", async () => {
	const [a, other] = await make("ann", 2);
	const [question, answer] = await messages_of(ann, a);
	const at = `/api/sessions/${a}/fork`;
	for (const body of [{}, { message_id: "x" }, { message_id: 1.5 },
	    { message_id: null }]) {
		const r = await ann.post(at, body);
		assert.deepEqual([r.status, r.json.field], [400, "message_id"]);
	}
	const tab = await ann.ws();
	let r = await ann.post(at, { message_id: question.id });
	assert.equal(r.status, 200, r.text);
	const first = r.json.session_id;
	assert.equal((await tab.next("history_changed")).session_id, first);
	tab.close();
	assert.deepEqual((await messages_of(ann, first)).map((m) =>
		[m.role, m.content, m.timestamp]),
	    [[question.role, question.content, question.timestamp]]);

	// Two tabs at the same time, at the same message.
	const both = await Promise.all([0, 1].map(() =>
		ann.post(at, { message_id: answer.id })));
	assert.deepEqual(both.map((one) => one.status), [200, 200]);
	const [left, right] = both.map((one) => one.json.session_id);
	assert.notEqual(left, right);
	const [copy] = (await messages_of(ann, left)).slice(-1);
	assert.notEqual(copy.id, answer.id);
	r = await ann.post(`/api/sessions/${left}/fork`, { message_id: copy.id });
	const deep = r.json.session_id;

	const tree = async (id) => (await ann.get(
	    `/api/sessions/${id}/branches`)).json;
	const whole = await tree(a);
	assert.deepEqual(Object.keys(whole[0]), ["id", "title", "parent_id",
	    "message_id", "depth", "updated_at"]);
	assert.deepEqual(whole.map((b) => [b.id, b.parent_id, b.depth]).sort(), [
		[a, null, 0], [first, a, 1], [left, a, 1], [right, a, 1],
		[deep, left, 2],
	].sort());
	for (const id of [first, left, right, deep])
		assert.deepEqual(await tree(id), whole);

	// Neither the parent's end nor the root's takes the tree apart.
	await ann.delete(`/api/sessions/${left}`);
	await ann.post("/api/bulk-delete", { ids: [a] });
	assert.deepEqual((await tree(deep)).map((b) => [b.id, b.parent_id]).sort(),
	    [[first, a], [right, a], [deep, left]].sort());
	assert.deepEqual((await messages_of(ann, deep)).length, 2);

	const [strange] = await messages_of(ann, other);
	for (const message_id of [strange.id, 0, -1, 2 ** 52])
		assert.deepEqual([404, { error: "Not found" }], ((one) =>
			[one.status, one.json])(await ann.post(
		    `/api/sessions/${right}/fork`, { message_id })));
	await same_for(bob, "POST", `/api/sessions/${other}/fork`,
	    `/api/sessions/${UNKNOWN}/fork`, { message_id: strange.id });
	await same_for(bob, "GET", `/api/sessions/${right}/branches`,
	    `/api/sessions/${UNKNOWN}/branches`);
	const [his] = await make("bob");
	await same_for(bob, "POST", `/api/sessions/${his}/fork`,
	    `/api/sessions/${UNKNOWN}/fork`, { message_id: strange.id });
});

test("a blocked person's tags, groups and branches stay as they are", async () => {
	await server.add_user({ username: "dee" });
	const [a] = await make("dee");
	const dee = await server.login("dee");
	const [m] = await messages_of(dee, a);
	const group = (await dee.post("/api/groups", { title: "G" })).json.id;
	await server.lnctl_ok(["user", "block", "dee", "--json"]);
	for (const [method, at, json] of [
		["POST", `/api/sessions/${a}/fork`, { message_id: m.id }],
		["POST", `/api/sessions/${a}/tags`, { tag: "x" }],
		["POST", "/api/groups", { title: "x" }],
		["PUT", `/api/groups/${group}`, { title: "x" }],
		["DELETE", `/api/groups/${group}`],
		["POST", "/api/sessions/group", { session_id: a, group_id: group }],
		["POST", "/api/bulk-delete", { ids: [a] }],
		["POST", `/api/messages/${m.id}/pin`],
	]) {
		const r = await dee.request(method, at, json ? { json } : {});
		assert.equal(r.status, 403, `${method} ${at}`);
	}
	for (const at of ["/api/groups", "/api/tags", `/api/sessions/${a}/tags`,
	    `/api/sessions/${a}/branches`, `/api/messages/${m.id}/export`])
		assert.equal((await dee.get(at)).status, 200, at);
});

test("statistics count what was asked, a branch's copies once, and empty days", async () => {
	await server.add_user({ username: "eve" });
	const [a] = await make("eve");
	const eve = await server.login("eve");
	const r = await run("sqlite3", [server.db], { stdin:
	    "UPDATE message SET created_ms = 1000 * strftime('%s', 'now') - 5000 " +
	    `WHERE conversation_id = '${a}'; UPDATE conversation SET updated_ms = ` +
	    `1000 * strftime('%s', 'now') WHERE id = '${a}';` });
	assert.equal(r.code, 0, r.stderr);
	const answer = (await messages_of(eve, a))[1];
	await eve.post(`/api/sessions/${a}/fork`, { message_id: answer.id });
	const s = (await eve.get("/api/stats")).json;
	assert.deepEqual([s.session_count, s.message_count], [2, 4]);
	assert.deepEqual(s.models, [{ model: "m", answers: 1, tokens: 7 }]);
	assert.equal(s.days.length, 30);
	assert.equal(new Set(s.days.map((d) => d.date)).size, 30);
	assert.ok(s.days.every((d) => /^\d{4}-\d\d-\d\d$/.test(d.date)));
	const sum = (name) => s.days.reduce((n, d) => n + d[name], 0);
	assert.deepEqual([sum("messages"), sum("tokens")], [2, 7]);
	assert.equal((await server.client().get("/api/stats")).status, 401);
});
