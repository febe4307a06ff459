// The security contract, line by line: each test is named after the line it
// holds the server to, over HTTPS and with four workers.  Framing, sockets,
// TLS and slow clients: raw/.  The other sections: the files imported below.

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { ADMIN, run, startServer, temp_dir } from "./harness.mjs";
import { change, shape, user_id } from "./security_kit.mjs";

import "./security_guess.mjs";
import "./security_limits.mjs";
import "./security_admin.mjs";
import "./security_audit.mjs";
import "./security_errors.mjs";

const COOKIE = "__Host-ln_session";
const BIN = path.resolve(process.env.LN_BIN ?? "build");

describe("sessions", () => {
	let server;
	before(async () => {
		server = await startServer({ workers: 4, users: [
			{ username: "ann" }, { username: "ben" }, { username: "cleo" },
			{ username: "dan" }, { username: "eve" }, { username: "fay" },
			{ username: "gus" }, { username: "hal" }, { username: "ivy" },
		] });
	});
	after(() => server.stop());

	const me = async (c) => (await c.get("/api/auth/me")).status;
	const with_cookie = (value, name = COOKIE) => {
		const c = server.client();
		c.cookies.set(name, value);
		return c;
	};

	it("SECRET_KEY is required: at least 32 characters, not the example " +
	    "value; the server says what to do and exits before it binds",
	    async () => {
		for (const line of ["", "SECRET_KEY=short\n"]) {
			const dir = temp_dir();
			fs.writeFileSync(path.join(dir, ".env"), line, { mode: 0o600 });
			const r = await run(path.join(BIN, "localneural-server"),
			    ["--env-file", path.join(dir, ".env"),
			    "--listen", "127.0.0.1:0"],
			    { cwd: dir, env: { LOCALNEURAL_DB: path.join(dir, "x.db") } });
			assert.notEqual(r.code, 0);
			assert.match(r.stderr, /SECRET_KEY/);
			assert.doesNotMatch(r.stdout, /ready/);
			assert.deepEqual(fs.readdirSync(dir), [".env"]);
		}
	});

	it("Path=/; HttpOnly; SameSite=Lax; Max-Age=259200; Secure and __Host- " +
	    "on TLS; no Domain", async () => {
		const r = await server.client().login("ann", "ann-Password-1");
		assert.equal(r.status, 200);
		assert.equal(r.headers["set-cookie"].length, 1);
		assert.match(r.headers["set-cookie"][0], new RegExp(`^${COOKIE}=` +
		    "v1\\.[A-Za-z0-9_-]{43}\\.[A-Za-z0-9_-]{43}; Path=/; HttpOnly; " +
		    "SameSite=Lax; Max-Age=259200; Secure$"));
	});

	it("the database keeps a keyed hash of the id, never the id", async () => {
		const c = await server.login("ann");
		const id = Buffer.from(c.cookies.get(COOKIE).split(".")[1], "base64url");
		const rows = await server.sql("SELECT hex(hash) AS h FROM session");
		assert.ok(rows.length > 0);
		for (const { h } of rows)
			assert.notEqual(h.toLowerCase(), id.toString("hex"));
		await change(server, "PRAGMA wal_checkpoint(TRUNCATE);");
		const bytes = fs.readFileSync(server.db);
		assert.equal(bytes.includes(id), false);
		assert.equal(bytes.includes(c.cookies.get(COOKIE).split(".")[1]), false);
	});

	it("the cookie is signed: any change of id or MAC, another version or " +
	    "form is nobody", async () => {
		const c = await server.login("ann");
		const [v, id, mac] = c.cookies.get(COOKIE).split(".");
		const flip = (s) => (s[5] === "A" ? s.slice(0, 5) + "B" :
		    s.slice(0, 5) + "A") + s.slice(6);
		const stranger = (await server.login("ben")).cookies.get(COOKIE)
		    .split(".");
		for (const value of [`${v}.${flip(id)}.${mac}`, `${v}.${id}.${flip(mac)}`,
		    `v2.${id}.${mac}`, `${v}.${id}`, `${v}.${id}.`, `${v}.${id}.${mac}=`,
		    `${v}.${id}.${mac}.x`, `${v}.${id}.${stranger[2]}`,
		    `${v}.${stranger[1]}.${mac}`, `"${v}.${id}.${mac}"`, "",
		    "x".repeat(4000)])
			assert.equal(await me(with_cookie(value)), 401, value);
		assert.equal(await me(with_cookie(`${v}.${id}.${mac}`)), 200);
	});

	it("both names are never accepted in one run", async () => {
		const c = await server.login("ann");
		const value = c.cookies.get(COOKIE);
		assert.equal(await me(with_cookie(value, "ln_session")), 401);
		assert.equal(await me(with_cookie(value, "__host-ln_session")), 401);
	});

	it("plain HTTP has its own name, ln_session, without Secure", async () => {
		const plain = await startServer({ workers: 1, args: ["--insecure-http"],
		    users: [{ username: "ann" }] });
		try {
			const c = plain.client();
			const r = await c.login("ann", "ann-Password-1");
			assert.match(r.headers["set-cookie"][0],
			    /^ln_session=v1\.\S+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=259200$/);
			const value = c.cookies.get("ln_session");
			assert.equal(await me(c), 200);
			c.cookies.clear();
			c.cookies.set(COOKIE, value);
			assert.equal(await me(c), 401);
			assert.equal(r.headers["strict-transport-security"], undefined);
		} finally {
			await plain.stop();
		}
	});

	it("72 hours, absolute, enforced by the server: use does not lengthen " +
	    "it", async () => {
		const c = await server.login("cleo");
		const row = async () => (await server.sql("SELECT created_ms, " +
		    "expires_ms FROM session WHERE user_id = " +
		    `'${await user_id(server, "cleo")}'`))[0];
		const { created_ms, expires_ms } = await row();
		assert.equal(expires_ms - created_ms, 72 * 3600 * 1000);
		assert.equal(await me(c), 200);
		assert.deepEqual(await row(), { created_ms, expires_ms });
		await change(server, "UPDATE session SET expires_ms = " +
		    `${Date.now() - 1} WHERE created_ms = ${created_ms};`);
		assert.equal(await me(c), 401);
		assert.equal((await c.get("/")).headers.location, "/login");
	});

	it("at most 20 sessions a user, the oldest goes", async () => {
		const first = await server.login("dan");
		const second = await server.login("dan");
		for (let i = 0; i < 19; i += 10)
			await Promise.all(Array.from({ length: Math.min(10, 19 - i) },
			    () => server.login("dan")));
		assert.equal(await me(first), 401);
		assert.equal(await me(second), 200);
		assert.equal((await second.get("/api/profile/sessions")).json
		    .sessions.length, 20);
	});

	it("a new id on login; the session presented at login is dead " +
	    "afterwards, whoever's it was", async () => {
		const c = await server.login("ann");
		const old = c.cookies.get(COOKIE);
		assert.equal((await c.login("ben", "ben-Password-1")).status, 200);
		assert.notEqual(c.cookies.get(COOKIE), old);
		assert.equal(await me(with_cookie(old)), 401);
		assert.equal((await c.get("/api/auth/me")).json.username, "ben");
	});

	it("a failed login ends nothing", async () => {
		const c = await server.login("ann");
		assert.equal((await c.login("ann", "wrong-Password-1")).status, 401);
		assert.equal(await me(c), 200);
	});

	it("a cookie planted before login is never adopted", async () => {
		for (const planted of ["v1.planted", `v1.${"A".repeat(43)}.${"A".repeat(43)}`]) {
			const c = with_cookie(planted);
			assert.equal((await c.login("ann", "ann-Password-1")).status, 200);
			assert.notEqual(c.cookies.get(COOKIE), planted);
			assert.equal(await me(with_cookie(planted)), 401);
		}
	});

	it("logout kills the row", async () => {
		const c = await server.login("eve");
		const value = c.cookies.get(COOKIE);
		const r = await c.post("/api/auth/logout", {});
		assert.equal(r.status, 200);
		assert.match(r.headers["set-cookie"][0],
		    new RegExp(`^${COOKIE}=; Path=/; .*Max-Age=0; Secure$`));
		assert.equal(await me(with_cookie(value)), 401);
		assert.deepEqual(await server.sql("SELECT 1 FROM session WHERE " +
		    `user_id = '${await user_id(server, "eve")}'`), []);
		assert.equal((await server.client().post("/api/auth/logout", {})).status,
		    200);
	});

	it("a password change ends the user's other sessions, and no other " +
	    "user's", async () => {
		const [here, there, other] = [await server.login("fay"),
		    await server.login("fay"), await server.login("ann")];
		const change_it = (current_password, new_password, again = new_password) =>
		    here.post("/api/profile/password", { current_password,
			new_password, confirm_new_password: again });
		const wrong = await change_it("not-it-at-all", "New-Password-77");
		assert.equal(wrong.status, 400);
		assert.deepEqual(wrong.json, { error: "The current password is wrong",
		    field: "current_password" });
		assert.equal((await change_it("fay-Password-1", "New-Password-77",
		    "New-Password-78")).status, 400);
		assert.equal(await me(there), 200, "nothing has happened yet");
		assert.equal((await change_it("fay-Password-1", "New-Password-77")).status,
		    200);
		assert.deepEqual([await me(here), await me(there), await me(other)],
		    [200, 401, 200]);
		assert.equal((await server.client().login("fay", "fay-Password-1")).status,
		    401);
		await server.login("fay", "New-Password-77");
	});

	it("of two changes from the same old password one wins", async () => {
		const cs = await Promise.all([1, 2].map(() => server.login("hal")));
		const rs = await Promise.all(cs.map((c, i) => c.post(
		    "/api/profile/password", { current_password: "hal-Password-1",
		    new_password: `Hal-Password-${i}x`,
		    confirm_new_password: `Hal-Password-${i}x` })));
		const won = rs.map((r) => r.status).indexOf(200);
		assert.equal(rs.filter((r) => r.status === 200).length, 1,
		    rs.map((r) => r.text).join());
		await server.login("hal", `Hal-Password-${won}x`);
	});

	it("a reset, an admin's password set, a role change or deletion ends all " +
	    "of them", async () => {
		const id = await user_id(server, "gus");
		const root = await server.login();
		let c = await server.login("gus");
		await root.post(`/api/admin/user/${id}/password`,
		    { password: "Set-by-admin-1" });
		assert.equal(await me(c), 401, "password set");
		c = await server.login("gus", "Set-by-admin-1");
		await server.lnctl_ok(["user", "role", "gus", "admin"]);
		assert.equal(await me(c), 401, "role");
		await server.lnctl_ok(["user", "role", "gus", "user"]);
		c = await server.login("gus", "Set-by-admin-1");
		const link = (await server.lnctl_ok(["user", "reset-link", "gus",
		    "--json"], { env: { LOCALNEURAL_PUBLIC_URL: "https://ln.test" } }))
		    .stdout.match(/reset-password\/([A-Za-z0-9_-]{43})/)[1];
		const r = await server.client().post("/api/auth/reset-password", {
		    token: link, password: "Reset-Pass-1", cpassword: "Reset-Pass-1" });
		assert.equal(r.status, 200, r.text);
		assert.equal(r.headers["set-cookie"], undefined, "a reset signs in");
		assert.equal(await me(c), 401, "reset");
		c = await server.login("gus", "Reset-Pass-1");
		assert.equal((await root.delete(`/api/admin/users/${id}`)).status, 200);
		assert.equal(await me(c), 401, "deletion");
	});

	it("a login that races a new password leaves no session of the old one",
	    async () => {
		for (let round = 0; round < 2; round++) {
			const clients = Array.from({ length: 6 }, () => server.client());
			const logins = clients.map((c) => c.login("ivy",
			    server.passwords.ivy));
			server.passwords.ivy = `Ivy-Password-${round}r`;
			await server.lnctl_ok(["user", "passwd", "ivy",
			    "--password-stdin", "--no-input"],
			    { stdin: server.passwords.ivy });
			await Promise.all(logins);
			for (const c of clients)
				assert.equal(await me(c), 401);
		}
	});

	it("users list and end their own sessions, and nobody else's", async () => {
		const [a, b, other] = [await server.login("ben"),
		    await server.login("ben"), await server.login("cleo")];
		const list = async (c) => (await c.get("/api/profile/sessions")).json
		    .sessions;
		const mine = await list(a);
		const theirs = (await list(other)).find((s) => s.current);
		assert.equal(mine.filter((s) => s.current).length, 1);
		assert.ok(!mine.some((s) => s.id === theirs.id));
		const of_b = (await list(b)).find((s) => s.current);
		assert.match(of_b.id, /^[0-9a-f]{16}$/);
		assert.equal(of_b.address, b.address);
		const end = (id) => a.delete(`/api/profile/sessions/${id}`);
		for (const id of [theirs.id, "0".repeat(16), "x", of_b.id.toUpperCase(),
		    `${of_b.id}0`])
			if (id !== of_b.id)
				assert.equal((await end(id)).status, 404, id);
		assert.equal(await me(other), 200);
		assert.equal((await end(of_b.id)).status, 200);
		assert.deepEqual([await me(a), await me(b)], [200, 401]);
		assert.equal((await end(of_b.id)).status, 404);
		const own = mine.find((s) => s.current);
		assert.equal((await end(own.id)).status, 200);
		assert.equal(await me(a), 401);
		assert.equal((await server.client().get("/api/profile/sessions")).status,
		    401);
	});

	it("lnctl user sessions and logout do the same from the shell", async () => {
		const c = await server.login("ann");
		const list = (await server.lnctl_ok(["user", "sessions", "ann",
		    "--json"])).stdout;
		assert.ok(list.includes(c.address), list);
		await server.lnctl_ok(["user", "logout", "ann"]);
		assert.equal(await me(c), 401);
	});

	it("the open WebSocket of an ended session is closed", async () => {
		const [a, b] = [await server.login("ann"), await server.login("ann")];
		const ws = await b.ws();
		const of_b = (await b.get("/api/profile/sessions")).json.sessions
		    .find((s) => s.current);
		await a.delete(`/api/profile/sessions/${of_b.id}`);
		assert.equal((await ws.closed).code, 1008);
	});

	it("the account is deleted by its password, with everything of it",
	    async () => {
		const c = await server.login("eve");
		const id = await user_id(server, "eve");
		const bad = await c.post("/api/account/delete", { password: "wrong-one" });
		assert.equal(bad.status, 400);
		assert.deepEqual(bad.json, { error: "The password is wrong",
		    field: "password" });
		const r = await c.post("/api/account/delete",
		    { password: "eve-Password-1" });
		assert.equal(r.status, 200);
		assert.match(r.headers["set-cookie"][0], /Max-Age=0/);
		for (const table of ["user", "session", "conversation"])
			assert.deepEqual(await server.sql(`SELECT 1 FROM ${table} WHERE ` +
			    `${table === "user" ? "id" : "user_id"} = '${id}'`), [], table);
		const root = await server.login();
		const last = await root.post("/api/account/delete",
		    { password: ADMIN.password });
		assert.equal(last.status, 409, "the last administrator");
		assert.equal(await me(root), 200);
	});
});

