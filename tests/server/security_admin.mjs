// The security contract: administrators, the last of them, blocking.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { start as start_fake } from "../fake/ollama.mjs";
import { ADMIN, startServer } from "./harness.mjs";
import { audit, body_of, last_audit, routes, user_id } from "./security_kit.mjs";

const BLOCKED = "Your account has been blocked. Contact an administrator.";

describe("admin", () => {
	let server, root, ann;
	before(async () => {
		server = await startServer({ workers: 4, users: [{ username: "ann",
		    email: "ann@example.test" }, { username: "ben" },
		    { username: "cleo" }] });
		root = await server.login();
		ann = await server.login("ann");
	});
	after(() => server.stop());

	it("/admin, /admin_dashboard, /admin/user/<uid>: anonymous 302 /login, " +
	    "not admin 302 /", async () => {
		for (const path of ["/admin", "/admin_dashboard", "/admin/user/x"]) {
			for (const [c, where] of [[server.client(), "/login"], [ann, "/"]]) {
				const r = await c.get(path);
				assert.deepEqual([r.status, r.headers.location, r.text],
				    [302, where, ""], path);
			}
			assert.equal((await root.get(path)).status, 200);
		}
	});

	it("/api/admin/*, database export and import: 401 without a session, 403 " +
	    "without the role", async () => {
		const table = routes().filter((r) => r.guard === "G_ADMIN");
		assert.ok(table.some((r) => r.path === "/api/import/db"));
		for (const r of routes().filter((one) => one.path.startsWith("/api/admin")))
			assert.equal(r.guard, "G_ADMIN", r.path);
		for (const { method, path } of table) {
			const at = path.replaceAll("*", await user_id(server, "ben"));
			const ask = (c) => c.request(method, at, body_of(method, {
			    blocked: true, role: "admin", password: "Some-Password-1" }));
			assert.equal((await ask(server.client())).status, 401, at);
			const r = await ask(ann);
			assert.deepEqual([r.status, r.json],
			    [403, { error: "Administrator access required" }], at);
		}
		assert.equal((await server.client().get("/api/export/db")).status, 401);
		const own = await ann.get("/api/export/db");
		assert.match(own.headers["content-type"], /^application\/json/);
		assert.ok(!own.text.includes(ADMIN.email), "an ordinary user's own data");
		await server.login("ben");
	});

	it("role is read on every request: who is demoted stops at the next " +
	    "one, on every worker", async () => {
		await server.lnctl_ok(["user", "role", "cleo", "admin"]);
		const cs = await Promise.all(Array.from({ length: 8 }, () =>
			server.login("cleo")));
		for (const c of cs)
			assert.equal((await c.get("/api/admin/users")).status, 200);
		await server.lnctl_ok(["user", "role", "cleo", "user"]);
		for (const c of cs)
			assert.equal((await c.get("/api/admin/users")).status, 401);
		const c = await server.login("cleo");
		assert.equal((await c.get("/api/admin/users")).status, 403);
	});

	it("when the e-mail belongs to an ordinary user nobody is promoted " +
	    "silently: --promote does it", async () => {
		const seed = (...more) => server.lnctl(["admin", "seed", "--email",
		    "ann@example.test", "--username", "someone", "--password-stdin",
		    "--no-input", ...more], { stdin: "Seeded-Password-1" });
		const role = async () => (await server.sql(
		    "SELECT role FROM user WHERE username = 'ann'"))[0].role;
		assert.equal((await seed()).code, 5);
		assert.equal(await role(), "user");
		const from = await last_audit(server);
		assert.equal((await seed("--promote")).code, 0);
		assert.equal(await role(), "admin");
		assert.ok((await audit(server, from)).some((r) =>
		    r.target !== null && r.detail === "promoted"));
		await server.lnctl_ok(["user", "role", "ann", "user"]);
		ann = await server.login("ann");
	});

	const acts = [
		["blocked", (id) => ["POST", `/api/admin/user/${id}/block`,
		    { blocked: true }], ["block"]],
		["demoted", (id) => ["PUT", `/api/admin/users/${id}/role`,
		    { role: "user" }], ["role"]],
		["deleted", (id) => ["DELETE", `/api/admin/users/${id}`], ["delete"]],
	];
	const by_shell = (name, word) => server.lnctl(["user", word, name,
	    ...(word === "role" ? ["user"] : []),
	    ...(word === "delete" ? ["--confirm", name] : []), "--no-input"]);
	const admins = async () => (await server.sql("SELECT username FROM user " +
	    "WHERE role = 'admin' AND blocked_ms IS NULL")).map((r) => r.username);

	for (const [what, request, [word]] of acts) {
		it(`the last active admin can't be ${what} (409 / exit 6), also by ` +
		    "himself, and the refusal is on record", async () => {
			const id = await user_id(server, ADMIN.username);
			const from = await last_audit(server);
			const [method, path, json] = request(id);
			const r = await root.request(method, path, { json });
			assert.equal(r.status, 409, r.text);
			assert.match(r.json.error, new RegExp(`last administrator cannot be ${what}`));
			assert.equal((await by_shell(ADMIN.username, word)).code, 6);
			assert.deepEqual(await admins(), [ADMIN.username]);
			const rows = (await audit(server, from)).filter((one) =>
			    one.target === id && one.outcome === "conflict");
			assert.deepEqual(rows.map((one) => one.actor_kind), ["user", "shell"]);
			assert.equal(rows[0].request_id, r.headers["x-request-id"]);
		});

		it(`also when two requests race: ${what} by each other over the API`,
		    async () => {
			await server.lnctl_ok(["user", "role", "ben", "admin"]);
			const ben = await server.login("ben");
			const me = await server.login();
			const at = (id) => request(id);
			const ids = [await user_id(server, "ben"),
			    await user_id(server, ADMIN.username)];
			const rs = await Promise.all([[me, ids[0]], [ben, ids[1]]]
			    .map(([c, id]) => {
				const [method, path, json] = at(id);
				return c.request(method, path, { json });
			}));
			const left = await admins();
			assert.equal(left.length, 1, JSON.stringify(rs.map((r) => r.text)));
			assert.equal(rs.filter((r) => r.status === 200).length, 1);
			await restore();
		});

		it(`and when API and shell race: ${what}`, async () => {
			await server.lnctl_ok(["user", "role", "ben", "admin"]);
			const me = await server.login();
			const [method, path, json] = request(await user_id(server, "ben"));
			const [r, shell] = await Promise.all([
				me.request(method, path, { json }),
				by_shell(ADMIN.username, word),
			]);
			assert.equal((await admins()).length, 1,
			    `${r.status} ${shell.code} ${shell.stderr}`);
			await restore();
		});
	}

	// Root and ben as they were, whoever is gone.
	async function restore() {
		const have = async (name) => (await server.sql(
		    `SELECT 1 FROM user WHERE username = '${name}'`)).length > 0;
		for (const name of [ADMIN.username, "ben"])
			if (!await have(name))
				await server.add_user({ username: name,
				    password: server.passwords[name] });
		for (const words of [["unblock", ADMIN.username], ["unblock", "ben"],
		    ["role", ADMIN.username, "admin"], ["role", "ben", "user"]])
			await server.lnctl_ok(["user", ...words]);
		root = await server.login();
	}

	it("an admin's reading of another user is on record, his lists show no " +
	    "hash", async () => {
		const from = await last_audit(server);
		const id = await user_id(server, "ann");
		const r = await root.get(`/api/admin/user/${id}`);
		const list = await root.get("/api/admin/users");
		for (const text of [r.text, list.text])
			assert.doesNotMatch(text, /argon2|password_hash|\$v=/);
		const row = (await audit(server, from)).find((one) =>
		    one.action === "user.read");
		assert.deepEqual([row.actor_id, row.target, row.request_id],
		    [await user_id(server, ADMIN.username), id, r.headers["x-request-id"]]);
	});
});

