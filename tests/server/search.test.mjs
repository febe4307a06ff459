// Search over HTTPS: what a hit looks like, what narrows it, what is refused,
// and that everybody finds their own only.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startServer } from "./harness.mjs";

let server, ann, bob;


before(async () => {
	server = await startServer({
		users: [{ username: "ann" }, { username: "bob" }],
	});
	[ann, bob] = await Promise.all([server.login("ann"),
	    server.login("bob")]);
	for (const [who, prompt] of [
		[ann, "Tulips \u{1F337} & <b>canaries</b> in foo_bar() \u6771\u4eac"],
		[bob, "Tulips of bob"],
	]) {
		const r = await who.post("/api/chat/stream", { prompt });
		assert.equal(r.status, 200, r.text);
	}
});
after(() => server.stop());

const find = (who, query) =>
	who.get(`/api/search?${new URLSearchParams(query)}`);

async function hits(who, query) {
	const r = await find(who, query);
	assert.equal(r.status, 200, r.text);
	return r.json;
}

test("a hit is plain text with marks in UTF-16 units", async () => {
	const [hit] = await hits(ann, { q: "canaries", role: "user" });

	assert.equal(hit.snippet,
	    "Tulips \u{1F337} & <b>canaries</b> in foo_bar() \u6771\u4eac");
	assert.deepEqual(hit.marks.map(([from, to]) =>
		hit.snippet.slice(from, to)), ["canaries"]);
	assert.equal(hit.role, "user");
	assert.equal(hit.archived, false);
	assert.equal(typeof hit.id, "number");
	assert.ok(Math.abs(Date.parse(hit.timestamp) - Date.now()) < 600000);
	const list = await ann.get(`/api/sessions/${hit.session_id}/messages`);
	assert.ok(list.json.some((m) => m.id === hit.id));
});

test("words, parts, code and Japanese are found", async () => {
	for (const q of ["tulips", "anari", "foo_bar()", "\u6771\u4eac", "tul*",
	    "\"foo bar\"", "\u{1F337}"])
		assert.equal((await hits(ann, { q, role: "user" })).length, 1, q);
	for (const q of ["zebra", "tulips -canaries", "tul* tag:none",
	    "tulips before:2020"])
		assert.equal((await hits(ann, { q, role: "user" })).length, 0, q);
});

test("a title is a hit, and an archived conversation is found", async () => {
	const [{ session_id }] = await hits(ann, { q: "canaries" });

	await ann.post(`/api/rename/${session_id}`, { title: "Wrens" });
	await ann.post(`/api/archive/${session_id}`, { archived: true });
	const [hit] = await hits(ann, { q: "wrens" });
	assert.deepEqual([hit.id, hit.role, hit.session_id, hit.archived],
	    [null, "title", session_id, true]);
	assert.equal((await hits(ann, { q: "canaries", role: "user" }))[0]
		.archived, true);
});

test("nobody finds what is somebody else's", async () => {
	for (const q of ["canaries", "foo_bar()", "\u6771\u4eac", "canar*",
	    "wrens"])
		assert.deepEqual((await hits(bob, { q })).filter((h) =>
			/canaries|Wrens/.test(h.snippet)), [], q);
	const [own] = await hits(bob, { q: "tulips", role: "user" });
	assert.equal(own.snippet, "Tulips of bob");
	assert.equal((await hits(bob, { q: "tulips", role: "user" })).length, 1);
	// Another's project narrows to nothing, as one that is not there.
	assert.deepEqual(await hits(ann, { q: "tulips", project_id: "x" }), []);
});

test("filters narrow, pages turn", async () => {
	const today = new Date().toISOString().slice(0, 10);

	assert.equal((await hits(ann, { q: "canaries", role: "user",
		date_from: today, date_to: today })).length, 1);
	assert.deepEqual(await hits(ann, { q: "canaries",
		date_to: "2020-01-01" }), []);
	assert.deepEqual(await hits(ann, { q: "canaries", model: "none" }), []);
	assert.equal((await hits(ann, { q: "", role: "user" })).length, 1);
	const all = await hits(ann, { q: "canaries" });
	const one = await hits(ann, { q: "canaries", limit: "1" });
	assert.deepEqual(one, all.slice(0, 1));
	assert.deepEqual(await hits(ann, { q: "canaries", offset: "100" }), []);
});

test("what cannot be a search is refused with a sentence", async () => {
	for (const query of [{}, { q: "" }, { q: "a\0b" }, { q: "a", limit: "0" }, { q: "a", limit: "101" },
	    { q: "a", offset: "-1" }, { q: "a", role: "king" },
	    { q: "a", date_from: "soon" }, { q: "a", date_to: "2020-13-01" },
	    { q: "a", tag: "a\0" }]) {
		const r = await find(ann, query);

		assert.equal(r.status, 400, JSON.stringify(query));
		assert.equal(typeof r.json.error, "string");
		assert.ok(!/sqlite|fts5|syntax/i.test(r.text));
	}
	// The line of the request has its bound, too.
	assert.ok([400, 414].includes((await find(ann,
	    { q: "x".repeat(5000) })).status));
	for (const q of ["\"a", "a AND", "NEAR(a b)", "^a -", "(((", "a:b*c",
	    "!#$%&'()+,./", "; <=>?@[\\]^_`{|}~", "'; DROP TABLE message; --"]) {
		const r = await find(ann, { q });

		assert.equal(r.status, 200, `${q}: ${r.text}`);
	}
});
