// Forgotten passwords by mail, against a real mail server and broken ones.

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { startSmtp } from "../fake/smtp.mjs";
import { run, sleep, startServer, temp_dir, until } from "./harness.mjs";

const PUBLIC = "https://chat.example.test/ln";
const LINK = /https:\/\/chat\.example\.test\/ln\/reset-password\/([A-Za-z0-9_-]{43})/;

let dir, cert, key;

before(async () => {
	dir = temp_dir();
	cert = path.join(dir, "cert.pem");
	key = path.join(dir, "key.pem");
	const r = await run("openssl", ["req", "-x509", "-newkey", "ec",
	    "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
	    "-subj", "/CN=localhost", "-addext",
	    "subjectAltName=DNS:localhost,DNS:mail.localhost", "-keyout", key,
	    "-out", cert]);
	assert.equal(r.code, 0, r.stderr);
});

const settings = (url, more = {}) => ({
	LOCALNEURAL_SMTP_URL: url,
	LOCALNEURAL_MAIL_FROM: "robot@chat.example.test",
	LOCALNEURAL_PUBLIC_URL: PUBLIC,
	...more,
});

// Every request comes from an address of its own: see client().
const ask = (server, email, headers) => server.client().post(
    "/api/auth/forgot-password", { email }, { headers });

async function asked(server, email, headers) {
	const r = await ask(server, email, headers);
	assert.equal(r.status, 404);
	assert.equal(r.text, '{"error":"user_not_found"}');
	return r;
}

const reset = (server, token, password) => server.client().post(
    "/api/auth/reset-password", { token, password, cpassword: password });

const login = (server, username, password) => server.client().post(
    "/api/auth/login", { username, password });

// Behind the server's back, as time would do it.
async function pass_time(server, sql) {
	const r = await run("sqlite3", ["-cmd", ".timeout 5000", server.db, sql]);
	assert.equal(r.code, 0, r.stderr);
}
const outbox = (server) => server.sql("SELECT kind, tries, sent_ms IS NOT NULL" +
    " AS sent, failed_ms IS NOT NULL AS failed, error FROM outbox ORDER BY id");
const settled = (server, check) => until(async () => {
	const rows = await outbox(server);
	return rows.length > 0 && check(rows.at(-1)) ? rows.at(-1) : null;
}, "the outbox");

// Nothing more comes within three rounds of the sender.
async function no_mail(smtp) {
	await sleep(1500);
	assert.deepEqual(smtp.mails, []);
}

