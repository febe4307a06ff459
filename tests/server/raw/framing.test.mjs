// Requests that two readers could understand in two ways are refused, and
// refused requests take the connection with them.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { get, HOST, post, Server, sleep } from "./server.mjs";

const LOGIN = "/api/auth/login";
const server = new Server();
before(() => server.start(["--insecure-http"]));
after(() => server.stop());

async function refused(status, ...parts) {
	const r = await server.ask(...parts);
	assert.equal(r.status, status);
	assert.equal(r.headers.connection, "close");
	assert.equal(typeof JSON.parse(r.body).error, "string");
	assert.equal(r.headers["x-content-type-options"], "nosniff");
	await r.connection.closed();
	assert.equal(r.connection.text(), "", "a second response came");
	return r;
}

describe("the length of a body", () => {
	it("is missing: there is none", async () => {
		const r = await server.ask(`POST ${LOGIN} HTTP/1.1\r\n${HOST}\r\n`);
		assert.equal(r.status, 415);
	});
	it("is smaller than what came: 400, and no byte of it is a request",
	    () => refused(400, post(LOGIN, "{}").replace("Length: 2", "Length: 1")));
	it("is exceeded in the first packet by megabytes: the server does not " +
	    "grow, others are served", async () => {
		const c = await server.connect();
		c.send(`POST ${LOGIN} HTTP/1.1\r\n${HOST}Content-Length: 2\r\n\r\n` +
		    "abEXTRA");
		for (let i = 0; i < 64; i++)
			c.send(Buffer.alloc(65536, 0x41));
		assert.equal((await c.response()).status, 400);
		const from = Date.now();
		assert.equal((await server.ask(get())).status, 200);
		assert.ok(Date.now() - from < 2000);
		await c.closed();
	});
	it("comes twice", () => refused(400, `POST ${LOGIN} HTTP/1.1\r\n${HOST}` +
	    "Content-Length: 2\r\nContent-Length: 5\r\n\r\nab"));
	it("comes twice with the same value", () => refused(400,
	    `POST ${LOGIN} HTTP/1.1\r\n${HOST}` +
	    "Content-Length: 2\r\nContent-Length: 2\r\n\r\nab"));
	for (const v of ["+2", "-2", "0x2", "2 ", "2,2", "two"])
		it(`is written ${JSON.stringify(v)}`, () => refused(400,
		    `POST ${LOGIN} HTTP/1.1\r\n${HOST}Content-Length: ${v}\r\n\r\nab`));
	it("comes beside Transfer-Encoding", () => refused(400,
	    `POST ${LOGIN} HTTP/1.1\r\n${HOST}Content-Length: 3\r\n` +
	    "Transfer-Encoding: chunked\r\n\r\n0\r\n"));
	it("is replaced by Transfer-Encoding", () => refused(400,
	    `POST ${LOGIN} HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n` +
	    "2\r\nab\r\n0\r\n\r\n"));
	it("is given for a GET", () => refused(400,
	    `GET /healthz HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`));
	it("is given for a DELETE whose body is a request: it is not served",
	    async () => {
		const c = await server.connect();
		const inner = get();
		c.send(`DELETE /api/sessions/x HTTP/1.1\r\n${HOST}` +
		    `Content-Length: ${inner.length}\r\n\r\n`);
		await sleep(100);
		c.send(inner);
		assert.equal((await c.response()).status, 400);
		await c.closed();
		assert.equal(c.text(), "");
	});
	it("is zero for a DELETE: fine", async () => {
		const r = await server.ask(`DELETE /api/sessions/x HTTP/1.1\r\n${HOST}` +
		    "Content-Length: 0\r\n\r\n");
		assert.equal(r.status, 401);
	});
});

describe("the host", () => {
	it("comes twice", () => refused(400,
	    `GET /healthz HTTP/1.1\r\n${HOST}Host: evil.example\r\n\r\n`));
	it("is not taken from a header that only begins like it", () =>
	    refused(400, "GET /healthz HTTP/1.1\r\nHostile: localhost\r\n\r\n"));
	it("may come after a header that only begins like it", async () => {
		const r = await server.ask("GET /healthz HTTP/1.1\r\n" +
		    `Hostile: evil\r\n${HOST}\r\n`);
		assert.equal(r.status, 200);
	});
	it("is missing", () => refused(400, "GET /healthz HTTP/1.1\r\n\r\n"));
	for (const h of ["evil.example", "evil.example:80", "localhost.evil.example",
	    "[::1", "localhost:", "localhost:80x", "127.0.0.1.evil.example"])
		it(`${h} is refused and logged with the setting to change`,
		    async () => {
			await refused(400, `GET /healthz HTTP/1.1\r\nHost: ${h}\r\n\r\n`);
			assert.match(server.log, /hint=LOCALNEURAL_ALLOWED_HOSTS/);
		});
	for (const h of ["localhost", "LOCALHOST:80", "127.0.0.1", "192.0.2.7:8443",
	    "[::1]", "[2001:db8::1]:443"])
		it(`${h} is ours`, async () => {
			const r = await server.ask(
			    `GET /healthz HTTP/1.1\r\nHost: ${h}\r\n\r\n`);
			assert.equal(r.status, 200);
		});
});

describe("headers that must not come twice", () => {
	for (const h of ["Cookie: a=b", "X-Requested-With: XMLHttpRequest",
	    "Origin: http://localhost", "Content-Type: application/json"])
		it(h, () => refused(400, get("/healthz", `${h}\r\n${h}\r\n`)));
});

