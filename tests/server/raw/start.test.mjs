// The start and the end of the server: everything that is wrong is said in a
// sentence before a socket is bound.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { get, post, Server, SLOW, sleep, tempDir } from "./server.mjs";

const BIN = path.resolve(process.env.LN_BIN ?? "build", "localneural-server");

function run(dir, args = [], env = {}) {
	const r = spawnSync(BIN, ["--listen", "127.0.0.1:0", ...args], {
		cwd: dir, encoding: "utf8", timeout: 20000 * SLOW,
		env: { PATH: process.env.PATH,
		    ASAN_OPTIONS: process.env.ASAN_OPTIONS ?? "", ...env },
	});
	assert.doesNotMatch(r.stdout, /ready/);
	return r;
}

describe("the server refuses to start", () => {
	it("without SECRET_KEY, and prints the command that makes one", () => {
		const dir = tempDir();
		const r = run(dir);
		assert.equal(r.status, 1, r.stderr);
		assert.match(r.stderr, /SECRET_KEY/);
		assert.match(r.stderr, /lnctl init/);
		assert.deepEqual(fs.readdirSync(dir), [], "it left something behind");
	});
	for (const weak of ["short", "x".repeat(31)])
		it(`with a SECRET_KEY of ${weak.length} characters, unprinted`, () => {
			const r = run(tempDir(), [], { SECRET_KEY: weak });
			assert.equal(r.status, 1);
			assert.match(r.stderr, /lnctl init/);
			assert.ok(!r.stderr.includes(weak));
		});
	it("with a settings file that cannot be read, naming the line", () => {
		const dir = tempDir();
		fs.writeFileSync(path.join(dir, ".env"), "A=b\nthis is nothing\n",
		    { mode: 0o600 });
		const r = run(dir);
		assert.notEqual(r.status, 0);
		assert.match(r.stderr, /line 2/);
	});
	it("with words it does not know", () => {
		assert.equal(run(tempDir(), ["--nonsense"]).status, 2);
		assert.equal(run(tempDir(), ["nonsense"]).status, 2);
	});
	for (const listen of ["127.0.0.1:http", "127.0.0.1:65536", "nowhere.invalid:0"])
		it(`on ${listen}`, () => {
			const r = run(tempDir(), ["--listen", listen],
			    { SECRET_KEY: "k".repeat(20) + "0123456789abcdef" });
			assert.notEqual(r.status, 0);
			assert.notEqual(r.stderr, "");
		});
	it("on a file that is not a database, and leaves it alone", () => {
		const dir = tempDir();
		const db = path.join(dir, "x.db");
		fs.writeFileSync(db, "certainly not a database ".repeat(400));
		const r = run(dir, ["--db", db],
		    { SECRET_KEY: "k".repeat(20) + "0123456789abcdef" });
		assert.notEqual(r.status, 0);
		assert.match(r.stderr, /database/i);
		assert.match(fs.readFileSync(db, "utf8"), /^certainly not/);
	});
});

describe("a server that runs", () => {
	const server = new Server();
	before(() => server.start(["--workers", "2", "--seccomp-trace"]));
	after(() => server.stop());

	it("says ready once, with the real port", () => {
		assert.match(server.out, /^ready https:\/\/localhost:\d+\n$/);
	});
	it("keeps a second one away from its port: one sentence, exit 1", () => {
		const r = spawnSync(BIN, ["--listen", `127.0.0.1:${server.port}`], {
			cwd: tempDir(), encoding: "utf8",
			env: { PATH: process.env.PATH, SECRET_KEY: "0123456789abcdef" +
			    "fedcba9876543210" },
		});
		assert.equal(r.status, 1);
		assert.match(r.stderr, /already in use/);
	});
	it("keeps a second one away from its database", () => {
		const r = run(server.dir);
		assert.equal(r.status, 1);
		assert.match(r.stderr, /already serving this database/);
	});
	it("keeps its files to itself", () => {
		const data = path.join(server.dir, ".data");
		assert.equal(fs.statSync(data).mode & 0o777, 0o700);
		for (const f of fs.readdirSync(data))
			assert.equal(fs.statSync(path.join(data, f)).mode & 0o077, 0, f);
	});
	it("makes no system call that its filter does not know", async () => {
		assert.equal((await server.ask(get())).status, 200);
		const r = await server.ask(post("/api/auth/login",
		    JSON.stringify({ username: "x", password: "y" })));
		assert.equal(r.status, 401);
		assert.doesNotMatch(server.log, /violation/);
	});
});

describe("localhost", () => {
	const server = new Server();
	before(() => server.start(["--listen", "localhost:0", "--insecure-http"]));
	after(() => server.stop());

	it("is both loopback addresses", async (t) => {
		const ask = (host) => new Promise((done, fail) => {
			const s = net.connect(server.port, host);
			let text = "";
			s.on("error", fail);
			s.on("data", (d) => text += d);
			s.on("close", () => done(text));
			s.write("GET /healthz HTTP/1.1\r\nHost: localhost:1\r\n" +
			    "Connection: close\r\n\r\n");
		});
		assert.match(await ask("127.0.0.1"), /^HTTP\/1.1 200 /);
		try {
			assert.match(await ask("::1"), /^HTTP\/1.1 200 /);
		} catch (e) {
			t.skip(`no IPv6 here: ${e.code}`);
		}
	});
});

describe("a worker that dies", () => {
	const server = new Server();
	before(() => server.start(["--insecure-http"]));
	after(() => server.stop());

	const workers = () => spawnSync("pgrep", ["-P", String(server.child.pid),
	    "-f", "wrk"], { encoding: "utf8" }).stdout.trim().split("\n");

	it("is replaced, and what it counted still counts", async () => {
		const login = () => server.ask(post("/api/auth/login",
		    JSON.stringify({ username: "x", password: "y" })));
		for (let i = 0; i < 10; i++)
			assert.equal((await login()).status, 401);
		assert.equal((await login()).status, 429);
		const [pid] = workers();
		process.kill(Number(pid), "SIGKILL");
		let r;
		for (let i = 0; i < 100; i++) {
			await sleep(50);
			try {
				r = await login();
				break;
			} catch {
				// the old one had it
			}
		}
		assert.equal(r?.status, 429);
		assert.match(r.headers["retry-after"], /^[1-9]\d*$/);
		assert.equal(server.out.match(/ready/g).length, 1);
	});
});

describe("the end", () => {
	for (const signal of ["SIGTERM", "SIGINT"])
		it(`${signal} ends every process within the drain time`, async () => {
			const server = new Server();
			await server.start(["--workers", "2"]);
			const from = Date.now();
			await server.stop(signal);
			assert.ok(Date.now() - from < 8000 * SLOW);
			assert.throws(() => process.kill(-server.child.pid, 0));
			assert.ok(!fs.readdirSync(path.join(server.dir, ".data"))
			    .includes("neural_memory.db.pid"));
		});
	it("a request that is being answered is answered first", async () => {
		const server = new Server();
		await server.start(["--insecure-http"]);
		const c = await server.connect();
		c.send(post("/api/auth/login",
		    JSON.stringify({ username: "x", password: "y" })));
		await sleep(60);
		process.kill(server.child.pid, "SIGTERM");
		assert.equal((await c.response()).status, 401);
		assert.deepEqual(await server.ended, { code: 0, signal: null });
	});
});
