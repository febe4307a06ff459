// A real server for one test file: its own folder, database, certificate and
// port.
//
//   const server = await startServer({ users: [{ username: "bob" }] });
//   const bob = await server.login("bob");
//   const me = await bob.get("/api/auth/me");	// { status, json, ... }
//   const ws = await bob.ws();
//   ws.send({ type: "ping" });
//   await ws.next("pong");
//   await server.stop();		// asserts a clean end
//
// The environment of tests/run is assumed: LN_BIN, LN_FIXTURES, TMPDIR.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { Client } from "./client.mjs";

export { Client, Socket, text_of } from "./client.mjs";

export const BIN = path.resolve(process.env.LN_BIN ?? "build");
export const FIXTURES = path.resolve(process.env.LN_FIXTURES ??
    new URL("../fixtures", import.meta.url).pathname);
const IS_ASAN = path.basename(BIN) === "asan";
// A guard against hanging: sanitizers are slow and machines are busy.
export const PATIENCE_MS = 60000;
const SANITIZER = /AddressSanitizer|LeakSanitizer|runtime error:|==\d+==ERROR/;

export const ADMIN = {
	username: "root",
	email: "root@example.test",
	password: "Operator-pass-0001",
};

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

// Wait until check() gives something true; that is the result.
export async function until(check, what = "the condition", ms = PATIENCE_MS) {
	const end = Date.now() + ms;
	for (;;) {
		const value = await check();
		if (value)
			return value;
		if (Date.now() > end)
			throw new Error(`waited ${ms} ms in vain for ${what}`);
		await sleep(20);
	}
}

export function expected(kind) {
	return JSON.parse(fs.readFileSync(
	    path.join(FIXTURES, `expect_legacy_${kind}.json`), "utf8"));
}

export function temp_dir() {
	return fs.mkdtempSync(path.join(process.env.TMPDIR ?? os.tmpdir(), "ln-"));
}

// Run a program to its end.
export function run(file, args, { env = {}, stdin = "", cwd, timeout_ms } = {}) {
	return new Promise((done, fail) => {
		const child = spawn(file, args, { env: base_env(env), cwd });
		const out = [], err = [];
		const limit = setTimeout(() => child.kill("SIGKILL"),
		    timeout_ms ?? 3 * PATIENCE_MS);

		child.on("error", fail);
		child.stdout.on("data", (d) => out.push(d));
		child.stderr.on("data", (d) => err.push(d));
		child.stdin.on("error", () => {}); // it may not want to read
		child.stdin.end(stdin);
		child.on("close", (code, signal) => {
			clearTimeout(limit);
			const bytes = Buffer.concat(out);
			const stdout = bytes.toString("utf8");
			const stderr = Buffer.concat(err).toString("utf8");
			let json;
			try {
				json = JSON.parse(stdout);
			} catch {
				json = undefined;
			}
			if (SANITIZER.test(stderr))
				fail(new Error(`${file} ${args.join(" ")}:\n${stderr}`));
			else
				done({ code: code ?? signal, stdout, stderr, json, bytes });
		});
	});
}

function base_env(extra) {
	const keep = {};
	for (const name of ["PATH", "HOME", "TMPDIR", "LANG", "TZ",
	    "ASAN_OPTIONS", "UBSAN_OPTIONS"]) {
		if (process.env[name] !== undefined)
			keep[name] = process.env[name];
	}
	return { ...keep, LOCALNEURAL_PWHASH: "small", ...extra };
}

const groups = new Set();
function kill_all() {
	for (const pid of groups) {
		try {
			process.kill(-pid, "SIGKILL");
		} catch {
			// already gone
		}
	}
	groups.clear();
}
process.on("exit", kill_all);
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"])
	process.on(signal, () => process.exit(128 + os.constants.signals[signal]));

let count = 0;

export class Server {
	constructor(opts) {
		this.opts = opts;
		this.dir = temp_dir();
		this.data = path.join(this.dir, "data");
		this.db = path.join(this.data, "neural_memory.db");
		this.env_file = path.join(this.dir, ".env");
		// Titles by the model are one more request after a first answer:
		// only the tests that are about them have them.
		this.env = { LOCALNEURAL_DB: this.db, LOCALNEURAL_AUTO_TITLE: "0",
			...opts.env };
		this.log_file = `${process.env.LN_TEST_LOG ??
		    path.join(this.dir, "server")}.server${++count}.log`;
		this.adminUser = ADMIN.username;
		this.adminPassword = ADMIN.password;
		this.passwords = { [ADMIN.username]: ADMIN.password };
		this.clients = [];
	}

	// lnctl on this server's database.  { code, stdout, stderr, json }
	lnctl(args, { stdin = "", env = {} } = {}) {
		return run(path.join(BIN, "lnctl"),
		    ["--env-file", this.env_file, "--db", this.db, ...args],
		    { stdin, env: { ...this.env, ...env }, cwd: this.dir });
	}

	// The same, and it must work.
	async lnctl_ok(args, opts) {
		const r = await this.lnctl(args, opts);
		assert.equal(r.code, 0, `lnctl ${args.join(" ")}: ${r.stderr}${r.stdout}`);
		return r;
	}

	// Rows of the database behind the server's back: [{ column: value }].
	async sql(query, file = this.db) {
		const r = await run("sqlite3", ["-readonly", "-json", file, query]);
		assert.equal(r.code, 0, r.stderr);
		return r.stdout.trim() === "" ? [] : r.json;
	}

