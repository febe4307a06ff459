// The real server for one file of raw-socket tests, and sockets that send
// exactly what they are told.  Nothing but Node's own modules, so that these
// tests need no account, no lnctl and no package.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import tls from "node:tls";

const BIN = path.resolve(process.env.LN_BIN ?? "build");
const IS_ASAN = path.basename(BIN) === "asan";
export const SLOW = IS_ASAN ? 3 : 1;
const SANITIZER = /AddressSanitizer|LeakSanitizer|runtime error:/;

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

export function tempDir() {
	return fs.mkdtempSync(path.join(process.env.TMPDIR ?? os.tmpdir(),
	    "ln-raw-"));
}

// A certificate of the kind ("rsa" or "ec"), as an operator brings one.
export function makeCert(dir, kind) {
	const key = path.join(dir, `${kind}.key`);
	const cert = path.join(dir, `${kind}.crt`);
	const algorithm = kind === "rsa" ? ["-newkey", "rsa:2048"] :
	    ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
	const r = spawnSync("openssl", ["req", "-x509", ...algorithm, "-nodes",
	    "-keyout", key, "-out", cert, "-days", "30", "-subj",
	    "/CN=localhost", "-addext",
	    "subjectAltName=DNS:localhost,IP:127.0.0.1"]);
	assert.equal(r.status, 0, String(r.stderr));
	return { cert, key };
}

class Raw {
	constructor(socket) {
		this.socket = socket;
		this.data = Buffer.alloc(0);
		this.isClosed = false;
		this.wake = () => {};
		socket.on("data", (d) => {
			this.data = Buffer.concat([this.data, d]);
			this.wake();
		});
		const closed = () => {
			this.isClosed = true;
			this.wake();
		};
		socket.on("end", closed);
		socket.on("close", closed);
		socket.on("error", (e) => {
			this.error = e;
			closed();
		});
	}

	send(...parts) {
		for (const p of parts)
			this.socket.write(typeof p === "string" ?
			    Buffer.from(p, "latin1") : p);
		return this;
	}

	text() {
		return this.data.toString("latin1");
	}

	async until(check, what, ms = 10000 * SLOW) {
		const end = Date.now() + ms;
		while (!check()) {
			const left = end - Date.now();
			if (left <= 0)
				throw new Error(`no ${what} in ${ms} ms; came: ` +
				    JSON.stringify(this.text().slice(0, 400)));
			await new Promise((done) => {
				const timer = setTimeout(done, left);
				this.wake = () => {
					clearTimeout(timer);
					done();
				};
			});
		}
	}

	// The next response: { status, headers, body }.
	async response(ms) {
		const head = () => this.text().indexOf("\r\n\r\n");
		await this.until(() => head() >= 0 || this.isClosed, "response", ms);
		assert.ok(head() >= 0, "closed without a response");
		const lines = this.text().slice(0, head()).split("\r\n");
		const status = Number(lines[0].split(" ")[1]);
		const headers = {};
		for (const l of lines.slice(1)) {
			const at = l.indexOf(":");
			headers[l.slice(0, at).toLowerCase()] = l.slice(at + 1).trim();
		}
		const start = head() + 4;
		const n = Number(headers["content-length"] ?? 0);
		await this.until(() => this.data.length >= start + n ||
		    this.isClosed, "body", ms);
		const body = this.data.subarray(start, start + n).toString("utf8");
		this.data = this.data.subarray(start + n);
		return { status, headers, body };
	}

	// That the server hangs up by itself; how long it took.
	async closed(ms = 10000 * SLOW) {
		const from = Date.now();
		await this.until(() => this.isClosed, "end of connection", ms);
		return Date.now() - from;
	}

	end() {
		this.socket.on("error", () => {});
		this.socket.destroy();
	}
}

export class Server {
	constructor(dir = tempDir()) {
		this.dir = dir;
		this.sockets = [];
	}

	async start(args = [], env = {}) {
		if (!fs.existsSync(path.join(this.dir, ".env")))
			fs.writeFileSync(path.join(this.dir, ".env"), "SECRET_KEY=" +
			    crypto.randomBytes(32).toString("hex") + "\n",
			    { mode: 0o600 });
		this.child = spawn(path.join(BIN, "localneural-server"),
		    ["--listen", "127.0.0.1:0", "--workers", "1", ...args], {
			cwd: this.dir,
			detached: true,
			stdio: ["ignore", "pipe", "pipe"],
			env: { PATH: process.env.PATH, LOCALNEURAL_PWHASH: "small",
			    ASAN_OPTIONS: process.env.ASAN_OPTIONS ?? "", ...env },
		});
		this.log = "";
		this.out = "";
		this.ended = new Promise((done) => this.child.on("close",
		    (code, signal) => done({ code, signal })));
		this.child.stderr.on("data", (d) => this.log += d);
		await new Promise((done, fail) => {
			const timer = setTimeout(() => fail(new Error(
			    `not ready:\n${this.log}`)), 20000 * SLOW);
			this.child.stdout.on("data", (d) => {
				this.out += d;
				const m = /^ready (https?):\/\/\S+:(\d+)$/m.exec(this.out);
				if (m === null)
					return;
				clearTimeout(timer);
				this.isTls = m[1] === "https";
				this.port = Number(m[2]);
				done();
			});
			this.ended.then((e) => fail(new Error(
			    `ended ${JSON.stringify(e)}:\n${this.log}`)));
		});
		return this;
	}

	// A plain TCP connection, whatever the server speaks.
	tcp() {
		return new Promise((done, fail) => {
			const s = net.connect(this.port, "127.0.0.1");
			s.once("error", fail);
			s.once("connect", () => {
				s.off("error", fail);
				s.setNoDelay(true);
				const raw = new Raw(s);
				this.sockets.push(raw);
				done(raw);
			});
		});
	}

	tls(options = {}) {
		return new Promise((done, fail) => {
			const s = tls.connect({ port: this.port, host: "127.0.0.1",
			    servername: "localhost", rejectUnauthorized: false,
			    ...options });
			s.once("error", fail);
			s.once("secureConnect", () => {
				s.off("error", fail);
				s.setNoDelay(true);
				const raw = new Raw(s);
				this.sockets.push(raw);
				done(raw);
			});
		});
	}

	connect() {
		return this.isTls ? this.tls() : this.tcp();
	}

	// One exchange: send all at once, read one response.
	async ask(...parts) {
		const c = await this.connect();
		c.send(Buffer.concat(parts.map((p) => Buffer.from(p, "latin1"))));
		return { ...await c.response(), connection: c };
	}

	async stop(signal = "SIGTERM") {
		for (const s of this.sockets)
			s.end();
		process.kill(this.child.pid, signal);
		const end = await this.ended;
		assert.doesNotMatch(this.log, SANITIZER);
		assert.deepEqual(end, { code: 0, signal: null }, this.log);
		return this.log;
	}
}

export const HOST = "Host: localhost\r\n";
export const get = (p = "/healthz", extra = "") =>
    `GET ${p} HTTP/1.1\r\n${HOST}${extra}\r\n`;
export const post = (p, body, extra = "") =>
    `POST ${p} HTTP/1.1\r\n${HOST}Content-Type: application/json\r\n` +
    `Content-Length: ${Buffer.byteLength(body)}\r\n${extra}\r\n${body}`;
