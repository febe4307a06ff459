// The security contract: what comes in, and what may go out when things break.

import assert from "node:assert/strict";
import fs from "node:fs";
import { after, before, describe, it } from "node:test";
import { start as start_fake } from "../fake/ollama.mjs";
import { ADMIN, Client, startServer } from "./harness.mjs";
import { again, change, has_headers, hold_lock, routes, user_id } from
    "./security_kit.mjs";

const INTERNAL = '{"error":"An internal error occurred"}';

describe("input", () => {
	let server, root;
	before(async () => {
		server = await startServer({ workers: 4, users: [{ username: "ann" }] });
		root = await server.login();
	});
	after(() => server.stop());

	const table = routes().filter((r) => r.flags.includes("R_JSON"));
	const send = (route, body) => again(root).request(route.method,
	    route.path.replaceAll("*", "none"), { body, headers: {
		    "content-type": "application/json" } });

	it("JSON goes through one strict gate on every route that takes it",
	    async () => {
		const deep = (n) => '{"a":'.repeat(n) + "1" + "}".repeat(n);
		const bad = ["", "{", "[]", '"x"', "null", "{}x", '{"a":1,"a":2}',
		    "{'a':1}", '{"a":NaN}', '{"a":1e999}', '{"a":"\\u0000"}', '{"a":"\\ud800"}', '\ufeff{}', deep(40),
		    `{"a":[${"1,".repeat(10000)}1]}`,
		    Buffer.from('{"a":"\xc3\x28"}', "latin1"), '{"a":"\n"}', '{"a":01}'];
		const login = table.find((r) => r.path === "/api/auth/login");
		for (const body of bad) {
			const r = await send(login, body);
			assert.deepEqual([r.status, r.text],
			    [400, '{"error":"Invalid JSON body"}'], String(body).slice(0, 40));
		}
		for (const route of table)
			for (const body of ['{"a":1,"a":2}', "[]"]) {
				const r = await send(route, body);
				assert.deepEqual([r.status, r.text],
				    [400, '{"error":"Invalid JSON body"}'], route.path);
			}
	});

	it("integers within 2^53", async () => {
		for (const value of ["9007199254740993", "1e300", "0.5"]) {
			const r = await again(root).request("POST", "/api/chat/stream", {
			    body: `{"prompt":"x","session_id":"x","is_edit":true,"msg_id":${value}}`,
			    headers: { "content-type": "application/json" } });
			assert.deepEqual([r.status, r.json.field], [400, "msg_id"], value);
		}
	});

	it("size cap by route: 64 KiB, messages 12 MiB: 413", async () => {
		const of = (n) => `{"a":"${"x".repeat(n)}"}`;
		for (const route of table.filter((r) => !r.path.includes("stream"))) {
			const r = await send(route, of(65536));
			assert.equal(r.status, 413, route.path);
		}
		const stream = table.find((r) => r.path === "/api/chat/stream");
		assert.equal((await send(stream, of(12 * 1024 * 1024))).status, 413);
		assert.equal((await send(stream, of(1024 * 1024))).status, 400);
	});

	const FIELDS = {
		"/api/auth/register": ["username", "password", "cpassword", "email",
		    "full_name"],
		"/api/auth/login": ["username", "password"],
		"/api/auth/forgot-password": ["email"],
		"/api/auth/reset-password": ["token", "password", "cpassword"],
		"/api/profile": ["username", "email", "full_name"],
		"/api/profile/password": ["current_password", "new_password",
		    "confirm_new_password"],
		"/api/account/delete": ["password"],
		"/api/rename/*": ["title"],
		"/api/session/*/config": ["system_prompt", "model", "temperature",
		    "project_id"],
		"/api/user/settings": ["model", "provider", "api_key", "system_prompt",
		    "temperature", "context_tokens", "auto_title", "ollama_url",
		    "theme", "embedding_model"],
		"/api/provider/config": ["provider", "api_key", "base_url",
		    "embedding_model"],
		"/api/models/pull": ["name", "provider"],
		"/api/chat/tool": ["session_id", "call_id", "allow"],
		"/api/tools": ["name", "description", "definition", "is_global",
		    "enabled", "asks_first"],
		"/api/tools/*": ["name", "description", "definition", "is_global",
		    "enabled", "asks_first"],
		"/api/bulk-delete": ["ids"],
		"/api/groups": ["title"],
		"/api/groups/*": ["title"],
		"/api/sessions/group": ["session_id", "group_id"],
		"/api/sessions/*/fork": ["message_id"],
		"/api/sessions/*/tags": ["tag"],
		"/api/projects": ["title", "description"],
		"/api/projects/*": ["title", "description"],
		"/api/prompts": ["title", "content"],
		"/api/prompts/*": ["title", "content"],
		"/api/config": ["system_prompt"],
		"/api/urlscrape": ["url"],
		"/api/websearch": ["query"],
		"/api/file/read": ["path"],
		"/api/chat/stream": ["prompt", "model", "session_id", "temperature"],
		"/api/admin/users": ["username", "password", "email", "full_name", "role"],
		"/api/admin/users/*/role": ["role"],
		"/api/admin/user/*/password": ["password"],
		"/api/admin/user/*/block": ["blocked", "revoke_sessions", "reason"],
		"/api/admin/settings": ["system_prompt", "allow_registration",
		    "provider", "model", "api_key", "base_url", "temperature",
		    "context_tokens", "auto_title", "allowed_endpoints",
		    "embedding_model"],
	};

	it("wrong types are 400, and the field is named", async () => {
		for (const route of table) {
			const fields = FIELDS[route.path] ?? [];
			assert.ok(fields.length > 0, `${route.path}: what are its fields?`);
			for (const field of fields)
				for (const value of [[], {}]) {
					const r = await send(route, JSON.stringify({ [field]: value }));
					assert.equal(r.status, 400, `${route.path} ${field}: ${r.text}`);
					assert.ok(r.json.field !== undefined, `${route.path} ${r.text}`);
				}
		}
	});

	it("unknown fields are ignored and never bound", async () => {
		const ann = await server.login("ann");
		const id = await user_id(server, "ann");
		const r = await ann.put("/api/profile", { role: "admin", id: "x",
		    user_id: await user_id(server, ADMIN.username), blocked: true,
		    password_hash: "x", created_at: "2000-01-01", full_name: "Ann" });
		assert.equal(r.status, 200);
		assert.deepEqual([r.json.user_id, r.json.role, r.json.full_name,
		    r.json.blocked], [id, "user", "Ann", false]);
		assert.equal((await ann.get("/api/admin/users")).status, 403);
	});

	it("user names: trimmed, 2 to 64 of letters, digits, . _ -, compared " +
	    "without case; control characters refused everywhere", async () => {
		const make = (username, more) => again(root).post("/api/admin/users",
		    { username, password: "Good-Password-1", ...more });
		for (const good of ["ab", " trimmed ", "x".repeat(64), "A.b_c-9", "\u00e9t\u00e9"])
			assert.equal((await make(good)).status, 200, good);
		for (const bad of ["a", "x".repeat(65), "a b", "a@b", "a/b", "a\nb",
		    "<script>", "", "..\u202e"]) {
			const r = await make(bad);
			assert.deepEqual([r.status, r.json.field], [400, "username"], bad);
		}
		assert.equal((await make("TRIMMED")).status, 409);
		const r = await make("withmail", { email: "a\u0007b@example.test" });
		assert.deepEqual([r.status, r.json.field], [400, "email"]);
		const stream = await root.post("/api/chat/stream", { prompt: "hi",
		    provider: "offline" });
		const sid = stream.text.match(/"session_id":"([^"]+)"/)[1];
		for (const title of ["", "a\nb", "a\u0000b", "x".repeat(5000)])
			assert.equal((await root.post(`/api/rename/${sid}`, { title })).status,
			    400, title);
	});

	it("path segments and queries are decoded once, strictly", async () => {
		for (const at of ["/api/chat/%00", "/api/chat/%zz", "/api/chat/%",
		    "/api/chat/%ff", "/api/chat/..%2f..%2fetc%2fpasswd",
		    "/static/..%2f..%2fsecurity", "/static/assets/../../x",
		    "/static/%2e%2e/x", "/api/export/%2e%2e?format=md"])
			assert.equal((await root.get(at)).status, 404, at);
		for (const query of ["limit=0", "limit=x", "limit=-1", "limit=1e3",
		    "limit=99999999999999999999"])
			assert.equal((await root.get(`/api/admin/users?${query}`)).status, 400);
		assert.equal((await root.get("/api/admin/users?q=%27%20OR%201=1--")).json
		    .total, 0);
	});
});