describe("bytes in the head", () => {
	for (const [name, bytes] of [
		["a NUL in a value", "X: a\0b\r\n"],
		["a NUL in a name", "X\0: a\r\n"],
		["a control byte", "X: a\x01b\r\n"],
		["a tab", "X: a\tb\r\n"],
		["a delete", "X: a\x7fb\r\n"],
		["a bare CR", "X: a\rCookie: b\r\n"],
		["a bare LF", "X: a\nCookie: b\r\n"],
		["a folded line", "X: a\r\n b\r\n"],
		["a space before the colon", "X : a\r\n"],
		["UTF-8 in a value", "X: \xc3\xa9\r\n"],
	])
		it(`${name}: 400`, () => refused(400, get("/healthz", bytes)));
	it("a NUL in the path", () => refused(400, get("/health\0z")));
	it("a control byte in the path", () => refused(400, get("/health\x1bz")));
	it("lines ended by LF alone", () => refused(400,
	    "GET /healthz HTTP/1.1\nHost: localhost\n\n"));
	it("a head ended by LF alone", () => refused(400,
	    "GET /healthz HTTP/1.1\r\nHost: localhost\n\n"));
});

describe("the size of the head", () => {
	it("64 headers are read, the last one too", async () => {
		const lines = Array.from({ length: 61 }, (_, i) => `X${i}: y\r\n`);
		const r = await server.ask(get("/healthz", lines.join("") +
		    "Cookie: a=b\r\nCookie: c=d\r\n"));
		assert.equal(r.status, 400, "the duplicate at the end was not seen");
		const ok = await server.ask(get("/healthz", lines.join("") +
		    "Y: z\r\nCookie: a=b\r\n"));
		assert.equal(ok.status, 200);
	});
	it("65 headers: 400 instead of dropping what is too much", () =>
	    refused(400, get("/healthz", Array.from({ length: 64 },
	    (_, i) => `X${i}: y\r\n`).join(""))));
	it("more than the buffer: 413 instead of silence", () => refused(413,
	    get("/healthz", `X: ${"a".repeat(20000)}\r\n`)));
	it("a path that is too long: 414", () => refused(414,
	    get(`/${"a".repeat(2100)}`)));
});

describe("the request line", () => {
	it("an unknown method: 400", () => refused(400,
	    `TRACE / HTTP/1.1\r\n${HOST}\r\n`));
	it("an unknown version: 505", () => refused(505,
	    `GET / HTTP/2.0\r\n${HOST}\r\n`));
	it("absolute form: 400", () => refused(400,
	    `GET http://localhost/healthz HTTP/1.1\r\n${HOST}\r\n`));
	it("a wrong method: 405 with Allow, and the line stays open", async () => {
		const r = await server.ask(post("/healthz", ""));
		assert.equal(r.status, 405);
		assert.equal(r.headers.allow, "GET, HEAD");
		r.connection.send(get());
		assert.equal((await r.connection.response()).status, 200);
	});
	it("an unknown path: JSON 404, and the line stays open", async () => {
		const r = await server.ask(get("/api/nothing"));
		assert.equal(r.status, 404);
		assert.deepEqual(JSON.parse(r.body), { error: "Not found" });
		r.connection.send(get());
		assert.equal((await r.connection.response()).status, 200);
	});
	it("HEAD has the headers of GET and no body", async () => {
		const c = await server.connect();
		c.send(`HEAD /healthz HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`);
		await c.closed();
		assert.match(c.text(), /^HTTP\/1.1 200 /);
		assert.match(c.text(), /content-length: 3\r\n/);
		assert.ok(c.text().endsWith("\r\n\r\n"));
	});
});

describe("a body that is too large", () => {
	it("is refused before it is read, and the answer arrives although the " +
	    "client goes on sending", async () => {
		const c = await server.connect();
		c.send(`POST ${LOGIN} HTTP/1.1\r\n${HOST}` +
		    "Content-Type: application/json\r\n" +
		    `Content-Length: ${8 << 20}\r\n\r\n`);
		for (let i = 0; i < 64; i++)
			c.send(Buffer.alloc(65536, 0x41));
		const r = await c.response();
		assert.equal(r.status, 413);
		assert.equal(r.headers.connection, "close");
		await c.closed();
	});
	it("is refused for its sender before its size", async () => {
		const r = await server.ask(`POST /api/import/db HTTP/1.1\r\n${HOST}` +
		    `Content-Length: ${512 << 20}\r\n\r\n`);
		assert.equal(r.status, 401);
	});
	it("is refused beyond every limit", async () => {
		const r = await server.ask(`POST /api/import/db HTTP/1.1\r\n${HOST}` +
		    "Content-Length: 99999999999\r\n\r\n");
		assert.ok([401, 413].includes(r.status));
	});
});

describe("several requests on one connection", () => {
	it("are answered one after the other", async () => {
		const c = await server.connect();
		for (let i = 0; i < 5; i++) {
			c.send(get());
			assert.equal((await c.response()).status, 200);
		}
	});
	it("a body in pieces is put together", async () => {
		const c = await server.connect();
		const body = "{\"username\":\"\",\"password\":\"\"}";
		c.send(`POST ${LOGIN} HTTP/1.1\r\n${HOST}Content-Type: ` +
		    `application/json\r\nContent-Length: ${body.length}\r\n\r\n`);
		for (const ch of body) {
			c.send(ch);
			await sleep(2);
		}
		assert.equal((await c.response()).status, 400);
		c.send(get());
		assert.equal((await c.response()).status, 200);
	});
});
