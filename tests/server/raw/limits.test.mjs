// Limits under load: rates by the address that counts, passwords a few at a
// time, and a loop that answers meanwhile.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { get, post, Server, SLOW } from "./server.mjs";

const attempt = (from, name = "nobody") => post("/api/auth/login",
    JSON.stringify({ username: name, password: "not-the-password" }),
    from === null ? "" : `X-Forwarded-For: ${from}\r\n`);

describe("without trusted proxies", () => {
	const server = new Server();
	before(() => server.start(["--insecure-http", "--workers", "2"]));
	after(() => server.stop());

	it("a forged address does not help: the eleventh login of a minute is " +
	    "429 on every worker", async () => {
		for (let i = 0; i < 10; i++)
			assert.equal((await server.ask(attempt(`10.0.0.${i}`))).status,
			    401);
		for (let i = 0; i < 6; i++) {
			const r = await server.ask(attempt(`10.0.1.${i}`));
			assert.equal(r.status, 429);
			assert.deepEqual(JSON.parse(r.body),
			    { error: "Too many requests" });
			assert.match(r.headers["retry-after"], /^([1-5]?[0-9]|60)$/);
		}
	});
	it("another route has its own count", async () => {
		const r = await server.ask(post("/api/auth/forgot-password",
		    JSON.stringify({ email: "a@example.test" })));
		assert.equal(r.status, 404);
		assert.deepEqual(JSON.parse(r.body), { error: "user_not_found" });
	});
	it("all other routes share 120, unknown ones too", async () => {
		const c = await server.connect();
		let n = 0;
		for (;; n++) {
			c.send(get(n % 2 ? "/api/auth/me" : "/api/nothing"));
			const r = await c.response();
			if (r.status === 429)
				break;
			assert.equal(r.status, n % 2 ? 401 : 404);
			assert.ok(n < 140);
		}
		assert.ok(n >= 120, `${n}`);
		c.send(get("/login"));
		assert.equal((await c.response()).status, 200);
	});
});

describe("behind a trusted proxy", () => {
	const server = new Server();
	before(() => server.start(["--insecure-http", "--workers", "2"], {
		LOCALNEURAL_TRUSTED_PROXIES: "127.0.0.0/8, 10.9.0.0/16",
	}));
	after(() => server.stop());

	it("the right-most hop that is not trusted counts", async () => {
		for (let i = 0; i < 10; i++)
			assert.equal((await server.ask(attempt(
			    `198.51.100.${i}, 203.0.113.5, 10.9.1.${i}`))).status, 401);
		assert.equal((await server.ask(attempt("203.0.113.5"))).status, 429);
		assert.equal((await server.ask(attempt("203.0.113.6"))).status, 401);
	});
	it("IPv6 addresses count by /64", async () => {
		for (let i = 0; i < 10; i++)
			assert.equal((await server.ask(attempt(
			    `2001:db8:1:2::${i + 1}`))).status, 401);
		assert.equal((await server.ask(attempt(
		    "2001:db8:1:2:ffff::1"))).status, 429);
		assert.equal((await server.ask(attempt(
		    "2001:db8:1:3::1"))).status, 401);
	});
	it("what is no address is not believed", async () => {
		const r = await server.ask(attempt("nonsense"));
		assert.equal(r.status, 401);
	});
	it("a flood of passwords is queued, then refused with Retry-After; " +
	    "pages are served meanwhile", async () => {
		const flood = Array.from({ length: 80 }, async (_, i) =>
		    server.ask(attempt(`192.0.2.${i}`, `user${i}`)));
		const times = [];
		for (let i = 0; i < 10; i++) {
			const from = Date.now();
			assert.equal((await server.ask(get())).status, 200);
			times.push(Date.now() - from);
		}
		const replies = await Promise.all(flood);
		const busy = replies.filter((r) => r.status === 503);
		assert.ok(busy.length > 0, "nobody was refused");
		for (const r of busy)
			assert.match(r.headers["retry-after"], /^\d+$/);
		assert.equal(replies.filter((r) => r.status === 401).length +
		    busy.length, 80);
		times.sort((a, b) => a - b);
		assert.ok(times[5] < 500 * SLOW, `${times}`);
	});
	it("after ten failures on one name its next try takes a second longer",
	    async () => {
		for (let i = 0; i < 10; i++)
			await server.ask(attempt(`198.18.0.${i}`, "Victim"));
		const from = Date.now();
		const r = await server.ask(attempt("198.18.1.1", "victim"));
		assert.equal(r.status, 401);
		assert.ok(Date.now() - from >= 1000, `${Date.now() - from}`);
	});
});

describe("a login that fails", () => {
	const server = new Server();
	before(() => server.start(["--insecure-http"], {
		LOCALNEURAL_ADMIN_EMAIL: "root@example.test",
		LOCALNEURAL_ADMIN_PASSWORD: "Operator-pass-0001",
	}));
	after(() => server.stop());

	it("looks and lasts the same for an unknown name and a wrong password",
	    async () => {
		const shape = (r) => {
			const headers = { ...r.headers };
			delete headers["x-request-id"];
			return { status: r.status, headers, body: r.body };
		};
		for (const name of ["nobody", "admin", "root@example.test"]) {
			const from = Date.now();
			const r = await server.ask(attempt(null, name));
			assert.ok(Date.now() - from >= 250);
			assert.deepEqual(shape(r), shape(await server.ask(
			    attempt(null, "other"))));
			assert.deepEqual(JSON.parse(r.body),
			    { error: "Invalid username or password" });
		}
	});
});
