// WebSocket frames as bytes: what a browser's own code would never send.

import assert from "node:assert/strict";
import crypto from "node:crypto";
import { after, before, describe, it } from "node:test";
import { get, post, Server, sleep } from "./server.mjs";

const ADMIN = { username: "admin", password: "Operator-pass-0001" };
const server = new Server();
let cookie;

before(async () => {
	await server.start(["--insecure-http"], {
		LOCALNEURAL_ADMIN_EMAIL: "root@example.test",
		LOCALNEURAL_ADMIN_PASSWORD: ADMIN.password,
	});
	const r = await server.ask(post("/api/auth/login", JSON.stringify(ADMIN)));
	assert.equal(r.status, 200, r.body);
	cookie = r.headers["set-cookie"].split(";")[0];
});
after(() => server.stop());

const upgrade = (extra = "", headers = "Upgrade: websocket\r\n" +
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n") =>
    get("/ws/chat", `${headers}Sec-WebSocket-Key: ` +
    `dGhlIHNhbXBsZSBub25jZQ==\r\nCookie: ${cookie}\r\n${extra}`);

async function open() {
	const c = await server.connect();
	c.send(upgrade());
	const r = await c.response();
	assert.equal(r.status, 101);
	assert.equal(r.headers["sec-websocket-accept"],
	    "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	return c;
}

function frame(op, payload, { fin = true, mask = true, rsv = 0 } = {}) {
	const data = Buffer.from(payload);
	const head = [(fin ? 0x80 : 0) | rsv | op];
	const m = mask ? 0x80 : 0;
	if (data.length < 126)
		head.push(m | data.length);
	else if (data.length < 65536)
		head.push(m | 126, data.length >> 8, data.length & 255);
	else
		head.push(m | 127, 0, 0, 0, 0, data.length >>> 24,
		    (data.length >> 16) & 255, (data.length >> 8) & 255,
		    data.length & 255);
	const key = crypto.randomBytes(4);
	return mask ? Buffer.concat([Buffer.from(head), key,
	    data.map((b, i) => b ^ key[i % 4])]) :
	    Buffer.concat([Buffer.from(head), data]);
}

// The next frame of the server: { op, payload }.
async function receive(c) {
	const size = () => {
		if (c.data.length < 2)
			return Infinity;
		const n = c.data[1] & 127;
		return n < 126 ? 2 + n : c.data.length < 4 ? Infinity :
		    4 + c.data.readUInt16BE(2);
	};
	await c.until(() => c.data.length >= size(), "frame");
	assert.equal(c.data[0] & 0x80, 0x80);
	assert.equal(c.data[1] & 0x80, 0, "a server never masks");
	const n = size();
	const payload = c.data.subarray((c.data[1] & 127) < 126 ? 2 : 4, n);
	const op = c.data[0] & 15;
	c.data = c.data.subarray(n);
	return { op, payload };
}

const PING = JSON.stringify({ type: "ping" });
async function pongs(c) {
	const f = await receive(c);
	assert.equal(f.op, 1);
	assert.deepEqual(JSON.parse(f.payload), { type: "pong" });
}
async function closes(c, code) {
	const f = await receive(c);
	assert.equal(f.op, 8);
	assert.equal(f.payload.readUInt16BE(0), code);
	await c.closed();
}
const padded = (n) => PING.replace("{", "{" + " ".repeat(n - PING.length));

describe("the handshake", () => {
	it("wants a session", async () => {
		const r = await server.ask(get("/ws/chat", "Upgrade: websocket\r\n"));
		assert.equal(r.status, 401);
	});
	for (const origin of ["https://evil.example", "null", "http://localhost:1",
	    "http://localhost.evil.example"])
		it(`refuses the origin ${origin}`, async () => {
			const r = await server.ask(upgrade(`Origin: ${origin}\r\n`));
			assert.equal(r.status, 403);
			assert.deepEqual(JSON.parse(r.body),
			    { error: "CSRF validation failed" });
		});
	it("refuses what another site started", async () => {
		const r = await server.ask(upgrade("Sec-Fetch-Site: cross-site\r\n"));
		assert.equal(r.status, 403);
	});
	it("takes our own origin", async () => {
		const r = await server.ask(upgrade("Origin: http://localhost\r\n" +
		    "Sec-Fetch-Site: same-origin\r\n"));
		assert.equal(r.status, 101);
	});
	it("is told apart from a plain GET: 426", async () => {
		const r = await server.ask(upgrade("", ""));
		assert.equal(r.status, 426);
	});
	it("refuses another version: 400, and says which it speaks", async () => {
		const r = await server.ask(upgrade("", "Upgrade: websocket\r\n" +
		    "Connection: Upgrade\r\nSec-WebSocket-Version: 8\r\n"));
		assert.equal(r.status, 400);
		assert.equal(r.headers["sec-websocket-version"], "13");
	});
});

describe("whole messages", () => {
	it("are answered, also two in one packet", async () => {
		const c = await open();
		c.send(Buffer.concat([frame(1, PING), frame(1, PING)]));
		await pongs(c);
		await pongs(c);
	});
	for (const n of [125, 126, 65535, 65536])
		it(`of ${n} bytes are read`, async () => {
			const c = await open();
			c.send(frame(1, padded(n)));
			await pongs(c);
		});
	it("of one byte more are refused with 1009", async () => {
		const c = await open();
		c.send(frame(1, padded(65537)));
		await closes(c, 1009);
	});
	it("that announce 2^63 bytes are refused with 1009", async () => {
		const c = await open();
		c.send(Buffer.from([0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff,
		    0xff, 0xff, 1, 2, 3, 4]), Buffer.alloc(200));
		await closes(c, 1009);
	});
	it("that are no JSON get an error, and the socket stays", async () => {
		const c = await open();
		for (const bad of ["{", "[]", "\"x\"", "{\"type\":\"ping\"} x",
		    "{\"type\":1,\"type\":2}"]) {
			c.send(frame(1, bad));
			const f = await receive(c);
			assert.equal(JSON.parse(f.payload).type, "error");
		}
		c.send(frame(1, Buffer.from([0x22, 0xff, 0x22])));
		assert.equal(JSON.parse((await receive(c)).payload).type, "error");
		c.send(frame(2, PING));
		assert.equal(JSON.parse((await receive(c)).payload).type, "error");
		c.send(frame(1, PING));
		await pongs(c);
	});
});

describe("fragments", () => {
	it("are put together, with a ping between them", async () => {
		const c = await open();
		c.send(frame(1, PING.slice(0, 5), { fin: false }));
		await sleep(20);
		c.send(frame(9, "now"), frame(0, PING.slice(5, 9), { fin: false }));
		await sleep(20);
		c.send(frame(0, PING.slice(9)));
		const f = await receive(c);
		assert.equal(f.op, 10);
		assert.equal(String(f.payload), "now");
		await pongs(c);
		c.send(frame(1, PING));
		await pongs(c);
	});
	it("may be empty", async () => {
		const c = await open();
		c.send(frame(1, "", { fin: false }), frame(0, PING, { fin: false }),
		    frame(0, ""));
		await pongs(c);
	});
	it("reach the cap together and are refused beyond it with 1009",
	    async () => {
		const c = await open();
		const whole = padded(65536);
		c.send(frame(1, whole.slice(0, 40000), { fin: false }),
		    frame(0, whole.slice(40000)));
		await pongs(c);
		c.send(frame(1, "x".repeat(40000), { fin: false }),
		    frame(0, "x".repeat(30000)));
		await closes(c, 1009);
	});
	it("that nothing began are refused with 1002", async () => {
		const c = await open();
		c.send(frame(0, PING));
		await closes(c, 1002);
	});
	it("that another message interrupts are refused with 1002", async () => {
		const c = await open();
		c.send(frame(1, "{", { fin: false }), frame(1, PING));
		await closes(c, 1002);
	});
});

describe("frames that break the protocol end it with 1002", () => {
	for (const [name, bytes] of [
		["unmasked", frame(1, PING, { mask: false })],
		["with a reserved bit", frame(1, PING, { rsv: 0x40 })],
		["of an unknown kind", frame(3, PING)],
		["a fragmented ping", frame(9, "", { fin: false })],
		["a ping that is too long", frame(9, "x".repeat(126))],
	])
		it(name, async () => {
			const c = await open();
			c.send(bytes);
			await closes(c, 1002);
		});
	it("and the reason arrives although the client goes on sending",
	    async () => {
		const c = await open();
		c.send(frame(3, ""));
		for (let i = 0; i < 32; i++)
			c.send(Buffer.alloc(65536));
		await closes(c, 1002);
	});
});

describe("the end", () => {
	it("a close is answered by a close", async () => {
		const c = await open();
		c.send(frame(8, Buffer.from([0x03, 0xe8])));
		assert.equal((await receive(c)).op, 8);
		await c.closed();
	});
	it("a socket whose session ends is closed within two seconds with 1008",
	    async () => {
		const c = await open();
		const r = await server.ask(post("/api/auth/logout", "",
		    `Cookie: ${cookie}\r\n`));
		assert.equal(r.status, 200);
		const from = Date.now();
		await closes(c, 1008);
		assert.ok(Date.now() - from < 5000);
		const again = await server.ask(upgrade());
		assert.equal(again.status, 401);
	});
});