describe("a mail for a forgotten password", () => {
	let smtp, server;

	before(async () => {
		smtp = await startSmtp({ mode: "plain" });
		server = await startServer({
			env: settings(`smtp://127.0.0.1:${smtp.port}`),
			users: [{ username: "bob", email: "Bob.B@mail.example.test" },
			    { username: "ann", email: "ann@mail.example.test" },
			    { username: "eve" },
			    { username: "two", email: "two@x.test,eve@x.test" },
			    { username: "gap", email: "gap @x.test" },
			    { username: "ats", email: "a@b@x.test" },
			    { username: "tag", email: "<tag@x.test>" },
			    { username: "uni", email: "üni@x.test" }],
		});
	});
	after(async () => {
		await server?.stop();
		await smtp?.close();
	});
	afterEach(() => assert.deepEqual(smtp.mails, []));

	it("has a text and an HTML part with the link, and says what it is", async () => {
		await asked(server, " bob.b@MAIL.example.test ");
		const mail = await smtp.next();
		assert.equal(mail.from, "robot@chat.example.test");
		assert.deepEqual(mail.to, ["Bob.B@mail.example.test"]);
		assert.deepEqual(mail.defects, []);
		assert.deepEqual(mail.types, ["multipart/mixed",
		    "multipart/alternative", "text/plain", "text/html"]);
		const h = mail.headers;
		assert.equal(h.from, "LocalNeural <robot@chat.example.test>");
		assert.equal(h.to, "Bob.B@mail.example.test");
		assert.match(h.subject, /new password/);
		assert.match(h["message-id"], /^<[0-9a-f-]{36}@chat\.example\.test>$/);
		assert.equal(h["auto-submitted"], "auto-generated");
		assert.ok(Math.abs(Date.parse(h.date) - Date.now()) < 60000, h.date);
		assert.equal(new Set(mail.names).size, mail.names.length);
		const [text, html] = mail.parts;
		const [, token] = text.text.match(LINK);
		assert.ok(html.text.includes(`<a href="${PUBLIC}/reset-password/${token}"`));
		assert.match(text.text, /works once and for one hour/);
		assert.doesNotMatch(mail.raw, /127\.0\.0\.1|localhost|bob(?!\.b@)/i);
	});

	it("lets its owner choose a new password, once", async () => {
		const before = await server.login("ann");
		await asked(server, "ann@mail.example.test");
		const [, token] = (await smtp.next()).parts[0].text.match(LINK);
		const page = await server.client().get(`/reset-password/${token}`);
		assert.equal(page.status, 200);
		assert.equal(page.headers["referrer-policy"], "no-referrer");
		const r = await reset(server, token, "A-fresh-pass-77");
		assert.deepEqual([r.status, r.json], [200, { status: "success" }]);
		assert.equal((await before.get("/api/auth/me")).status, 401);
		assert.equal((await login(server, "ann", "A-fresh-pass-77")).status, 200);
		const again = await reset(server, token, "A-fresh-pass-78");
		assert.deepEqual([again.status, again.json.error],
		    [400, "Invalid or expired reset token"]);

		// Neither the link nor the mail is anywhere but in the mail.
		await settled(server, (row) => row.sent === 1);
		for (const file of fs.readdirSync(server.data)) {
			const full = path.join(server.data, file);
			if (!fs.statSync(full).isFile())
				continue;
			const bytes = fs.readFileSync(full);
			assert.equal(bytes.includes(token), false, file);
			assert.equal(bytes.includes(Buffer.from(token, "base64url")),
			    false, file);
			assert.equal(bytes.includes("Somebody, probably you"), false);
		}
		assert.equal(server.log.includes(token), false);
		assert.equal(server.log.includes("mail.example.test"), false);
	});

	it("looks like nothing for an address that is nobody's", async () => {
		const headers = (r) => {
			const { date, "x-request-id": id, ...rest } = r.headers;
			return rest;
		};
		const known = [], unknown = [];
		const unknown_one = await asked(server, "nobody@mail.example.test");
		const known_one = await asked(server, "ann@mail.example.test");
		assert.deepEqual(headers(known_one), headers(unknown_one));
		for (let i = 0; i < 10; i++) {
			for (const [list, email] of [[known, "ann@mail.example.test"],
			    [unknown, `n${i}@mail.example.test`]]) {
				const start = performance.now();
				await asked(server, email);
				list.push(performance.now() - start);
			}
		}
		const middle = (l) => l.sort((a, b) => a - b)[l.length >> 1];
		assert.ok(middle(known) < middle(unknown) * 2 + 20,
		    `${middle(known)} ms, ${middle(unknown)} ms`);
		const mail = await smtp.next();
		assert.deepEqual(mail.to, ["ann@mail.example.test"]);
		await until(async () => (await outbox(server)).every((r) =>
		    r.sent === 1), "every mail to be sent");
		// Those that were asked for while one was on its way.
		for (const m of smtp.mails.splice(0))
			assert.deepEqual(m.to, ["ann@mail.example.test"]);
	});

	it("comes three times an hour, whatever the spelling", async () => {
		await server.add_user({ username: "lim", email: "lim@x.test" });
		for (const email of ["lim@x.test", "LIM@x.test", "lim@X.TEST"]) {
			await asked(server, email);
			assert.deepEqual((await smtp.next()).to, ["lim@x.test"]);
			await settled(server, (row) => row.sent === 1);
		}
		await asked(server, "lim@x.test");
		await no_mail(smtp);
		// A new account with the address changes nothing.
		await server.lnctl_ok(["user", "delete", "lim", "--confirm", "lim",
		    "--no-input"]);
		await server.add_user({ username: "lim", email: "lim@x.test" });
		await asked(server, "lim@x.test");
		await no_mail(smtp);
		await pass_time(server, "UPDATE mail_limit SET at_ms = at_ms - 3600000");
		await asked(server, "lim@x.test");
		assert.deepEqual((await smtp.next()).to, ["lim@x.test"]);
	});

	it("goes to no address that holds more than an address", async () => {
		for (const email of ["two@x.test,eve@x.test", "gap @x.test",
		    "a@b@x.test", "<tag@x.test>", "üni@x.test",
		    "bob.b@mail.example.test\r\nBcc: eve@x.test",
		    "bob.b@mail.example.test\nX: y", "bob.b@mail.example.test\0",
		    "eve", "bob.b@mail.example.test, eve@x.test"]) {
			const r = await ask(server, email);
			assert.ok(r.status === 404 || r.status === 400, email);
		}
		await no_mail(smtp);
		assert.equal((await server.sql("SELECT count(*) AS n FROM audit WHERE" +
		    " action = 'auth.forgot' AND outcome = 'invalid'"))[0].n, 5);
	});

	it("has the link of LOCALNEURAL_PUBLIC_URL, whoever asks", async () => {
		await pass_time(server, "DELETE FROM mail_limit");
		const r = await ask(server, "bob.b@mail.example.test", {
			"x-forwarded-host": "evil.example.test", "x-forwarded-proto": "http",
			forwarded: "host=evil.example.test" });
		assert.equal(r.status, 404);
		const mail = await smtp.next();
		assert.match(mail.parts[0].text, LINK);
		assert.doesNotMatch(mail.raw, /evil/);
	});

	it("wants an address", async () => {
		for (const email of ["", "  ", undefined, 7]) {
			const r = await ask(server, email);
			assert.equal(r.status, 400, String(email));
		}
	});

	it("is in the audit log", async () => {
		const rows = await server.sql("SELECT action, outcome, target FROM audit" +
		    " WHERE action IN ('auth.forgot', 'mail.reset')");
		for (const [action, outcome] of [["auth.forgot", "ok"],
		    ["auth.forgot", "not_found"], ["auth.forgot", "rate_limited"],
		    ["mail.reset", "ok"]])
			assert.ok(rows.some((r) => r.action === action &&
			    r.outcome === outcome), `${action} ${outcome}`);
		assert.equal((await server.lnctl(["audit", "verify"])).code, 0);
	});
});

