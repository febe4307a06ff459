// TLS as it is on the wire: both versions, both kinds of keys, the
// certificate we make ourselves, and what TLS adds to a reply.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { get, makeCert, Server, SLOW, sleep, tempDir } from "./server.mjs";

for (const kind of ["rsa", "ec"])
	describe(`with a certificate of the kind ${kind}`, () => {
		const dir = tempDir();
		const server = new Server(dir);
		let ca;

		before(async () => {
			const { cert, key } = makeCert(dir, kind);
			ca = fs.readFileSync(cert);
			await server.start(["--tls-cert", cert, "--tls-key", key]);
		});
		after(() => server.stop());
		for (const version of ["TLSv1.2", "TLSv1.3"])
			it(`${version} is spoken and the certificate verifies`, async () => {
				const c = await server.tls({ ca, rejectUnauthorized: true,
				    minVersion: version, maxVersion: version });
				assert.equal(c.socket.getProtocol(), version);
				assert.match(c.socket.getCipher().name, /GCM|POLY1305/);
				c.send(get());
				assert.equal((await c.response()).status, 200);
			});
		it("older versions are refused", () => assert.rejects(server.tls({
			minVersion: "TLSv1", maxVersion: "TLSv1.1",
			ciphers: "DEFAULT@SECLEVEL=0",
		})));
		it("a cipher that is not AEAD is refused", () =>
		    assert.rejects(server.tls({
			maxVersion: "TLSv1.2",
			ciphers: kind === "rsa" ? "ECDHE-RSA-AES128-SHA256" :
			    "ECDHE-ECDSA-AES128-SHA256",
		})));
	});

describe("without a certificate", () => {
	const server = new Server();
	const files = () => ["tls.crt", "tls.key"].map((f) =>
	    path.join(server.dir, ".data", f));

	before(() => server.start());
	after(() => server.stop());
	it("one is made for localhost, this machine and both loopbacks", async () => {
		const [crt] = files();
		const x = new crypto.X509Certificate(fs.readFileSync(crt));
		assert.equal(x.publicKey.asymmetricKeyType, "ec");
		assert.equal(x.publicKey.asymmetricKeyDetails.namedCurve, "prime256v1");
		assert.match(x.subjectAltName, /DNS:localhost/);
		assert.match(x.subjectAltName, /IP Address:127\.0\.0\.1/);
		assert.match(x.subjectAltName, /IP Address:0:0:0:0:0:0:0:1/);
		const days = (new Date(x.validTo) - new Date(x.validFrom)) / 86400000;
		assert.equal(Math.round(days), 825);
		const c = await server.tls({ rejectUnauthorized: true,
		    ca: fs.readFileSync(crt) });
		c.send(get());
		assert.equal((await c.response()).status, 200);
	});
	it("its files are for the owner only", () => {
		for (const f of files())
			assert.equal(fs.statSync(f).mode & 0o777, 0o600);
	});
	it("it is used again at the next start", async () => {
		const [crt] = files();
		const before_ = fs.readFileSync(crt, "utf8");
		await server.stop();
		await server.start();
		assert.equal(fs.readFileSync(crt, "utf8"), before_);
	});
	it("it is replaced when it has expired", async () => {
		const [crt, key] = files();
		await server.stop();
		// Ended a second after it began.
		execFileSync("openssl", ["req", "-x509", "-key", key, "-out", crt,
		    "-days", "1", "-subj", "/CN=localhost"], { stdio: "ignore" });
		execFileSync("openssl", ["x509", "-in", crt, "-signkey", key,
		    "-days", "-1", "-out", crt], { stdio: "ignore" });
		const old = fs.readFileSync(crt, "utf8");
		await server.start();
		assert.notEqual(fs.readFileSync(crt, "utf8"), old);
		assert.match(server.log, /ev=tls\.make reason=expired/);
	});
	it("it is replaced when it does not fit its key", async () => {
		const [crt, key] = files();
		await server.stop();
		const other = makeCert(tempDir(), "ec");
		fs.copyFileSync(other.key, key);
		await server.start();
		assert.match(server.log, /ev=tls\.make reason=unfit/);
		const c = await server.tls({ rejectUnauthorized: true,
		    ca: fs.readFileSync(crt) });
		c.send(get());
		assert.equal((await c.response()).status, 200);
	});
	it("replies carry HSTS for a year, refusals by the parser too", async () => {
		const ok = await server.ask(get());
		assert.equal(ok.headers["strict-transport-security"],
		    "max-age=31536000");
		const bad = await server.ask(get("/healthz", "X : y\r\n"));
		assert.equal(bad.status, 400);
		assert.equal(bad.headers["strict-transport-security"],
		    "max-age=31536000");
	});
	it("the name in TLS and the host must agree, port and all", async () => {
		const r = await server.ask(
		    `GET /healthz HTTP/1.1\r\nHost: localhost:${server.port}\r\n\r\n`);
		assert.equal(r.status, 200);
		const other = await server.ask(
		    "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
		assert.equal(other.status, 421);
	});
	it("a head larger than the buffer is answered over TLS too", async () => {
		const r = await server.ask(get("/healthz",
		    `X: ${"a".repeat(20000)}\r\n`));
		assert.equal(r.status, 413);
	});
	it("a handshake that drips is cut although it never pauses long",
	    async () => {
		const c = await server.tcp();
		const hello = Buffer.concat([Buffer.from([0x16, 3, 1, 2, 0]),
		    Buffer.alloc(512, 1)]);
		let i = 0;
		const drip = setInterval(() =>
		    c.socket.write(hello.subarray(i, ++i)), 1000);
		try {
			const ms = await c.closed(20000 * SLOW);
			assert.ok(ms > 5000 && ms < 16000 * SLOW, `${ms} ms`);
		} finally {
			clearInterval(drip);
		}
	});
});

describe("with a key that is not the certificate's", () => {
	it("the server does not start and says so", async () => {
		const dir = tempDir();
		const a = makeCert(dir, "ec");
		const b = makeCert(tempDir(), "ec");
		const server = new Server(dir);
		await assert.rejects(server.start(["--tls-cert", a.cert, "--tls-key",
		    b.key]), /does not belong to the certificate/);
		await sleep(0);
	});
});

describe("without TLS", () => {
	const server = new Server();
	before(() => server.start(["--insecure-http"]));
	after(() => server.stop());
	it("no reply carries HSTS", async () => {
		for (const r of [await server.ask(get()),
		    await server.ask(get("/healthz", "X : y\r\n"))])
			assert.equal(r.headers["strict-transport-security"], undefined);
	});
});
