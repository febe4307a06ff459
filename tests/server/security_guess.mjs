// The security contract: enumeration, resets, CSRF, origins, hosts, order.

import assert from "node:assert/strict";
import os from "node:os";
import { after, before, describe, it } from "node:test";
import { ADMIN, startServer } from "./harness.mjs";
import { UUID, again, audit, body_of, change, has_headers, last_audit, routes, shape,
    user_id } from "./security_kit.mjs";

const FLOOR_MS = 250;
const URL_BASE = "https://chat.example.test";

async function timed(promise) {
	const from = Date.now();
	const r = await promise;
	return Object.assign(r, { ms: Date.now() - from });
}

describe("enumeration", () => {
	let server;
	before(async () => {
		server = await startServer({ workers: 4,
		    env: { LOCALNEURAL_PUBLIC_URL: URL_BASE },
		    users: [{ username: "ann", email: "ann@example.test" },
			{ username: "bob", email: "bob@example.test" }] });
	});
	after(() => server.stop());

	const post = (path, json) => timed(server.client().post(path, json));

	it("login: unknown user and wrong password give 401 with the same bytes " +
	    "and the same floor of time", async () => {
		const names = ["nobody", "ann", "ANN", "ann@example.test",
		    "no@example.test", ADMIN.email, " ann ", "x".repeat(300), "'--"];
		const replies = [];
		for (const username of names)
			replies.push(await post("/api/auth/login",
			    { username, password: "not-the-password" }));
		assert.deepEqual(replies[0].json, { error: "Invalid username or password" });
		assert.equal(replies[0].status, 401);
		for (const [i, r] of replies.entries()) {
			assert.deepEqual(shape(r), shape(replies[0]), names[i]);
			assert.ok(r.ms >= FLOOR_MS, `${names[i]}: ${r.ms} ms`);
		}
	});

	it("login: user name or e-mail is accepted, in any case", async () => {
		for (const name of ["ann", "Ann", "ann@example.test",
		    "ANN@EXAMPLE.TEST", " ann "]) {
			const r = await post("/api/auth/login",
			    { username: name, password: "ann-Password-1" });
			assert.equal(r.status, 200, name);
			assert.equal(r.json.user_id, await user_id(server, "ann"));
			assert.ok(r.ms >= FLOOR_MS);
		}
	});

	it("a username that equals somebody's e-mail never shadows them",
	    async () => {
		// Only an import can bring one.
		await change(server, "UPDATE user SET username = 'ann@example.test', " +
		    "username_key = 'ann@example.test' WHERE username = 'bob';");
		for (const [password, name] of [["ann-Password-1", "ann"],
		    ["bob-Password-1", "ann@example.test"]])
			assert.equal((await post("/api/auth/login", {
				username: "ann@example.test", password })).json.user_id,
			    await user_id(server, name));
		await change(server, "UPDATE user SET username = 'bob', " +
		    "username_key = 'bob' WHERE email = 'bob@example.test';");
	});

	const fresh = { username: "newone", password: "Fresh-Password-1",
	    email: "new@example.test" };

	it("register: always 200 with a user id and no cookie; a duplicate name " +
	    "or e-mail gets the same bytes, and creates and changes nothing",
	    async () => {
		const before = await server.sql("SELECT * FROM user ORDER BY id");
		const taken = [];
		for (const [username, email] of [["ann", undefined], ["ANN", undefined],
		    ["other1", "ann@example.test"], ["other2", "Ann@Example.Test"],
		    ["ann", "ann@example.test"]])
			taken.push(await post("/api/auth/register",
			    { username, email, password: "Guess-Password-1" }));
		assert.deepEqual(await server.sql("SELECT * FROM user ORDER BY id"), before);
		const made = await post("/api/auth/register", fresh);
		assert.equal(made.json.user_id, await user_id(server, "newone"));
		const hide = [[UUID, "<uuid>"]];
		assert.equal(shape(made, hide).body,
		    '{"status":"success","user_id":"<uuid>"}');
		for (const r of taken) {
			assert.deepEqual(shape(r, hide), shape(made, hide));
			assert.ok(r.ms >= FLOOR_MS);
			assert.equal(r.headers["set-cookie"], undefined);
		}
		assert.equal(new Set([made, ...taken].map((r) => r.json.user_id)).size,
		    taken.length + 1, "every decoy is another one");
	});

	it("the role is always user, whatever the body says", async () => {
		const r = await post("/api/auth/register", { username: "sly",
		    password: "Sly-Password-1", role: "admin", is_admin: true,
		    id: "chosen", blocked: false });
		assert.equal(r.status, 200);
		assert.deepEqual(await server.sql("SELECT role, id = 'chosen' AS c FROM " +
		    "user WHERE username = 'sly'"), [{ role: "user", c: 0 }]);
	});

	it("register: input errors first and independent of the database; " +
	    "closed: 403", async () => {
		const bad = [
			[{ password: "Good-Password-1" }, "username"],
			[{ username: "ann" }, "password"],
			[{ username: "ann", password: "short" }, "password"],
			[{ username: "a b", password: "Good-Password-1" }, "username"],
			[{ username: "a", password: "Good-Password-1" }, "username"],
			[{ username: "ann", password: "Good-Password-1", cpassword: "x" },
			    "cpassword"],
			[{ username: "ann", password: "Good-Password-1",
			    email: `${"e".repeat(250)}@x.test` }, "email"],
		];
		const all = async () => {
			const out = [];
			for (const [body, field] of bad) {
				const r = await post("/api/auth/register", body);
				assert.equal(r.status, 400, JSON.stringify(body));
				assert.equal(r.json.field, field);
				out.push(shape(r));
			}
			return out;
		};
		const open = await all();
		const root = await server.login();
		await root.post("/api/admin/settings", { allow_registration: false });
		assert.deepEqual(await all(), open);
		const rs = [];
		for (const username of ["ann", "unknown9"])
			rs.push(await post("/api/auth/register",
			    { username, password: "Good-Password-1" }));
		await root.post("/api/admin/settings", { allow_registration: true });
		assert.deepEqual(shape(rs[0]), shape(rs[1]));
		assert.equal(rs[0].status, 403);
		assert.deepEqual(rs[0].json, { error: "Registration is disabled" });
	});

	it("forgot-password: missing or empty e-mail 400; otherwise always 404 " +
	    "user_not_found, known or not, mail working or not", async () => {
		for (const body of [{}, { email: "" }, { email: "  " }, { email: null }])
			assert.equal((await post("/api/auth/forgot-password", body)).status,
			    400);
		const replies = [];
		for (const email of ["ann@example.test", "no@example.test", "ann",
		    "ANN@EXAMPLE.TEST", "@", "a@b@c"])
			replies.push(await post("/api/auth/forgot-password", { email }));
		assert.equal(replies[0].status, 404);
		assert.equal(replies[0].text, '{"error":"user_not_found"}');
		for (const r of replies)
			assert.deepEqual(shape(r), shape(replies[0]));
	});

	const link = async (name, ...more) => (await server.lnctl_ok(["user",
	    "reset-link", name, "--json", ...more])).stdout
	    .match(/https:\/\/chat\.example\.test\/reset-password\/([\w-]{43})/)[1];
	const reset = (token, password) => server.client().post(
	    "/api/auth/reset-password", { token, password, cpassword: password });

	it("reset tokens: the link is built from LOCALNEURAL_PUBLIC_URL only, " +
	    "stored hashed, 60 minutes, kept out of logs", async () => {
		const token = await link("ann");
		const row = (await server.sql("SELECT hex(hash) AS h, created_ms, " +
		    "expires_ms FROM reset_token ORDER BY created_ms DESC"))[0];
		assert.equal(row.expires_ms - row.created_ms, 3600000);
		assert.notEqual(row.h.toLowerCase(),
		    Buffer.from(token, "base64url").toString("hex"));
		const page = await server.client().get(`/reset-password/${token}`);
		assert.equal(page.status, 200);
		has_headers(page, "page", "the page of a link");
		assert.doesNotMatch(page.text, new RegExp(token));
		assert.doesNotMatch(server.log, new RegExp(token));
	});

	it("GET /reset-password/<token> consumes nothing; single use, also when " +
	    "two race; a reset neither logs in nor unblocks", async () => {
		const token = await link("bob");
		await server.client().get(`/reset-password/${token}`);
		await server.lnctl_ok(["user", "block", "bob"]);
		const rs = await Promise.all(["Bob-Password-2x", "Bob-Password-3x"]
		    .map((p) => reset(token, p)));
		assert.deepEqual(rs.map((r) => r.status).sort(), [200, 400]);
		const won = rs.find((r) => r.status === 200);
		assert.equal(won.headers["set-cookie"], undefined);
		assert.deepEqual(won.json, { status: "success" });
		const password = `Bob-Password-${rs.indexOf(won) + 2}x`;
		assert.equal((await post("/api/auth/login",
		    { username: "bob", password })).status, 403, "still blocked");
		await server.lnctl_ok(["user", "unblock", "bob"]);
		await server.login("bob", password);
	});

	it("bad token: 400, used, expired, made up or malformed alike", async () => {
		const used = await link("ann");
		assert.equal((await reset(used, "Ann-Password-2x")).status, 200);
		const old = await link("ann");
		await change(server, "UPDATE reset_token SET expires_ms = " +
		    `${Date.now() - 1} WHERE used_ms IS NULL;`);
		const replies = [];
		for (const token of [used, old, "A".repeat(43), "x", "../..",
		    "A".repeat(500)])
			replies.push(await reset(token, "Other-Password-1"));
		for (const r of replies)
			assert.deepEqual(shape(r), shape(replies[0]));
		assert.deepEqual([replies[0].status, replies[0].json.error],
		    [400, "Invalid or expired reset token"]);
		await server.login("ann", "Ann-Password-2x");
	});

	it("a password that will not do costs nobody the link", async () => {
		const token = await link("ann");
		assert.equal((await reset(token, "short")).status, 400);
		assert.equal((await reset(token, "Ann-Password-3x")).status, 200);
	});

	it("what is another's and what is not there look alike: 404 with the " +
	    "same bytes", async () => {
		const [ann, root] = [await server.login("ann", "Ann-Password-3x"),
		    await server.login()];
		await change(server, "INSERT INTO conversation(id, user_id, title, " +
		    "created_ms, updated_ms) VALUES ('of-root', " +
		    `'${await user_id(server, ADMIN.username)}', 'Private', 1, 1);`);
		for (const [method, path, body] of [["GET", "/api/chat/*"],
		    ["GET", "/api/sessions/*/messages"], ["DELETE", "/api/sessions/*"],
		    ["POST", "/api/rename/*", { title: "x" }], ["POST", "/api/pin/*", {}],
		    ["POST", "/api/archive/*", {}], ["GET", "/api/session/*/config"],
		    ["POST", "/api/session/*/config", { model: "x" }],
		    ["GET", "/api/export/*"]]) {
			const ask = (id) => ann.request(method, path.replace("*", id),
			    body_of(method, body));
			const [there, not] = [await ask("of-root"), await ask("nowhere")];
			assert.equal(there.status, 404, path);
			assert.deepEqual(shape(there), shape(not), path);
		}
		assert.equal((await root.get("/api/chat/of-root")).status, 200);
	});
});