describe("error detail", () => {
	let server, fake, root, ids;
	const SECRET = "planted-secret-3b1f";
	before(async () => {
		fake = await start_fake();
		fake.behave("broken", { status: 500,
		    error: `sqlite SELECT at run.c:12 ${SECRET}` });
		server = await startServer({ workers: 4, users: [{ username: "ann" }],
		    env: { OLLAMA_API_URL: fake.url, LOCALNEURAL_MODEL: "llama3.2",
			LOCALNEURAL_READ_FOLDERS: "/usr/share",
			LOCALNEURAL_ALLOWED_ENDPOINTS: `${fake.url},http://127.0.0.1:*` } });
		root = await server.login();
		await root.post("/api/admin/settings", { provider: "ollama",
		    api_key: SECRET, base_url: fake.url });
		const said = await root.post("/api/chat/stream", { prompt: "hello" });
		ids = { sid: said.text.match(/"session_id":"([^"]+)"/)[1],
		    uid: await user_id(server, "ann") };
	});
	after(async () => {
		server.kill();
		await server.ended;
		await fake.stop();
	});

	// A request that would do something, for every route of the table.
	const BODIES = {
		"/api/auth/register": () => ({ username: "late", password: "Late-Pass-12" }),
		"/api/auth/login": () => ({ username: "ann", password: "ann-Password-1" }),
		"/api/auth/forgot-password": () => ({ email: "ann@example.test" }),
		"/api/auth/reset-password": () => ({ token: "A".repeat(43),
		    password: "Late-Pass-12", cpassword: "Late-Pass-12" }),
		"/api/profile": () => ({ full_name: `Root ${Math.random()}` }),
		"/api/profile/password": () => ({ current_password: ADMIN.password,
		    new_password: ADMIN.password, confirm_new_password: ADMIN.password }),
		"/api/account/delete": () => ({ password: "wrong-one-1" }),
		"/api/chat/stream": () => ({ prompt: "hello", session_id: ids.sid }),
		"/api/rename/*": () => ({ title: `T ${Math.random()}` }),
		"/api/session/*/config": () => ({ model: "m", temperature: 0.5 }),
		"/api/user/settings": () => ({ theme: "dark", system_prompt: "x" }),
		"/api/provider/config": () => ({ provider: "ollama", api_key: SECRET }),
		"/api/chat/tool": () => ({ session_id: ids.sid, call_id: 1,
		    allow: true }),
		"/api/tools": () => ({ definition: { name:
		    `t${Math.floor(Math.random() * 1e9)}` } }),
		"/api/tools/*": () => ({ enabled: false }),
		"/api/websearch": () => ({ query: " " }),
		"/api/file/read": () => ({ path: "no/such/file" }),
		"/api/admin/users": () => ({ username: `n${Math.floor(Math.random() * 1e9)}`,
		    password: "Late-Pass-12" }),
		"/api/admin/users/*/role": () => ({ role: "user" }),
		"/api/admin/user/*/password": () => ({ password: "ann-Password-1" }),
		"/api/admin/user/*/block": () => ({ blocked: false }),
		"/api/admin/settings": () => ({ allow_registration: true }),
	};
	// Of no use here: they end what the others need, or are tested alone.
	const SKIPPED = new Set(["POST /api/auth/logout",
	    "DELETE /api/admin/users/*", "DELETE /api/sessions/*",
	    "DELETE /api/profile/sessions/*", "GET /ws/chat"]);
	const table = routes().filter((r) => !SKIPPED.has(`${r.method} ${r.path}`));

	const request = (route) => {
		const at = route.path.replace("*", route.path.startsWith("/api/admin") ?
		    ids.uid : ids.sid).replaceAll("*", "x");
		const opts = route.method === "GET" ? {} :
		    route.path === "/api/import/db" ? { body: "no database",
			headers: { "content-type": "application/octet-stream" } } :
		    { json: (BODIES[route.path] ?? (() => ({})))() };
		// A login would end the session that it presents.
		return (route.path.startsWith("/api/auth/") && route.method === "POST" ?
		    server.client() : again(root)).request(route.method, at, opts);
	};

	function is_silent(r, what) {
		const is_file = r.status === 200 &&
		    /sqlite3/.test(r.headers["content-type"] ?? "");
		// "not_sqlite" is a finding's code, in the administrator's log.
		const text = JSON.stringify(r.headers) +
		    (is_file ? "" : r.text.replaceAll("not_sqlite", ""));
		if (!is_file)
			for (const bad of [/sqlite/i, /\bSELECT\b/, /\bINSERT\b/, /\.c:\d/,
			    /errno/i, /constraint/i, /no such (table|column)/i, /malformed/i])
				assert.doesNotMatch(text, bad, what);
		for (const bad of [SECRET, server.data, server.dir, "neural_memory"])
			assert.ok(!text.includes(bad), `${what}: ${bad}`);
		if (r.status === 500)
			assert.equal(r.text, INTERNAL, what);
		if (r.status >= 500)
			assert.match(r.headers["x-request-id"], /^\w{12}$/, what);
	}
	// Every route, a few at a time; how often each status came.
	async function everywhere(what, of = table) {
		const seen = {};
		const work = [...of];
		const one = async () => {
			for (let route = work.shift(); route; route = work.shift()) {
				const r = await request(route);
				is_silent(r, `${what}: ${route.method} ${route.path} ` +
				    `${r.status} ${r.text.slice(0, 300)}`);
				seen[r.status] = (seen[r.status] ?? 0) + 1;
			}
		};
		await Promise.all([one(), one(), one(), one()]);
		return seen;
	}

	it("with everything well there is no 5xx", async () => {
		const seen = await everywhere("well");
		assert.deepEqual(Object.keys(seen).filter((s) => s >= 500), [],
		    JSON.stringify(seen));
	});

	it("a locked database: 503 with Retry-After, or the reply without it; " +
	    "reading goes on", async () => {
		const lock = await hold_lock(server);
		try {
			for (const at of ["/api/history", "/api/auth/me", "/healthz"])
				assert.equal((await root.get(at)).status, 200, at);
			const r = await root.post(`/api/rename/${ids.sid}`, { title: "x" });
			assert.equal(r.status, 503);
			assert.match(r.headers["retry-after"], /^\d+$/);
			is_silent(r, "locked");
			has_headers(r, "api", "locked");
			await everywhere("locked", table.filter((one) =>
				one.method !== "GET" && !one.path.startsWith("/api/auth/") &&
				!/password|account|import|admin\/users$/.test(one.path)));
		} finally {
			await lock.release();
		}
	});

	for (const name of ["user", "session", "setting", "user_setting",
	    "conversation", "message", "audit", "generation", "tool"])
		it(`without the table ${name}`, async () => {
			const rename = (from, to) => change(server,
			    "PRAGMA legacy_alter_table = ON; PRAGMA foreign_keys = OFF; " +
			    `ALTER TABLE ${from} RENAME TO ${to};`);
			await rename(name, "gone");
			let seen;
			try {
				seen = await everywhere(`no ${name}`);
			} finally {
				await rename("gone", name);
			}
			assert.ok(seen[500] > 0 || seen[401] > 0, JSON.stringify(seen));
			assert.equal((await again(root).get("/api/auth/me")).status, 200);
		});

	it("writes that fail with a message of the database", async () => {
		const tables = ["user", "session", "setting", "user_setting",
		    "conversation", "message", "audit"];
		const on = tables.flatMap((t) => ["INSERT", "UPDATE"].map((act) =>
			`CREATE TRIGGER bad_${t}_${act} BEFORE ${act} ON ${t} BEGIN ` +
			`SELECT RAISE(ABORT, 'SELECT sqlite x.c:1 ${SECRET}'); END;`));
		await change(server, on.join("\n"));
		let seen;
		try {
			seen = await everywhere("triggers");
		} finally {
			await change(server, tables.flatMap((t) => ["INSERT", "UPDATE"]
			    .map((act) => `DROP TRIGGER bad_${t}_${act};`)).join("\n"));
		}
		assert.ok(Object.keys(seen).some((s) => s >= 400), JSON.stringify(seen));
	});

	it("rows that make no sense", async () => {
		const pragma = "PRAGMA ignore_check_constraints = ON;";
		const breaks = [
			["UPDATE message SET content = CAST(x'ff00fe' AS TEXT), created_ms = " +
			    "-9223372036854775808;"],
			["UPDATE conversation SET title = CAST(x'fffe' AS TEXT), model = " +
			    "CAST(x'ff' AS TEXT), updated_ms = 9223372036854775807;"],
			["UPDATE message SET role = 'x', state = 'y';"],
			["UPDATE setting SET value = 'garbage' WHERE name = 'api_key';"],
			["INSERT OR REPLACE INTO setting VALUES ('temperature', 'hot', 0), " +
			    "('context_tokens', 'many', 0), ('auto_title', 'so', 0), " +
			    "('allow_registration', 'perhaps', 0);"],
			["UPDATE user SET password_hash = '$argon2id$v=19$x' WHERE " +
			    "username = 'ann';"],
			["UPDATE user SET role = 'x', full_name = CAST(x'ff' AS TEXT) WHERE " +
			    "username = 'ann';"],
		];
		for (const [sql] of breaks) {
			await change(server, pragma + sql);
			await everywhere(sql);
		}
		await change(server, `${pragma} UPDATE user SET role = 'user', full_name = ` +
		    "NULL; UPDATE user SET role = 'admin' WHERE username = " +
		    `'${ADMIN.username}'; UPDATE message SET role = 'user', ` +
		    "state = 'complete', content = 'x', created_ms = 1; DELETE FROM setting " +
		    "WHERE name IN ('temperature', 'context_tokens', 'auto_title', 'allow_registration', 'api_key');");
	});

	it("a provider that is dead, or says too much", async () => {
		const ask = async (opts) => {
			const r = await again(root).post("/api/chat/stream",
			    { prompt: "hello", ...opts });
			is_silent(r, JSON.stringify(opts));
			return r.text;
		};
		assert.match(await ask({ model: "broken" }), /"type":"error"/);
		await root.post("/api/admin/settings", { provider: "ollama",
		    base_url: "http://127.0.0.1:1" });
		assert.match(await ask({}), /"type":"error"/);
		const models = await root.get("/api/models");
		assert.deepEqual(models.json, { models: [], stale: true });
		await everywhere("dead provider", table.filter((r) =>
			/models|health|chat|settings|config/.test(r.path)));
		await root.post("/api/admin/settings", { provider: "ollama",
		    base_url: fake.url, api_key: SECRET });
	});

	it("a wrong SECRET_KEY says so instead of sending garbage to a provider",
	    async () => {
		await server.stop();
		const env = fs.readFileSync(server.env_file, "utf8");
		fs.writeFileSync(server.env_file, env.replace(/^SECRET_KEY=.*$/m,
		    `SECRET_KEY=${"wrong-key-but-long-enough-0123456789"}`));
		await server.start();
		assert.equal((await again(root).get("/api/auth/me")).status, 401);
		root = await server.login();
		const asked = fake.requests.length;
		const r = await root.post("/api/chat/stream", { prompt: "hello" });
		is_silent(r, "wrong key");
		assert.equal(r.status, 503);
		assert.match(r.json.error, /key/i);
		assert.equal(fake.requests.slice(asked).length, 0,
		    "nothing was sent to the provider");
		const conf = (await root.get("/api/admin/settings")).json;
		assert.deepEqual([conf.api_key_set, conf.api_key_last4], [true, null]);
		await everywhere("wrong key");
		await server.stop();
		fs.writeFileSync(server.env_file, env);
		await server.start();
		root = await server.login();
	});

	it("a file that is no database any more", async () => {
		await change(server, "PRAGMA wal_checkpoint(TRUNCATE);");
		const fd = fs.openSync(server.db, "r+");
		const junk = Buffer.alloc(4096, `SELECT sqlite x.c:1 ${SECRET} `);
		for (let at = 4096; at < fs.fstatSync(fd).size; at += 4096)
			fs.writeSync(fd, junk, 0, junk.length, at);
		fs.closeSync(fd);
		await change_nothing();
		await everywhere("junk");
		const r = await new Client(server, "127.9.9.9").get("/healthz");
		assert.ok([200, 503].includes(r.status));
		is_silent(r, "healthz");
	});
	// The workers' page caches are given up when the file changes.
	async function change_nothing() {
		await change(server, "PRAGMA user_version;").catch(() => {});
	}
});