describe("a mail about a duplicate registration", () => {
	let smtp, server;

	before(async () => {
		smtp = await startSmtp({ mode: "plain" });
		server = await startServer({
			env: settings(`smtp://127.0.0.1:${smtp.port}`),
			users: [{ username: "bob", email: "bob@x.test" }],
		});
		const admin = await server.login();
		const r = await admin.post("/api/admin/settings",
		    { allow_registration: true });
		assert.equal(r.status, 200, r.text);
	});
	after(async () => {
		await server?.stop();
		await smtp?.close();
	});

	const register = (username, email) => server.client().post(
	    "/api/auth/register", { username, email, password: "Long-enough-1" });

	it("goes to the owner of the address, once a day", async () => {
		for (const name of ["mallory", "mallory2"]) {
			const r = await register(name, "BOB@x.test");
			assert.deepEqual([r.status, r.json.status], [200, "success"]);
		}
		const mail = await smtp.next();
		assert.deepEqual(mail.to, ["bob@x.test"]);
		assert.match(mail.headers.subject, /account with your e-mail/);
		assert.match(mail.parts[0].text, /nothing has changed/);
		assert.ok(mail.parts[1].text.includes(`href="${PUBLIC}/login"`));
		assert.doesNotMatch(mail.raw, /mallory|reset-password/);
		await settled(server, (row) => row.sent === 1);
		await register("mallory3", "bob@x.test");
		await no_mail(smtp);
		await pass_time(server, "UPDATE mail_limit SET at_ms = at_ms - 86400001");
		await register("mallory4", "bob@x.test");
		await smtp.next();
	});

	it("does not come for a name, or a new address", async () => {
		assert.equal((await register("bob", "new@x.test")).status, 200);
		assert.equal((await register("carol", "carol@x.test")).status, 200);
		assert.equal((await register("bob")).status, 200);
		await no_mail(smtp);
	});
});

