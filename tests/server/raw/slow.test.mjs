// Clients that take their time: the server waits as long as is fair, then
// hangs up; and never blames a client for its own slowness.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { get, HOST, Server, SLOW, sleep } from "./server.mjs";

const server = new Server();
before(() => server.start(["--insecure-http"]));
after(() => server.stop());

describe("slow clients", { concurrency: true }, () => {
	it("a head that drips is ended by 408", async () => {
		const c = await server.connect();
		const head = get("/healthz", `X: ${"a".repeat(100)}\r\n`);
		let i = 0;
		const drip = setInterval(() => c.send(head[i++]), 1000);
		try {
			const r = await c.response(20000 * SLOW);
			assert.equal(r.status, 408);
			await c.closed();
		} finally {
			clearInterval(drip);
		}
	});
	it("an idle connection is closed in silence, not by a 408", async () => {
		const c = await server.connect();
		c.send(get());
		assert.equal((await c.response()).status, 200);
		const ms = await c.closed(40000 * SLOW);
		assert.ok(ms > 15000, `${ms} ms`);
		assert.equal(c.text(), "");
	});
	it("a connection that paused 12 s between requests is still served",
	    async () => {
		const c = await server.connect();
		c.send(get());
		assert.equal((await c.response()).status, 200);
		await sleep(12000);
		c.send(get());
		assert.equal((await c.response()).status, 200);
	});
	it("a body in two packets does not arm a timer for the reply",
	    async () => {
		const c = await server.connect();
		const body = "{\"username\":\"nobody\",\"password\":\"wrong-password\"}";
		c.send(`POST /api/auth/login HTTP/1.1\r\n${HOST}Content-Type: ` +
		    `application/json\r\nContent-Length: ${body.length}\r\n\r\n` +
		    body.slice(0, 5));
		await sleep(200);
		c.send(body.slice(5));
		assert.equal((await c.response()).status, 401);
		await sleep(12000);
		assert.equal(c.text(), "", "a stray answer came");
		c.send(get());
		assert.equal((await c.response()).status, 200);
	});
});
