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
