// The security contract: headers, the audit log, secrets on disk.

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { ADMIN, FIXTURES, startServer, until } from "./harness.mjs";
import { audit, change, has_headers, last_audit, user_id } from
    "./security_kit.mjs";

const PLANTED = {
	password: "Planted-Password-8f3a",
	new_password: "Planted-Other-Pass-77c1",
	key: "sk-planted-key-5e2b-9d7f-LAST",
	prompt: "Planted question 1c9e",
};

describe("headers", () => {
	let server, root;
	before(async () => {
		server = await startServer({ workers: 4, users: [{ username: "ann" }] });
		root = await server.login();
		await change(server, "INSERT INTO conversation(id, user_id, title, " +
		    "created_ms, updated_ms) VALUES ('c1', " +
		    `'${await user_id(server, ADMIN.username)}', ` +
		    "'<script>alert(1)</script>', 1, 1); INSERT INTO " +
		    "message(conversation_id, role, content, created_ms) VALUES ('c1', " +
		    "'user', '<script>alert(2)</script><img src=x onerror=alert(3)>', 1);");
	});
	after(() => server.stop());

	it("pages: the CSP without unsafe-*, nosniff, no-referrer, COOP, CORP, " +
	    "Permissions-Policy, no-store, HSTS", async () => {
		for (const [c, at] of [[root, "/"], [root, "/settings"],
		    [root, "/profile"], [root, "/admin"], [server.client(), "/login"],
		    [server.client(), "/reset-password/x"]]) {
			const r = await c.get(at);
			assert.equal(r.status, 200, at);
			has_headers(r, "page", at);
			assert.match(r.headers["content-type"], /^text\/html; charset=utf-8$/);
		}
	});

	it("API and files: default-src 'none'; sandbox; on every kind of reply",
	    async () => {
		const nobody = server.client();
		const json = { headers: { "content-type": "application/json" } };
		for (const [status, ask] of [
			[200, () => root.get("/api/auth/me")],
			[200, () => root.request("HEAD", "/api/auth/me")],
			[200, () => root.get("/healthz")],
			[200, () => root.get("/favicon.ico")],
			[200, () => root.get("/api/export/c1?format=html")],
			[200, () => root.get("/api/export/c1?format=md")],
			[200, () => root.get("/api/export/db")],
			[200, () => root.get("/api/export/db?format=json")],
			[200, () => root.post("/api/chat/stream", { prompt: "hello" })],
			[302, () => nobody.get("/")],
			[400, () => root.request("POST", "/api/rename/c1", { ...json, body: "{" })],
			[401, () => nobody.get("/api/history")],
			[401, () => nobody.login("nobody", "wrong-password")],
			[403, () => root.post("/api/rename/c1", {}, { headers: {
			    "x-requested-with": null } })],
			[404, () => root.get("/api/chat/none")],
			[404, () => nobody.get("/nothing")],
			[404, () => nobody.get("/static/assets/none.js")],
			[405, () => root.request("PUT", "/api/history", { json: {} })],
			[413, () => root.post("/api/rename/c1", { title: "x".repeat(70000) })],
			[415, () => root.request("POST", "/api/rename/c1", { body: "x" })],
			[421, () => root.get("/", { headers: { host: "else.example" } })],
			[426, () => root.get("/ws/chat")],
		]) {
			const r = await ask();
			assert.equal(r.status, status, String(ask));
			has_headers(r, "api", String(ask));
		}
	});

	it("Cache-Control: no-store except hashed assets", async () => {
		const page = await root.get("/");
		const assets = [...page.text.matchAll(/"(\/static\/[^"]+)"/g)]
		    .map((m) => m[1]);
		assert.ok(assets.length >= 3);
		for (const at of assets)
			for (const encoding of ["identity", "gzip"]) {
				const r = await root.get(at, { headers: { "accept-encoding": encoding } });
				assert.equal(r.status, 200);
				has_headers(r, "asset", at);
			}
	});

	it("exported HTML is served so that no script in it can run", async () => {
		const r = await root.get("/api/export/c1?format=html");
		assert.match(r.headers["content-disposition"], /^attachment; filename="[\w.-]+"$/);
		assert.match(r.headers["content-security-policy"], /sandbox/);
		assert.doesNotMatch(r.text, /<script|<img|<[^>]+\son\w+=/i);
		assert.match(r.text, /&lt;script&gt;/);
	});

	it("microphone only for ourselves, everything else for nobody", async () => {
		const r = await root.get("/");
		assert.match(r.headers["permissions-policy"], /microphone=\(self\)/);
		assert.doesNotMatch(r.headers["permissions-policy"], /\*|https?:/);
	});
});

