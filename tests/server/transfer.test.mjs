// The whole database over HTTPS: out, in again, and what is refused.

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { FIXTURES, expected, startServer } from "./harness.mjs";

const INVALID = { error: "Invalid database file" };

let server, root, ann;

before(async () => {
	server = await startServer({ users: [{ username: "ann" }] });
	root = await server.login();
	ann = await server.login("ann");
	await server.lnctl_ok(["ask", "a question of ann", "--user", "ann"]);
});
after(() => server.stop());

const upload = (client, body, query = "") =>
	client.request("POST", `/api/import/db${query}`, {
		body, headers: { "content-type": "application/octet-stream" },
	});

function multipart(name, bytes) {
	const boundary = "----test-boundary-7f3a";
	return {
		body: Buffer.concat([
			Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; ` +
			    `name="file"; filename="${name}"\r\n` +
			    "Content-Type: application/octet-stream\r\n\r\n"),
			bytes,
			Buffer.from(`\r\n--${boundary}--\r\n`),
		]),
		headers: { "content-type": `multipart/form-data; boundary=${boundary}` },
	};
}

async function logical() {
	const all = {};
	for (const [t, order] of [["user", "id"], ["conversation", "id"],
	    ["message", "id"], ["setting", "name"], ["prompt", "id"], ["tool", "id"]])
		all[t] = await server.sql(`SELECT * FROM ${t} ORDER BY ${order}`);
	for (const u of all.user)
		delete u.last_login_ms;
	return all;
}

test("the last verified backup is told to an admin, and whether it is too old", async () => {
	const ask = async () => (await root.get("/api/admin/status")).json.backup;
	const age = (ms) => server.write(`UPDATE backup SET created_ms = ${Date.now() - ms}`);
	const HOUR = 3600_000;
	const folder = path.join(server.dir, "backups");

	assert.deepEqual(await ask(), { state: "none", is_stale: true,
	    max_age_seconds: 26 * 3600, last: null });
	fs.mkdirSync(folder);
	await server.lnctl_ok(["backup", "create", "-d", folder, "--verify", "full"]);
	const b = await ask();
	const file = fs.readdirSync(folder).find((n) => n.endsWith(".zst"));
	assert.deepEqual([b.state, b.is_stale, b.last.name, b.last.verified],
	    ["fresh", false, file, "full"]);
	assert.equal(b.last.bytes, fs.statSync(path.join(folder, file)).size);
	assert.ok(b.last.age_seconds >= 0 && b.last.age_seconds < 600);
	for (const [ms, state, code] of [[25 * HOUR, "fresh", 0],
	    [27 * HOUR, "old", 7], [-HOUR, "future", 7]]) {
		await age(ms);
		const now = await ask();
		assert.deepEqual([now.state, now.is_stale],
		    [state, state !== "fresh"], state);
		assert.ok(Math.abs(now.last.age_seconds - ms / 1000) < 600);
		assert.equal((await server.lnctl(["backup", "status"])).code, code);
	}
	await server.write("UPDATE backup SET verified_ms = NULL, verified_how = NULL");
	assert.equal((await ask()).state, "none");
	assert.ok(!(await root.get("/api/admin/status")).text.includes(server.dir));
	assert.equal((await ann.get("/api/admin/status")).status, 403);
	assert.equal((await server.client().get("/api/admin/status")).status, 401);
});

test("an export is a whole database, for an admin, as an attachment", async () => {
	const r = await root.get("/api/export/db");
	assert.equal(r.status, 200);
	assert.match(r.headers["content-disposition"], /^attachment; filename="/);
	assert.equal(r.bytes.subarray(0, 16).toString("latin1"), "SQLite format 3\0");
	const file = path.join(server.dir, "got.db");
	fs.writeFileSync(file, r.bytes, { mode: 0o600 });
	const v = (await server.lnctl_ok(["db", "validate", file, "--json"])).json;
	assert.deepEqual([v.is_importable, v.counts.users], [true, 2]);
	assert.equal((await server.sql("SELECT count(*) AS n FROM session", file))[0].n, 0);
});

test("an ordinary user gets the own data as JSON, whatever is asked", async () => {
	for (const q of ["", "?format=json", "?format=sqlite"]) {
		const r = await ann.get(`/api/export/db${q}`);
		assert.equal(r.status, 200);
		assert.match(r.headers["content-type"], /^application\/json/);
		assert.ok(r.text.includes("a question of ann"));
		assert.ok(!r.text.includes("$argon2id$"));
		assert.ok(!r.text.includes("root@example.test"));
	}
	assert.equal((await server.client().get("/api/export/db")).status, 401);
});

test("what was exported comes back in, identical, while the server runs", async () => {
	const file = (await root.get("/api/export/db")).bytes;
	const before_it = await logical();
	await server.lnctl_ok(["user", "create", "late", "--random", "--json"]);
	await server.lnctl_ok(["ask", "a late question", "--user", "ann"]);
	const r = await upload(root, file);
	assert.equal(r.status, 200, r.text);
	assert.deepEqual(await logical(), before_it);
	const list = (await (await server.login("ann")).get("/api/history")).json;
	assert.equal(list.length, 1);
	assert.equal((await (await server.login()).get("/api/auth/me")).json.role, "admin");
	root = await server.login();
	ann = await server.login("ann");
});

test("the database before an import is kept as a snapshot", async () => {
	const before_it = fs.readdirSync(server.data);
	const file = (await root.get("/api/export/db")).bytes;
	await server.lnctl_ok(["ask", "only in the snapshot", "--user", "ann"]);
	assert.equal((await upload(root, file)).status, 200);
	const fresh = fs.readdirSync(server.data, { recursive: true })
	    .map((f) => path.join(server.data, f))
	    .filter((f) => !before_it.includes(path.basename(f)) &&
	    fs.statSync(f).isFile() && f !== server.db && !/-(wal|shm)$/.test(f));
	let found = 0;
	for (const f of fresh) {
		assert.equal(fs.statSync(f).mode & 0o777, 0o600, f);
		const rows = await server.sql("SELECT 1 AS x FROM message " +
		    "WHERE content = 'only in the snapshot'", f).catch(() => []);
		found += rows.length;
	}
	assert.equal(found, 1, fresh.join(" "));
	root = await server.login();
});

test("a legacy file comes in by multipart, and its people sign in", async () => {
	const mine = (await root.get("/api/export/db")).bytes;
	const bytes = fs.readFileSync(path.join(FIXTURES, "legacy_scrypt.db"));
	const r = await root.request("POST", "/api/import/db", multipart("old.db", bytes));
	assert.equal(r.status, 200, r.text);
	for (const user of expected("scrypt").users.filter((u) => !u.blocked))
		await server.login(user.username, user.password);
	root = await server.login();
	assert.equal((await upload(root, mine)).status, 200);
	root = await server.login();
	ann = await server.login("ann");
});

test("dry_run tells what would come and changes nothing", async () => {
	const before_it = await logical();
	const bytes = fs.readFileSync(path.join(FIXTURES, "legacy_scrypt.db"));
	const r = await upload(root, bytes, "?dry_run=1");
	assert.equal(r.status, 200, r.text);
	assert.equal(r.json.counts.conversations, 8);
	assert.deepEqual(await logical(), before_it);
});

test("what is not a database of ours is refused with one sentence, and nothing changes",
    async () => {
	const good = (await root.get("/api/export/db")).bytes;
	const before_it = await logical();
	const flipped = Buffer.from(good);
	flipped.fill(0xff, 4096, 4096 + 512);
	for (const [what, body] of [
		["text", Buffer.from("this is not a database\n".repeat(100))],
		["nothing", Buffer.alloc(0)],
		["the magic alone", good.subarray(0, 16)],
		["a half", good.subarray(0, good.length >> 1)],
		["one page short", good.subarray(0, good.length - 4096)],
		["a damaged page", flipped],
		["gzip", Buffer.concat([Buffer.from("1f8b0800", "hex"), Buffer.alloc(5000)])],
	]) {
		const r = await upload(root, body);
		assert.deepEqual([r.status, r.json?.error], [400, INVALID.error], what);
	}
	assert.deepEqual(await logical(), before_it);
	assert.equal((await root.get("/healthz")).text.trim(), "ok");
});

test("nobody but an admin imports", async () => {
	const file = (await root.get("/api/export/db")).bytes;
	assert.equal((await upload(server.client(), file)).status, 401);
	assert.equal((await upload(ann, file)).status, 403);
	const r = await root.request("POST", "/api/import/db", {
		body: file,
		headers: {
			"content-type": "application/octet-stream",
			"x-requested-with": null,
		},
	});
	assert.deepEqual([r.status, r.json], [403, { error: "CSRF validation failed" }]);
});

test("nothing is left lying in the data folder", async () => {
	const left = fs.readdirSync(server.data)
	    .filter((f) => !/^neural_memory\.db(-wal|-shm|\.lock|\.pid|\.import\.lock|\.before-import-\d{8}T\d{6}Z(-\d+)?)?$/.test(f) &&
	    !["tls.crt", "tls.key", "tmp"].includes(f));
	assert.deepEqual(left, []);
	assert.deepEqual(fs.readdirSync(path.join(server.data, "tmp")), []);
});
