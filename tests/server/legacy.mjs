// A database of the legacy program is taken over: everybody signs in with the
// old password, and finds everything that was there.  Used by
// legacy_scrypt.test.mjs and legacy_pbkdf2.test.mjs.

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { ADMIN, FIXTURES, expected, run, startServer } from "./harness.mjs";

const BLOCKED = "Your account has been blocked. Contact an administrator.";
const hashes = "SELECT username, password_hash AS hash FROM user";

// One test a promise, for the fixture whose hashes are of that kind.
export function takes_over(kind) {
	const want = expected(kind);
	const free = want.users.filter((u) => !u.blocked);
	let server;

	before(async () => {
		server = await startServer({ legacy: `legacy_${kind}.db` });
	});
	after(() => server.stop());

	test("hashes arrive as they were", async () => {
		for (const row of await server.sql(hashes)) {
			if (row.username !== ADMIN.username)
				assert.match(row.hash, new RegExp(`^${kind}:`));
		}
	});

	for (const user of free) {
		test(`${user.username} signs in with the old password`, async () => {
			const c = server.client();
			const wrong = await c.login(user.username, "not-this-one-1");
			assert.deepEqual([wrong.status, wrong.json],
			    [401, { error: "Invalid username or password" }]);
			const r = await c.login(user.username, user.password);
			assert.equal(r.status, 200, r.text);
			const me = (await c.get("/api/auth/me")).json;
			for (const k of ["username", "email", "full_name", "role",
			    "created_at"])
				assert.equal(me[k] ?? null, user[k], k);
			assert.equal(me.user_id, user.id);
		});
	}

	test("the hash became argon2id at that sign-in, for them only", async () => {
		for (const row of await server.sql(hashes)) {
			const was_here = free.some((u) => u.username === row.username);
			if (was_here || row.username === ADMIN.username)
				assert.match(row.hash, /^\$argon2id\$v=19\$/);
		}
	});

	test("they sign in again with the new hash", async () => {
		for (const user of free)
			await server.login(user.username, user.password);
	});

	test("a blocked user learns it only with the right password", async () => {
		const user = want.users.find((u) => u.blocked);
		const c = server.client();
		const wrong = await c.login(user.username, "not-this-one-1");
		assert.equal(wrong.status, 401);
		const right = await c.login(user.username, user.password);
		assert.deepEqual([right.status, right.json],
		    [403, { error: BLOCKED }]);
		assert.equal(c.cookies.size, 0);
	});

	for (const user of free) {
		test(`${user.username} finds every conversation`, async () => {
			const c = await server.login(user.username, user.password);
			const list = (await c.get("/api/history?archived=1")).json;
			const by_id = new Map(list.map((x) => [x.id, x]));
			assert.deepEqual([...by_id.keys()].sort(),
			    user.conversations.map((x) => x.id).sort());
			for (const w of user.conversations) {
				const got = by_id.get(w.id);
				for (const k of ["title", "model", "archived", "pinned",
				    "project_id", "project_title", "total_tokens",
				    "updated_at"])
					assert.deepEqual(got[k] ?? null, w[k], `${w.title}: ${k}`);
				assert.deepEqual([...got.tags].sort(), w.tags);
				assert.equal(got.group_id !== null, w.group !== null);
				const chat = (await c.get(`/api/chat/${w.id}`)).json;
				assert.equal(chat.system_prompt ?? null, w.system_prompt);
				assert.deepEqual(chat.messages.map((m) => ({
					role: m.role,
					content: m.content,
					images: m.images ?? [],
					timestamp: m.timestamp,
					pinned: m.pinned,
				})), w.messages);
			}
		});
	}

	test("a fork without an owner belongs to the parent's owner, and is linked",
	    async () => {
		const alice = want.users.find((u) => u.username === "alice");
		const fork = alice.conversations.find((x) => x.forked_from !== null);
		const rows = await server.sql(
		    `SELECT user_id, forked_from FROM conversation WHERE id = '${fork.id}'`);
		assert.deepEqual(rows, [{
			user_id: alice.id, forked_from: fork.forked_from,
		}]);
	});

	test("nobody reaches a conversation of somebody else", async () => {
		const [alice, bob] = ["alice", "bob"].map((n) =>
			want.users.find((u) => u.username === n));
		const c = await server.login(bob.username, bob.password);
		for (const w of alice.conversations)
			assert.equal((await c.get(`/api/chat/${w.id}`)).status, 404);
	});

	const trimmed = (projects) => projects.map((p) => ({ ...p, documents:
	    p.documents.map((d) => ({ ...d, content: d.content.trimEnd() })) }));

	test("projects, documents, prompts, tools, groups and settings came along",
	    async () => {
		for (const user of want.users) {
			const id = user.id;
			const projects = await server.sql(`SELECT id, title,
			    nullif(description, '') AS description FROM project
			    WHERE user_id = '${id}' ORDER BY created_ms`);
			// A worker may have read them into chunks, which then hold
			// the text, without the blanks at its end.
			for (const p of projects)
				p.documents = await server.sql(`SELECT filename, content ||
				    coalesce((SELECT group_concat(CAST(substr(CAST(text AS
				    BLOB), overlap + 1) AS TEXT), '') FROM (SELECT text,
				    overlap FROM chunk WHERE document_id = document.id
				    ORDER BY position)), '') AS content
				    FROM document WHERE project_id = '${p.id}' ORDER BY id`);
			assert.deepEqual(trimmed(projects), trimmed(user.projects));
			assert.deepEqual(tools(await server.sql(`SELECT * FROM tool
			    WHERE user_id = '${id}' ORDER BY name`)), user.tools);
			const groups = await server.sql(`SELECT title FROM
			    conversation_group WHERE user_id = '${id}' AND id IN (SELECT
			    group_id FROM conversation) ORDER BY title`);
			assert.deepEqual(groups.map((g) => g.title), user.groups);
			const settings = await server.sql(`SELECT name, value FROM
			    user_setting WHERE user_id = '${id}' AND is_sealed = 0
			    AND name <> 'base_url' ORDER BY name`);
			assert.deepEqual(Object.fromEntries(
			    settings.map((s) => [s.name, s.value])), user.settings);
		}
		assert.deepEqual(await server.sql(`SELECT title, content FROM prompt
		    WHERE user_id IS NULL ORDER BY id`), want.global_prompts);
		assert.deepEqual(tools(await server.sql(`SELECT * FROM tool
		    WHERE user_id IS NULL ORDER BY name`)), want.global_tools);
		const global = Object.fromEntries((await server.sql(
		    "SELECT name, value FROM setting WHERE is_sealed = 0"))
		    .map((s) => [s.name, s.value]));
		for (const [k, v] of Object.entries(want.global_settings))
			assert.equal(global[k], v, k);
	});

	test("a tool of the earlier program is there, without an endpoint",
	    async () => {
		for (const user of want.users.filter((u) => u.tools.length > 0)) {
			const c = await server.login(user.username, user.password);
			const own = (await c.get("/api/tools")).json.filter((t) =>
			    !t.is_global);
			assert.deepEqual(own.map((t) => [t.name, t.kind, t.enabled,
			    t.definition]), user.tools.map((t) => [t.name, "bare",
			    t.enabled, t.definition]));
		}
	});

	test("an API key is sealed and nowhere in the file", async () => {
		const bob = want.users.find((u) => u.username === "bob");
		const rows = await server.sql(`SELECT value FROM user_setting
		    WHERE user_id = '${bob.id}' AND name = 'api_key' AND is_sealed = 1`);
		assert.equal(rows.length, 1);
		for (const f of fs.readdirSync(server.data)) {
			const file = path.join(server.data, f);
			if (fs.statSync(file).isFile())
				assert.ok(!fs.readFileSync(file).includes(bob.api_key), f);
		}
	});

	test("the admin who imported can still sign in", async () => {
		const c = await server.login();
		assert.equal((await c.get("/api/auth/me")).json.role, "admin");
	});

	test("validate, export and validate again count the same", async () => {
		const file = path.join(FIXTURES, `legacy_${kind}.db`);
		const first = (await server.lnctl_ok(["db", "validate", file, "--json"])).json;
		assert.equal(first.kind, "legacy");
		assert.equal(first.is_importable, true);
		for (const [k, v] of Object.entries(want.counts))
			assert.equal(first.counts[k], v, k);
		const copy = path.join(server.dir, "export.db");
		await server.lnctl_ok(["db", "export", copy, "--json"]);
		assert.equal(fs.statSync(copy).mode & 0o777, 0o600);
		const second = (await server.lnctl_ok(["db", "validate", copy, "--json"])).json;
		assert.equal(second.kind, "localneural");
		for (const [k, v] of Object.entries(want.counts)) {
			// The admin who was carried over is one more.
			const more = k === "users" || k === "admins" ? 1 : 0;
			assert.equal(second.counts[k], v + more, k);
		}
	});

	test("an export into another instance shows everybody the same", async () => {
		const copy = path.join(server.dir, "move.db");
		await server.lnctl_ok(["db", "export", copy, "--json"]);
		const other = await startServer();
		try {
			await other.lnctl_ok(["db", "import", copy, "--yes",
			    "--no-input", "--json"]);
			for (const user of free) {
				const c = await other.login(user.username, user.password);
				const list = (await c.get("/api/history?archived=1")).json;
				assert.deepEqual(list.map((x) => x.id).sort(),
				    user.conversations.map((x) => x.id).sort());
			}
		} finally {
			await other.stop();
		}
	});

	test("the fixture itself is left as it is", async () => {
		const file = path.join(FIXTURES, `legacy_${kind}.db`);
		const r = await run("sqlite3", ["-readonly", `file:${file}?immutable=1`,
		    "PRAGMA user_version; SELECT count(*) FROM users"]);
		assert.equal(r.stdout, "0\n5\n");
	});
}

function tools(rows) {
	return rows.map((r) => ({
		name: r.name,
		description: r.description,
		definition: JSON.parse(r.definition),
		enabled: r.is_enabled === 1,
	}));
}
