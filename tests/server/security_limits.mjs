// The security contract: rates, counted over all workers.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Client, startServer, until } from "./harness.mjs";
import { audit, has_headers, last_audit } from "./security_kit.mjs";

// The table of the contract: requests a minute.
const TABLE = [
	["/api/auth/login", 10],
	["/api/auth/register", 5],
	["/api/auth/forgot-password", 3],
	["/api/auth/reset-password", 5],
	["/api/profile/password", 5],
	["/api/account/delete", 2],
];
const PARALLEL = 20;

describe("rate limits", () => {
	let server;
	before(async () => {
		server = await startServer({ workers: 4, users: [{ username: "ann" },
		    { username: "bob" }, { username: "cleo" }, { username: "dan" }] });
	});
	after(() => server.stop());

	let next = 0;
	const address = () => `127.2.0.${++next}`;
	// Twenty connections at once from one address, ${each} requests on each.
	const burst = async (where, each, path, session) => {
		const one = async () => {
			const c = new Client(server, where);
			if (session !== undefined)
				c.cookies = new Map(session.cookies);
			const out = [];
			for (let i = 0; i < each; i++)
				out.push(path === "/api/history" ? await c.get(path) :
				    await c.post(path, {}));
			return out;
		};
		return (await Promise.all(Array.from({ length: PARALLEL }, one))).flat();
	};
	const split = (replies) => {
		const over = replies.filter((r) => r.status === 429);
		return { over, passed: replies.length - over.length };
	};

	for (const [path, limit] of TABLE)
		it(`${path}: ${limit}; of 20 parallel clients exactly that many pass ` +
		    "the 4 workers", async () => {
			const where = address();
			const session = path.startsWith("/api/auth/") ? undefined :
			    new Client(server, where);
			await session?.login("ann", "ann-Password-1");
			const { over, passed } = split(await burst(where, 2, path, session));
			assert.equal(passed, limit);
			for (const r of over) {
				assert.equal(r.text, '{"error":"Too many requests"}');
				assert.match(r.headers["retry-after"], /^([1-9]|[1-5]\d|60)$/);
				has_headers(r, "api", path);
			}
		});

	it("every other /api/ route, together: 120", async () => {
		const where = address();
		const session = new Client(server, where);
		await session.login("bob", "bob-Password-1");
		const { over, passed } = split(await burst(where, 8, "/api/history",
		    session));
		assert.equal(passed, 120);
		assert.ok(over.every((r) => r.headers["retry-after"] !== undefined));
		assert.equal((await session.get("/api/no/such/route")).status, 429);
		assert.equal((await session.get("/")).status, 200, "pages are not counted");
	});

	it("key: for signed-in requests the pair of account and address",
	    async () => {
		const where = address();
		const of = async (name, from) => {
			const c = new Client(server, from);
			assert.equal((await c.login(name, `${name}-Password-1`)).status, 200);
			return c;
		};
		const [cleo, dan, away] = [await of("cleo", where), await of("dan", where),
		    await of("cleo", address())];
		for (let i = 0; i < 3; i++)
			await cleo.post("/api/account/delete", {});
		assert.equal((await cleo.post("/api/account/delete", {})).status, 429);
		assert.equal((await dan.post("/api/account/delete", {})).status, 400);
		assert.equal((await away.post("/api/account/delete", {})).status, 400);
	});

	it("X-Forwarded-For and friends do not count without a trusted proxy",
	    async () => {
		const c = new Client(server, address());
		for (let i = 0; i < 10; i++)
			await c.post("/api/auth/login", {}, { headers: {
				"x-forwarded-for": `192.0.2.${i}`,
				forwarded: `for=192.0.2.${i}`, "x-real-ip": `192.0.2.${i}` } });
		assert.equal((await c.post("/api/auth/login", {}, { headers: {
			"x-forwarded-for": "192.0.2.99" } })).status, 429);
	});

	it("chat messages over /ws/chat count against the default limit",
	    async () => {
		const c = new Client(server, address());
		await c.login("dan", "dan-Password-1");
		for (let i = 0; i < 120; i++)
			await c.get("/api/no/such/route");
		const ws = await c.ws();
		ws.send({ type: "user_message", prompt: "hello" });
		assert.equal((await ws.next("error")).error, "Too many requests");
		c.close();
	});

	it("a limiter hit is on record, once a window", async () => {
		const from = await last_audit(server);
		const c = new Client(server, address());
		for (let i = 0; i < 8; i++)
			await c.post("/api/auth/forgot-password", {});
		const rows = async () => (await audit(server, from)).filter((r) =>
		    r.address === c.address);
		await until(async () => (await rows()).length > 0, "the row");
		for (let i = 0; i < 3; i++)
			await c.post("/api/auth/forgot-password", {});
		assert.deepEqual((await rows()).map((r) => [r.action, r.outcome, r.detail]),
		    [["rate.limit", "rate_limited", "POST /api/auth/forgot-password"]]);
	});
});

describe("rate limits behind a trusted proxy", () => {
	let server;
	before(async () => {
		server = await startServer({ workers: 4, env: {
			LOCALNEURAL_TRUSTED_PROXIES: "127.3.0.0/16" } });
	});
	after(() => server.stop());

	const from = (forwarded, peer = "127.3.0.1") => new Client(server, peer)
	    .post("/api/auth/forgot-password", {}, { headers: {
		    "x-forwarded-for": forwarded } });
	const exhaust = async (list) => {
		for (const a of list)
			assert.equal((await from(a)).status, 400, a);
	};

	it("the right-most untrusted hop is the client", async () => {
		await exhaust(["198.51.100.1, 203.0.113.5", "198.51.100.2,203.0.113.5",
		    "198.51.100.3, 203.0.113.5, 127.3.0.9"]);
		assert.equal((await from("203.0.113.5")).status, 429);
		assert.equal((await from("203.0.113.5, 203.0.113.6")).status, 400);
	});

	it("IPv6 by /64", async () => {
		await exhaust(["2001:db8:1:2::1", "2001:db8:1:2::2",
		    "2001:db8:1:2:ffff:ffff::3"]);
		assert.equal((await from("2001:db8:1:2:aaaa::4")).status, 429);
		assert.equal((await from("2001:db8:1:3::1")).status, 400);
	});

	it("only when the peer is in LOCALNEURAL_TRUSTED_PROXIES", async () => {
		for (let i = 0; i < 3; i++)
			assert.equal((await from(`198.51.100.${i}`, "127.4.0.1")).status, 400);
		assert.equal((await from("198.51.100.77", "127.4.0.1")).status, 429);
	});

	it("IPv4 in IPv6 clothes is the same address", async () => {
		await exhaust(["192.0.2.200", "::ffff:192.0.2.200", "192.0.2.200"]);
		assert.equal((await from("::ffff:192.0.2.200")).status, 429);
	});
});