describe("passwords", () => {
	let server;
	before(async () => {
		server = await startServer({ workers: 4 });
	});
	after(() => server.stop());

	let count = 0;
	const register = (password, opts) => server.client().post(
	    "/api/auth/register", { username: `p${++count}`, password }, opts);

	it("8 Unicode characters at least, 1,024 bytes at most, no composition " +
	    "rules", async () => {
		for (const good of ["\u{1f600}\u{1f43b}".repeat(4), "zqzqzqzw", "a".repeat(1024)])
			assert.equal((await register(good)).status, 200, good);
		for (const bad of ["\u{1f600}".repeat(7), "seven77", "a".repeat(1025),
		    "\u{1f600}".repeat(257), ""]) {
			const r = await register(bad);
			assert.equal(r.status, 400, bad);
			assert.equal(r.json.field, "password");
		}
	});

	it("valid UTF-8, no NUL", async () => {
		for (const bytes of [Buffer.from('{"username":"u1","password":"abcdefg\xff\xfe"}', "latin1"),
		    Buffer.from('{"username":"u2","password":"abc\\u0000defgh"}'),
		    Buffer.from('{"username":"u3","password":"abcdefgh\\ud800"}')]) {
			const r = await server.client().request("POST", "/api/auth/register",
			    { body: bytes, headers: { "content-type": "application/json" } });
			assert.equal(r.status, 400, bytes.toString());
			assert.deepEqual(r.json, { error: "Invalid JSON body" });
		}
	});

	it("never trimmed", async () => {
		const r = await register("  two spaces  ");
		assert.equal(r.status, 200);
		const name = `p${count}`;
		assert.equal((await server.client().login(name, "two spaces")).status, 401);
		assert.equal((await server.client().login(name, "  two spaces  ")).status,
		    200);
	});

	it("a block-list of the 3,000 commonest when set", async () => {
		for (const common of ["password", "password1", "12345678", "iloveyou",
		    "PASSWORD"]) {
			const r = await register(common);
			assert.equal(r.status, 400, common);
			assert.equal(r.json.field, "password");
		}
	});

	it("long passwords are not truncated", async () => {
		const long = "k".repeat(1000);
		assert.equal((await register(`${long}-one`)).status, 200);
		const name = `p${count}`;
		assert.equal((await server.client().login(name, `${long}-two`)).status,
		    401);
		assert.equal((await server.client().login(name, long)).status, 401);
		assert.equal((await server.client().login(name, `${long}-one`)).status,
		    200);
	});

	it("argon2id, opslimit 3, memlimit 64 MiB; small: 2, 19 MiB", async () => {
		const hash = async (name) => (await server.sql("SELECT password_hash " +
		    `AS h FROM user WHERE username = '${name}'`))[0].h;
		assert.match(await hash(ADMIN.username),
		    /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
		await server.lnctl_ok(["user", "create", "full", "--password-stdin",
		    "--no-input"], { stdin: "Full-Password-1",
		    env: { LOCALNEURAL_PWHASH: "" } });
		assert.match(await hash("full"), /^\$argon2id\$v=19\$m=65536,t=3,p=1\$/);
		await server.login("full", "Full-Password-1");
	});

	it("no core files: neither server nor workers may be dumped", async () => {
		const pids = fs.readdirSync("/proc").filter((p) => /^\d+$/.test(p))
		    .filter((p) => {
			try {
				const stat = fs.readFileSync(`/proc/${p}/stat`, "utf8");
				return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2] ===
				    String(server.child.pid);
			} catch {
				return false;
			}
		});
		assert.ok(pids.length >= 5, pids.join());
		for (const pid of pids)
			assert.match(fs.readFileSync(`/proc/${pid}/limits`, "utf8"),
			    /^Max core file size +0 +0 /m, pid);
	});

	it("a wrong old password is a reply, not a sign of the hash", async () => {
		const c = await server.login();
		const r = await c.post("/api/profile/password", { current_password: "",
		    new_password: "Some-Password-1", confirm_new_password: "Some-Password-1" });
		assert.deepEqual(shape(r).body,
		    '{"error":"The current password is wrong","field":"current_password"}');
	});
});