describe("towards the mail server", () => {
	let smtp, server;

	async function serve(url, more, users = [{ username: "bob",
	    email: "bob@x.test" }]) {
		server = await startServer({ env: settings(url, more), users });
	}
	afterEach(async () => {
		await server?.stop();
		await smtp?.close();
		server = smtp = undefined;
	});

	it("STARTTLS comes before the password", async () => {
		smtp = await startSmtp({ mode: "starttls", cert, key, user: "robot",
		    password: "p w'd\"1" });
		await serve(`smtp://localhost:${smtp.port}`, {
			LOCALNEURAL_SMTP_CA: cert, LOCALNEURAL_SMTP_USER: "robot",
			LOCALNEURAL_SMTP_PASSWORD: "p w'd\"1" });
		await asked(server, "bob@x.test");
		const mail = await smtp.next();
		assert.deepEqual([mail.tls, mail.user], [true, "robot"]);
		assert.equal(server.log.includes("p w'd"), false);
	});

	it("TLS may come first", async () => {
		smtp = await startSmtp({ mode: "implicit", cert, key });
		await serve(`smtps://localhost:${smtp.port}`,
		    { LOCALNEURAL_SMTP_CA: cert });
		await asked(server, "bob@x.test");
		assert.equal((await smtp.next()).tls, true);
	});

	it("nothing is said to one without TLS on another machine", async () => {
		// A name that is not plainly this machine, and yet leads here.
		smtp = await startSmtp({ mode: "plain", user: "robot",
		    password: "secret-1" });
		await serve(`smtp://mail.localhost:${smtp.port}`, {
			LOCALNEURAL_SMTP_USER: "robot",
			LOCALNEURAL_SMTP_PASSWORD: "secret-1" });
		await asked(server, "bob@x.test");
		const row = await settled(server, (r) => r.error !== undefined &&
		    r.error !== null);
		assert.equal(row.error, "tls");
		assert.ok(smtp.events.includes("EHLO"));
		assert.equal(smtp.events.includes("AUTH"), false);
		assert.equal(smtp.events.includes("MAIL"), false);
	});

	it("a certificate that nobody vouches for is refused", async () => {
		smtp = await startSmtp({ mode: "starttls", cert, key });
		await serve(`smtp://mail.localhost:${smtp.port}`);
		await asked(server, "bob@x.test");
		assert.equal((await settled(server, (r) => r.error !== null)).error,
		    "tls");
		assert.deepEqual(smtp.mails, []);
	});

	it("a wrong password is tried again later", async () => {
		smtp = await startSmtp({ mode: "starttls", cert, key, user: "robot",
		    password: "right-1" });
		await serve(`smtp://localhost:${smtp.port}`, {
			LOCALNEURAL_SMTP_CA: cert, LOCALNEURAL_SMTP_USER: "robot",
			LOCALNEURAL_SMTP_PASSWORD: "wrong-1" });
		await asked(server, "bob@x.test");
		const row = await settled(server, (r) => r.error !== null);
		assert.deepEqual(row, { kind: "reset", tries: 1, sent: 0, failed: 0,
		    error: "auth" });
		assert.equal(server.log.includes("wrong-1"), false);
	});

	it("lnctl doctor asks whether it answers, and sends nothing", async () => {
		smtp = await startSmtp({ mode: "starttls", cert, key, user: "robot",
		    password: "right-1" });
		const env = { LOCALNEURAL_SMTP_CA: cert, LOCALNEURAL_SMTP_USER: "robot",
		    LOCALNEURAL_SMTP_PASSWORD: "right-1" };
		await serve(`smtp://localhost:${smtp.port}`, env);
		const mail = async (more) => (await server.lnctl(["doctor", "--json"],
		    { env: more })).json.checks.find((c) => c.check === "mail");
		assert.equal((await mail({})).state, "ok");
		assert.ok(smtp.events.includes("AUTH"));
		assert.equal(smtp.events.includes("MAIL"), false);
		const wrong = await mail({ LOCALNEURAL_SMTP_PASSWORD: "wrong-1" });
		assert.equal(wrong.state, "warning");
		assert.match(wrong.text, /refused LOCALNEURAL_SMTP_USER/);
		const none = await mail({ LOCALNEURAL_MAIL_FROM: "" });
		assert.equal(none.state, "error");
		assert.match(none.text, /LOCALNEURAL_MAIL_FROM/);
		assert.match((await mail({ LOCALNEURAL_SMTP_URL: "" })).text,
		    /not set up/);
	});

	it("what it will never take is given up at once", async () => {
		smtp = await startSmtp({ mode: "refusing" });
		await serve(`smtp://127.0.0.1:${smtp.port}`);
		await asked(server, "bob@x.test");
		const row = await settled(server, (r) => r.failed === 1);
		assert.deepEqual([row.tries, row.error], [1, "refused"]);
	});

	it("whatever it does, the reply is the same, and the mail comes in the end",
	    async () => {
		smtp = await startSmtp({ mode: "deferring" });
		const port = smtp.port;
		await serve(`smtp://127.0.0.1:${port}`);
		const wanted = { deferring: "deferred", down: "unreachable",
		    garbage: "timeout", dropping: "protocol" };
		for (const mode of Object.keys(wanted)) {
			if (mode !== "deferring")
				await smtp.close();
			if (mode !== "deferring" && mode !== "down")
				smtp = await startSmtp({ mode, port });
			await pass_time(server, "DELETE FROM outbox;" +
			    " DELETE FROM mail_limit");
			const start = performance.now();
			await asked(server, "bob@x.test");
			assert.ok(performance.now() - start < 2000, mode);
			const row = await settled(server, (r) => r.error !== null);
			assert.equal(row.error, wanted[mode], mode);
			assert.deepEqual([row.sent, row.failed], [0, 0], mode);
			const [{ wait, counted }] = await server.sql("SELECT next_try_ms -" +
			    " 1000 * unixepoch() AS wait, (SELECT count(*) FROM" +
			    " mail_limit) AS counted FROM outbox");
			assert.ok(wait > 40000 && wait <= 61000, `${mode}: ${wait} ms`);
			// The server may have kept what it did not confirm.
			assert.equal(counted, mode === "dropping" ? 1 : 0, mode);
		}
		await smtp.close();
		smtp = await startSmtp({ mode: "plain", port });
		await pass_time(server, "UPDATE outbox SET next_try_ms = 1");
		assert.match((await smtp.next()).parts[0].text, LINK);
		assert.equal((await settled(server, (r) => r.sent === 1)).tries, 2);
	});

	it("a silent one keeps nobody waiting, not even at the end", async () => {
		smtp = await startSmtp({ mode: "silent" });
		await serve(`smtp://127.0.0.1:${smtp.port}`, {}, [{ username: "bob",
		    email: "bob@x.test" }, { username: "ann", email: "ann@x.test" }]);
		await asked(server, "bob@x.test");
		await smtp.saw("connect");
		const bob = await server.login("bob");
		for (const email of ["bob@x.test", "ann@x.test", "nobody@x.test"]) {
			const start = performance.now();
			await asked(server, email);
			assert.ok(performance.now() - start < 2000, email);
		}
		assert.equal((await bob.get("/api/export/db")).status, 200);
		// One sender at a time, whatever the number of workers.
		await sleep(1500);
		assert.equal(smtp.events.filter((e) => e === "connect").length, 1);
	});

	it("nothing happens where mail is not set up, and the log says why",
	    async () => {
		await serve(undefined, { LOCALNEURAL_SMTP_URL: "",
		    LOCALNEURAL_PUBLIC_URL: "" });
		await asked(server, "bob@x.test");
		await until(() => /ev=mail\.off req=\S+ missing=LOCALNEURAL_SMTP_URL/
		    .test(server.log), "the line in the log");
		assert.deepEqual(await outbox(server), []);
	});

	it("no link is made without LOCALNEURAL_PUBLIC_URL", async () => {
		smtp = await startSmtp({ mode: "plain" });
		await serve(`smtp://127.0.0.1:${smtp.port}`,
		    { LOCALNEURAL_PUBLIC_URL: "" });
		await asked(server, "bob@x.test");
		await until(() => /ev=mail\.off req=\S+ missing=LOCALNEURAL_PUBLIC_URL/
		    .test(server.log), "the line in the log");
		await no_mail(smtp);
	});

	it("settings that cannot be right stop the start", async () => {
		for (const [name, value] of [
		    ["LOCALNEURAL_SMTP_URL", "http://mail.example.test"],
		    ["LOCALNEURAL_SMTP_URL", "smtp://user:pw@mail.example.test"],
		    ["LOCALNEURAL_SMTP_URL", "smtp://mail.example.test/path"],
		    ["LOCALNEURAL_MAIL_FROM", "Robot <r@x.test>"],
		    ["LOCALNEURAL_MAIL_FROM", "r@x.test\nBcc: e@x.test"],
		    ["LOCALNEURAL_PUBLIC_URL", "https://x.test/?a=b"]]) {
			await assert.rejects(startServer({ env: settings(
			    "smtp://127.0.0.1:2525", { [name]: value }) }),
			    new RegExp(`the server ended \\(2\\)[^]*${name}`), value);
		}
	});
});