describe("audit", () => {
	let server, root;
	before(async () => {
		server = await startServer({ workers: 4,
		    env: { LOCALNEURAL_PUBLIC_URL: "https://ln.test" },
		    users: [{ username: "ann", password: PLANTED.password },
			{ username: "ben" }, { username: "cleo" }] });
		root = await server.login();
	});
	after(() => server.stop());

	// Whether the act leaves that row, and who and where are right.
	async function leaves(want, act) {
		const from = await last_audit(server);
		const r = await act();
		const fits = (row) => Object.entries(want).every(([k, v]) =>
			row[k] === v);
		let rows;
		await until(async () => {
			rows = await audit(server, from);
			return rows.some(fits);
		}, `the row ${JSON.stringify(want)}`).catch((e) =>
			assert.fail(`${e.message}; there is ${JSON.stringify(rows)}`));
		const row = rows.find(fits);
		if (r?.headers !== undefined) {
			assert.equal(row.request_id, r.headers["x-request-id"]);
			assert.match(row.address, /^127\.1\./);
		}
		return row;
	}
	const as_root = async (act, more) => ({ actor_kind: "user",
	    actor_id: await user_id(server, ADMIN.username), action: act, ...more });

	it("sign-ins and failures", async () => {
		const ann = await user_id(server, "ann");
		await leaves({ action: "auth.login", outcome: "ok", target: ann },
		    () => server.client().login("ann", PLANTED.password));
		await leaves({ action: "auth.login", outcome: "unauthenticated",
		    target: ann }, () => server.client().login("ann", PLANTED.new_password));
		// A password typed into the wrong field is not kept.
		const row = await leaves({ action: "auth.login",
		    outcome: "unauthenticated", target: null },
		    () => server.client().login(PLANTED.password, "x"));
		assert.match(row.detail, /^name=[0-9a-f]{16}$/);
		await server.lnctl_ok(["user", "block", "ann"]);
		await leaves({ action: "auth.login", outcome: "forbidden", target: ann },
		    () => server.client().login("ann", PLANTED.password));
		await server.lnctl_ok(["user", "unblock", "ann"]);
	});

	it("registration, taken names too", async () => {
		const body = { username: "newbie", password: PLANTED.password };
		const register = () => server.client().post("/api/auth/register", body);
		await leaves({ action: "auth.register", outcome: "ok" }, register);
		await leaves({ action: "auth.register", outcome: "conflict", target: null },
		    register);
	});

	it("resets: the link, its use, a bad one", async () => {
		const id = await user_id(server, "ben");
		let token;
		await leaves({ action: "auth.reset_issue", target: id, actor_kind: "shell" },
		    async () => {
			token = (await server.lnctl_ok(["user", "reset-link", "ben"])).stdout
			    .match(/reset-password\/([\w-]{43})/)[1];
		});
		const use = () => server.client().post("/api/auth/reset-password", { token,
		    password: PLANTED.password, cpassword: PLANTED.password });
		await leaves({ action: "auth.reset", outcome: "ok", target: id }, use);
		await leaves({ action: "auth.reset", outcome: "invalid" }, use);
		assert.ok(!JSON.stringify(await audit(server)).includes(token));
		server.passwords.ben = PLANTED.password;
	});

	it("password, role, block, delete, by an administrator", async () => {
		const id = await user_id(server, "cleo");
		const at = `/api/admin/user/${id}`;
		await leaves(await as_root("user.password", { target: id, outcome: "ok" }),
		    () => root.post(`${at}/password`, { password: PLANTED.new_password }));
		await leaves(await as_root("user.role", { target: id, detail: "admin" }),
		    () => root.put(`/api/admin/users/${id}/role`, { role: "admin" }));
		await leaves(await as_root("user.block", { target: id, detail: "spam" }),
		    () => root.post(`${at}/block`, { blocked: true, reason: "spam" }));
		await leaves(await as_root("user.unblock", { target: id }),
		    () => root.post(`${at}/block`, { blocked: false }));
		await leaves(await as_root("user.sessions_end", { target: id }),
		    () => root.post(`${at}/sessions/revoke`, {}));
		await leaves(await as_root("user.read", { target: id }),
		    () => root.get(at));
		await leaves(await as_root("user.delete", { target: id }),
		    () => root.delete(`/api/admin/users/${id}`));
		await leaves(await as_root("user.create"), () => root.post(
		    "/api/admin/users", { username: "dora", password: PLANTED.password }));
	});

	it("the same from the shell", async () => {
		const id = await user_id(server, "dora");
		const shell = (action, ...words) => leaves({ actor_kind: "shell", action,
		    target: id, outcome: "ok" }, async () => {
			await server.lnctl_ok(["user", ...words],
			    { stdin: PLANTED.password });
		});
		await shell("user.password", "passwd", "dora", "--password-stdin",
		    "--no-input");
		await shell("user.role", "role", "dora", "admin");
		await shell("user.block", "block", "dora");
		await shell("user.unblock", "unblock", "dora");
		await shell("user.sessions_end", "logout", "dora");
		await shell("user.profile", "rename", "dora", "dorothea");
		await shell("user.delete", "delete", "dorothea", "--confirm", "dorothea");
	});

	it("what people do to themselves, and where they fail", async () => {
		const ben = await server.login("ben");
		const id = await user_id(server, "ben");
		const own = (action, more) => ({ actor_id: id, target: id, action, ...more });
		const set = (current_password) => () => ben.post("/api/profile/password", {
			current_password, new_password: PLANTED.new_password,
			confirm_new_password: PLANTED.new_password });
		await leaves(own("user.password", { outcome: "unauthenticated" }),
		    set("wrong-one-1"));
		await leaves(own("user.password", { outcome: "ok" }),
		    set(PLANTED.password));
		server.passwords.ben = PLANTED.new_password;
		await leaves(own("user.profile", { detail: "email" }), () =>
			ben.put("/api/profile", { email: "ben@example.test" }));
		const other = await server.login("ben");
		const { sessions } = (await other.get("/api/profile/sessions")).json;
		await leaves(own("user.session_end"), () => ben.delete(
		    `/api/profile/sessions/${sessions.find((s) => s.current).id}`));
		await leaves(own("user.export"), () => ben.get("/api/export/db"));
		await leaves(own("setting.set", { detail: "api_key" }), () =>
			ben.post("/api/user/settings", { provider: "ollama",
			    api_key: PLANTED.key }));
		await leaves({ action: "user.delete", outcome: "unauthenticated" }, () =>
			ben.post("/api/account/delete", { password: "wrong-one-1" }));
		await leaves({ action: "user.delete", target: id, outcome: "ok" }, () =>
			ben.post("/api/account/delete", { password: PLANTED.new_password }));
	});

	it("settings, export, import and its refusal", async () => {
		await leaves(await as_root("setting.set", { detail: "allow_registration" }),
		    () => root.post("/api/admin/settings", { allow_registration: true }));
		await leaves(await as_root("provider.set", { target: null }),
		    () => root.post("/api/admin/settings", { provider: "ollama",
			api_key: PLANTED.key }));
		await leaves(await as_root("db.export", { outcome: "ok" }),
		    () => root.get("/api/export/db"));
		const dump = path.join(server.dir, "dump.db");
		await leaves({ actor_kind: "shell", action: "db.export" },
		    async () => {
			await server.lnctl_ok(["db", "export", dump]);
		});
		const give = (body, query = "") => root.request("POST",
		    `/api/import/db${query}`, { body, headers: {
			"content-type": "application/octet-stream" } });
		for (const query of ["", "?dry_run=1"])
			await leaves(await as_root("db.import", { outcome: "invalid" }),
			    async () => {
				const r = await give("not a database at all", query);
				assert.deepEqual(r.json, { error: "Invalid database file" });
			});
		await leaves({ action: "db.import", outcome: "ok" }, async () => {
			const r = await give(fs.readFileSync(path.join(FIXTURES,
			    "legacy_scrypt.db")));
			assert.equal(r.status, 200, r.text);
		});
		root = await server.login();
	});

	it("a chat leaves no text of it in the log", async () => {
		await root.post("/api/chat/stream", { prompt: PLANTED.prompt,
		    provider: "offline" });
		assert.ok(!JSON.stringify(await audit(server)).includes(PLANTED.prompt));
		assert.ok(!server.log.includes(PLANTED.prompt));
	});

	it("never a secret: the planted ones are in no row, no log, no file of " +
	    "the data folder and no reply", async () => {
		await root.post("/api/admin/settings", { provider: "openai" });
		const set = await root.post("/api/admin/settings", { provider: "ollama",
		    api_key: PLANTED.key });
		assert.equal(set.status, 200, set.text);
		const cookie = root.cookies.get("__Host-ln_session");
		const secret = fs.readFileSync(server.env_file, "utf8")
		    .match(/^SECRET_KEY=(\S+)/m)[1];
		const secrets = [PLANTED.password, PLANTED.new_password, PLANTED.key,
		    ADMIN.password, cookie, cookie.split(".")[1], secret];
		await change(server, "PRAGMA wal_checkpoint(TRUNCATE);");
		const places = [["audit", JSON.stringify(await audit(server))],
		    ["log", server.log]];
		for (const at of ["/api/admin/settings", "/api/user/settings",
		    "/api/provider/config", "/api/admin/users", "/api/admin/audit",
		    "/api/auth/me", "/api/profile/sessions", "/api/export/db",
		    "/api/export/db?format=json"])
			places.push([at, (await root.get(at)).bytes]);
		for (const name of fs.readdirSync(server.data, { recursive: true })) {
			const file = path.join(server.data, name);
			if (fs.statSync(file).isFile())
				places.push([name, fs.readFileSync(file)]);
		}
		for (const [where, bytes] of places)
			for (const s of secrets)
				assert.equal(bytes.includes(s), false, `${s} is in ${where}`);
		const conf = (await root.get("/api/admin/settings")).json;
		assert.deepEqual([conf.api_key_set, conf.api_key_last4], [true, "LAST"]);
	});

	it("logs are one line an event; control characters escaped", async () => {
		await root.post("/api/auth/login", { username: "a\nev=fake\x1b[31m",
		    password: "x\r\ny" });
		await root.get("/api/x%0aev=fake");
		for (const line of server.log.trimEnd().split("\n")) {
			assert.match(line, /^(ts=\S+ level=\w+ ev=[\w.]+|ready https:)/);
			assert.doesNotMatch(line, /[\x00-\x1f\x7f]|ev=fake/);
		}
	});

	it("append-only; lnctl audit verify finds any edit or removal of who " +
	    "goes around that", async () => {
		const verify = async () => (await server.lnctl(["audit", "verify"])).code;
		const last = "id = (SELECT max(id) FROM audit)";
		assert.equal(await verify(), 0);
		for (const sql of [`UPDATE audit SET outcome = 'x' WHERE ${last};`,
		    `DELETE FROM audit WHERE ${last};`])
			await assert.rejects(change(server, sql), /append-only/);
		const guards = await server.sql("SELECT name FROM sqlite_schema WHERE " +
		    "type = 'trigger' AND tbl_name = 'audit'");
		await change(server, guards.map((g) => `DROP TRIGGER ${g.name};`).join(""));
		const [{ id, outcome }] = await server.sql("SELECT id, outcome FROM audit " +
		    "ORDER BY id DESC LIMIT 1 OFFSET 3");
		await change(server, `UPDATE audit SET outcome = 'x' WHERE id = ${id};`);
		assert.equal(await verify(), 7);
		await change(server, `UPDATE audit SET outcome = '${outcome}' WHERE id = ${id};`);
		assert.equal(await verify(), 0);
		await change(server, `DELETE FROM audit WHERE ${last};`);
		assert.equal(await verify(), 7);
	});

	it("data folder 0700, files 0600", () => {
		const mode = (f) => fs.statSync(f).mode & 0o777;
		assert.equal(mode(server.data), 0o700);
		for (const name of fs.readdirSync(server.data, { recursive: true })) {
			const file = path.join(server.data, name);
			// The certificate is what everybody may see.
			if (name !== "tls.crt")
				assert.equal(mode(file), fs.statSync(file).isDirectory() ?
				    0o700 : 0o600, name);
		}
		assert.equal(mode(server.env_file), 0o600);
	});
});