	// What no program of ours does: change the file behind its back.
	async write(query) {
		const r = await run("sqlite3", ["-bail", "-cmd", ".timeout 5000",
		    this.db, query]);
		assert.equal(r.code, 0, r.stderr);
	}

	secret_file(text) {
		const file = path.join(this.dir, `secret${++count}`);
		fs.writeFileSync(file, text, { mode: 0o600 });
		return file;
	}

	async init() {
		await this.lnctl_ok(["init", "--admin-email", ADMIN.email,
		    "--admin-username", ADMIN.username, "--password-file",
		    this.secret_file(ADMIN.password), "--no-input", "--json"]);
		if (this.opts.legacy !== undefined)
			await this.lnctl_ok(["db", "import",
			    path.join(FIXTURES, this.opts.legacy), "--keep-admin",
			    ADMIN.username, "--yes", "--no-input", "--json"]);
		for (const user of this.opts.users ?? [])
			await this.add_user(user);
	}

	async add_user({ username, password = `${username}-Password-1`,
	    role = "user", email }) {
		await this.lnctl_ok(["user", "create", username, "--role", role,
		    ...(email === undefined ? [] : ["--email", email]),
		    "--password-stdin", "--no-input", "--json"],
		    { stdin: password });
		this.passwords[username] = password;
		return { username, password };
	}

	async start() {
		const args = ["--env-file", this.env_file, "--listen",
		    this.opts.listen ?? "127.0.0.1:0", "--workers",
		    String(this.opts.workers ?? 2), ...(this.opts.args ?? [])];

		this.log = "";
		this.exit = null;
		const child = spawn(path.join(BIN, "localneural-server"), args, {
			cwd: this.dir,
			env: base_env(this.env),
			stdio: ["ignore", "pipe", "pipe"],
			detached: true,
		});
		this.child = child;
		groups.add(child.pid);
		let stdout = "";
		const keep = (d) => {
			this.log += d;
			fs.appendFileSync(this.log_file, d);
		};
		child.stdout.on("data", (d) => {
			stdout += d;
			keep(d);
		});
		child.stderr.on("data", keep);
		this.ended = new Promise((done) => {
			child.on("error", (e) => {
				this.exit = { code: String(e), signal: null };
				done(this.exit);
			});
			// "close": output is complete, so no worker is left either.
			child.on("close", (code, signal) => {
				this.exit = { code, signal };
				done(this.exit);
			});
		});
		const ready = await until(() => {
			if (this.exit !== null)
				throw new Error(`the server ended (${this.exit.code ??
				    this.exit.signal}):\n${this.log}`);
			return stdout.match(/^ready (https?):\/\/(\S+):(\d+)$/m);
		}, "the ready line").catch((e) => {
			this.kill();
			throw new Error(`${e.message}\n${this.log}`);
		});
		this.scheme = ready[1];
		this.port = Number(ready[3]);
		this.host = `localhost:${this.port}`;
		this.url = `${this.scheme}://${this.host}`;
		this.ca = this.scheme === "https" ?
		    fs.readFileSync(path.join(this.data, "tls.crt")) : undefined;
		return this;
	}

	// A browser that nobody has signed in with.
	client() {
		const c = new Client(this);
		this.clients.push(c);
		return c;
	}

	async login(username = ADMIN.username,
	    password = this.passwords[username]) {
		const c = this.client();
		const r = await c.login(username, password);
		assert.equal(r.status, 200, `login of ${username}: ${r.text}`);
		return c;
	}

	kill(signal = "SIGKILL") {
		try {
			process.kill(-this.child.pid, signal);
		} catch {
			// already gone
		}
	}

	// End it as an operator would; it must end well, soon, and whole.
	async stop({ signal = "SIGTERM" } = {}) {
		for (const c of this.clients)
			c.close();
		if (this.exit === null) {
			process.kill(this.child.pid, signal);
			// Unreferenced: it must not keep this process from ending.
			await Promise.race([this.ended, new Promise((done) =>
				setTimeout(done, PATIENCE_MS).unref())]);
		}
		const exit = this.exit;
		let has_survivors = true;
		try {
			process.kill(-this.child.pid, 0);
		} catch {
			has_survivors = false;
		}
		this.kill();
		groups.delete(this.child.pid);
		assert.notEqual(exit, null, `the server did not end:\n${this.log}`);
		assert.doesNotMatch(this.log, SANITIZER);
		assert.deepEqual(exit, { code: 0, signal: null }, this.log);
		assert.equal(has_survivors, false, "the server left processes behind");
		// A worker that died instead of closing leaves its log behind.
		assert.equal(fs.existsSync(`${this.db}-wal`), false,
		    `the database was not closed:\n${this.log}`);
		return this.log;
	}
}

/*
 * opts:
 *   env      settings for server and lnctl, over the defaults
 *   users    [{ username, password?, role?, email? }], made before the start
 *   legacy   a fixture to import first ("legacy_scrypt.db"); the harness's own
 *            admin is carried over
 *   workers  2 unless said
 *   listen   "127.0.0.1:0" unless said
 *   args     more words for the server
 */
export async function startServer(opts = {}) {
	const server = new Server(opts);
	await server.init();
	return server.start();
}