describe("CSRF and origins", () => {
	let server, root;
	before(async () => {
		server = await startServer({ workers: 4,
		    env: { LOCALNEURAL_PUBLIC_URL: URL_BASE,
			LOCALNEURAL_ALLOWED_HOSTS: "box.example.test" },
		    users: [{ username: "ann" }] });
		root = await server.login();
	});
	after(() => server.stop());

	const changing = routes().filter((r) => r.method !== "GET");
	const at = (route) => route.path.replaceAll("*", "none");
	const send = (route, headers, c = again(root)) => c.request(route.method, at(route),
	    { ...body_of(route.method, {}), headers });
	const refused = (r, what) => {
		assert.deepEqual([r.status, r.text],
		    [403, '{"error":"CSRF validation failed"}'], what);
		has_headers(r, "api", what);
	};

	it("POST, PUT, DELETE to /api/ need X-Requested-With: XMLHttpRequest " +
	    "exactly, else 403", async () => {
		for (const route of changing.filter((r) => !r.flags.includes("R_AUTH")))
			for (const value of [null, "xmlhttprequest"])
				refused(await send(route, { "x-requested-with": value }),
				    `${route.method} ${route.path} ${value}`);
		for (const value of ["XMLHttpRequest ,x", "XMLHttpRequestX"])
			refused(await send(changing.find((r) => r.path === "/api/profile"),
			    { "x-requested-with": value }), value);
	});

	it("/api/auth/* is exempt, but there the body must be application/json " +
	    "(415)", async () => {
		for (const route of changing.filter((r) => r.flags.includes("R_AUTH")))
			for (const type of ["text/plain", "application/x-www-form-urlencoded",
			    "multipart/form-data; boundary=x", "application/jsonx"]) {
				const r = await server.client().request("POST", route.path, {
				    body: '{"username":"ann"}', headers: {
					"content-type": type, "x-requested-with": null } });
				assert.equal(r.status, 415, `${route.path} ${type}`);
			}
		const r = await server.client().post("/api/auth/login",
		    { username: "ann", password: "ann-Password-1" },
		    { headers: { "x-requested-with": null } });
		assert.equal(r.status, 200);
	});

	it("if Origin is present it must be ours, if Sec-Fetch-Site is present " +
	    "same-origin or none, on every state-changing route", async () => {
		const foreign = [{ origin: "https://evil.example" },
		    { "sec-fetch-site": "cross-site" }];
		for (const route of changing)
			for (const headers of foreign)
				refused(await send(route, headers, route.flags.includes("R_AUTH") ?
				    server.client() : undefined), `${route.method} ${route.path}`);
		const logout = (headers) => server.client().post("/api/auth/logout", {},
		    { headers });
		for (const headers of [{ origin: "null" },
		    { origin: `http://${server.host}` }, { origin: `https://localhost` },
		    { origin: `https://${server.host}.evil.example` },
		    { origin: `${server.url}/` }, { "sec-fetch-site": "same-site" },
		    { origin: server.url, "sec-fetch-site": "cross-site" }])
			refused(await logout(headers), JSON.stringify(headers));
		for (const headers of [{}, { origin: server.url }, { origin: URL_BASE },
		    { "sec-fetch-site": "same-origin" }, { "sec-fetch-site": "none" }])
			assert.equal((await logout(headers)).status, 200,
			    JSON.stringify(headers));
	});

	it("and on /ws/chat", async () => {
		const refusal = (opts) => assert.rejects(root.ws(opts),
		    (e) => e.status === 403, JSON.stringify(opts));
		await refusal({ origin: "https://evil.example" });
		await refusal({ origin: "null" });
		await refusal({ headers: { "sec-fetch-site": "cross-site" } });
		(await root.ws()).close();
	});

	it("no CORS headers, no answer to a preflight", async () => {
		for (const path of ["/api/auth/login", "/api/history", "/"]) {
			const r = await root.request("OPTIONS", path, { headers: {
				origin: "https://evil.example",
				"access-control-request-method": "POST" } });
			assert.ok(r.status >= 400, `${path} ${r.status}`);
			has_headers(r, "api", path);
		}
	});

	it("no GET changes state", async () => {
		const dump = async () => (await change(server,
		    ".dump --data-only --nosys\n")).split("\n").filter((l) =>
		    !/^INSERT INTO "?(audit|audit_head|sqlite_sequence)"?/.test(l) &&
		    // What the index keeps of its own work.
		    !/^INSERT INTO "?\w+_(data|idx|docsize|config|content)"?/.test(l));
		const was = await dump();
		for (const route of routes().filter((r) => r.method === "GET"))
			await root.get(at(route));
		assert.deepEqual(await dump(), was);
	});

	it("Host must be one of ours, so that a rebound DNS name finds nobody " +
	    "home: 400, and the log says which setting to change", async () => {
		// As a browser does: the name in TLS is the one in Host.
		const as = (host) => root.get("/api/auth/me", { headers: { host },
		    tls: { servername: /^[\d[]/.test(host) ? "" :
			host.replace(/:.*/, ""), rejectUnauthorized: false } });
		for (const host of ["evil.example", "localhost.evil.example",
		    "box.example.test.evil", `chat.example.test.evil:${server.port}`,
		    "127.0.0.1.nip.io:1", "localhost:x", "[::1", "127.0.0.1:"]) {
			const r = await as(host);
			assert.equal(r.status, 400, host);
			assert.doesNotMatch(r.text, new RegExp(ADMIN.username), host);
		}
		assert.match(server.log,
		    /host\.refused.*evil\.example.*LOCALNEURAL_ALLOWED_HOSTS/);
		for (const host of ["localhost", `127.0.0.1:${server.port}`,
		    "[::1]:1", "box.example.test", "chat.example.test:443",
		    os.hostname()])
			assert.equal((await as(host)).status, 200, host);
	});

	it("the order of checks: rate 429, session 401, CSRF 403, blocked 403, " +
	    "role 403, input 400/413/415, existence 404", async () => {
		const bad = { body: "{", headers: { "content-type": "text/plain",
		    "x-requested-with": null } };
		const path = "/api/admin/user/none/block";
		const ann = await server.login("ann");
		const post = (c, opts) => c.request("POST", path, opts);
		const now = async (c, opts, status, error) => {
			const r = await post(c, opts);
			assert.deepEqual([r.status, r.json?.error], [status, error]);
		};
		const with_header = { ...bad, headers: { "content-type": "text/plain" } };
		await now(server.client(), bad, 401, "Authentication required");
		await now(ann, bad, 403, "CSRF validation failed");
		await server.lnctl_ok(["user", "block", "ann"]);
		await now(ann, bad, 403, "CSRF validation failed");
		await now(ann, with_header, 403,
		    "Your account has been blocked. Contact an administrator.");
		await server.lnctl_ok(["user", "unblock", "ann"]);
		await now(ann, with_header, 403, "Administrator access required");
		await now(root, { ...with_header, body: "x".repeat(70000) }, 413,
		    "The request is too large");
		await now(root, with_header, 415, "The body must be application/json");
		await now(root, { body: "{", headers: {
			"content-type": "application/json" } }, 400, "Invalid JSON body");
		await now(root, { json: { blocked: "yes" } }, 400,
		    "A field has the wrong type");
		assert.equal((await post(root, { json: { blocked: true } })).status, 404);
		const flood = server.client();
		for (let i = 0; i < 120; i++)
			await flood.get("/api/auth/me");
		assert.equal((await post(flood, bad)).status, 429);
	});

	it("a refusal of somebody who is signed in is on record", async () => {
		const from = await last_audit(server);
		const ann = await server.login("ann");
		await ann.get("/api/admin/users");
		const deadline = Date.now() + 10000;
		let row;
		while (row === undefined && Date.now() < deadline)
			row = (await audit(server, from)).find((r) =>
			    r.action === "http.refused");
		assert.equal(row?.actor_id, await user_id(server, "ann"));
		assert.equal(row.outcome, "forbidden");
		assert.equal(row.detail, "GET /api/admin/users");
		assert.equal(row.address, ann.address);
	});
});