describe("blocking", () => {
	let server, root, fake;
	before(async () => {
		fake = await start_fake();
		server = await startServer({ workers: 4, users: [{ username: "ann" },
		    { username: "bob" }, { username: "cleo" }],
		    env: { OLLAMA_API_URL: fake.url, LOCALNEURAL_MODEL: "llama3.2",
			LOCALNEURAL_ALLOWED_ENDPOINTS: fake.url } });
		root = await server.login();
	});
	after(async () => {
		await server.stop();
		await fake.stop();
	});

	const block = async (name, more = {}) => {
		const id = await user_id(server, name);
		const r = await root.post(`/api/admin/user/${id}/block`,
		    { blocked: true, ...more });
		assert.equal(r.status, 200, r.text);
		return id;
	};
	const unblock = async (name) => server.lnctl_ok(["user", "unblock", name]);

	it("a blocked user with the right password: login 403; with a wrong one " +
	    "the generic 401", async () => {
		await block("ann");
		const c = server.client();
		const right = await c.login("ann", "ann-Password-1");
		assert.deepEqual([right.status, right.json], [403, { error: BLOCKED }]);
		assert.equal(right.headers["set-cookie"], undefined);
		const wrong = await c.login("ann", "wrong-Password-1");
		assert.deepEqual([wrong.status, wrong.json],
		    [401, { error: "Invalid username or password" }]);
		await unblock("ann");
	});

	it("existing sessions remain, read-only: GET of own data, own export and " +
	    "logout work; every other method 403 with that text", async () => {
		const c = await server.login("ann");
		const events = [];
		for await (const e of c.stream("/api/chat/stream", { prompt: "hello" }))
			events.push(e);
		const sid = events.find((e) => e.type === "session_created").session_id;
		await block("ann");
		for (const path of ["/api/history", `/api/chat/${sid}`, "/api/profile",
		    "/api/auth/me", "/api/user/settings", "/api/profile/sessions",
		    `/api/export/${sid}`, "/api/export/db", "/", "/settings"])
			assert.equal((await c.get(path)).status, 200, path);
		for (const { method, path, guard } of routes()) {
			if (method === "GET" || guard === "G_ANYONE")
				continue;
			const r = await c.request(method, path.replaceAll("*", sid),
			    body_of(method, {}));
			assert.deepEqual([r.status, r.json], [403, { error: BLOCKED }], path);
		}
		assert.equal((await c.post("/api/auth/logout", {})).status, 200);
		await unblock("ann");
	});

	it("on /ws/chat the attempt gets an error; the socket stays", async () => {
		const c = await server.login("bob");
		const ws = await c.ws();
		await block("bob");
		for (const type of ["user_message", "regenerate", "stop_generation"]) {
			ws.send({ type, prompt: "hello", session_id: "x" });
			assert.equal((await ws.next("error")).error,
			    "Your account has been blocked.");
		}
		ws.send({ type: "ping" });
		await ws.next("pong");
		await unblock("bob");
		ws.send({ type: "user_message", prompt: "hello" });
		await ws.next("stream_done");
		c.close();
	});

	it("takes effect at the next request or frame, from API or shell, on all " +
	    "workers", async () => {
		const cs = await Promise.all(Array.from({ length: 8 }, () =>
			server.login("cleo")));
		const statuses = async () => new Set((await Promise.all(cs.map((c) =>
			c.put("/api/profile", {})))).map((r) => r.status));
		assert.deepEqual([...await statuses()], [200]);
		await server.lnctl_ok(["user", "block", "cleo"]);
		assert.deepEqual([...await statuses()], [403]);
		await server.lnctl_ok(["user", "unblock", "cleo"]);
		assert.deepEqual([...await statuses()], [200]);
	});

	it("ending the sessions is a separate act", async () => {
		const c = await server.login("cleo");
		await block("cleo");
		assert.equal((await c.get("/api/auth/me")).status, 200);
		const from = await last_audit(server);
		const id = await block("cleo", { revoke_sessions: true });
		assert.equal((await c.get("/api/auth/me")).status, 401);
		assert.ok((await audit(server, from)).some((r) =>
		    r.action === "user.sessions_end" && r.target === id));
		await unblock("cleo");
		const again = await server.login("cleo");
		await server.lnctl_ok(["user", "block", "cleo", "--revoke-sessions"]);
		assert.equal((await again.get("/api/auth/me")).status, 401);
		await unblock("cleo");
	});

	it("unblocking restores everything", async () => {
		const c = await server.login("cleo");
		await block("cleo");
		await unblock("cleo");
		assert.equal((await c.put("/api/profile", { full_name: "Cleo" })).status,
		    200);
		await server.login("cleo");
	});

	it("a blocked administrator is none", async () => {
		await server.lnctl_ok(["user", "role", "bob", "admin"]);
		const c = await server.login("bob");
		await block("bob");
		assert.equal((await c.post("/api/admin/settings",
		    { allow_registration: false })).status, 403);
		const file = await c.get("/api/export/db");
		assert.match(file.headers["content-type"], /^application\/json/);
		assert.equal((await root.get("/api/admin/settings")).json
		    .allow_registration, true);
	});
});
