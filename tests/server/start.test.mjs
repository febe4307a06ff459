// `make start` ends in `lnctl server run --init`: from an empty folder to a
// signed-in browser.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { Client, PATIENCE_MS, run, temp_dir, until } from "./harness.mjs";

const LNCTL = path.join(path.resolve(process.env.LN_BIN ?? "build"), "lnctl");
const ENV = Object.fromEntries(Object.entries(process.env).filter(([k]) =>
	["PATH", "HOME", "TMPDIR", "LANG", "ASAN_OPTIONS", "UBSAN_OPTIONS"].includes(k)));

// What runs in folder dir; its output so far in .out and .err.
function serve(dir, args = ["--listen", "127.0.0.1:0"]) {
	const child = spawn(LNCTL, ["server", "run", "--init", ...args],
	    { cwd: dir, env: ENV, stdio: ["ignore", "pipe", "pipe"] });
	const it = { child, out: "", err: "", code: null };
	child.stdout.on("data", (d) => it.out += d);
	child.stderr.on("data", (d) => it.err += d);
	it.ended = new Promise((done) => child.on("close", (code, signal) => {
		it.code = code ?? signal;
		done(it.code);
	}));
	it.port = () => until(() => {
		if (it.code !== null)
			throw new Error(`ended (${it.code}): ${it.out}${it.err}`);
		return it.out.match(/https:\/\/localhost:(\d+)/)?.[1];
	}, "the printed address", PATIENCE_MS).then(Number);
	running.push(it);
	return it;
}

const running = [];
let dir, first, port, password;

before(async () => {
	dir = temp_dir();
	first = serve(dir);
	port = await first.port();
	password = first.out.match(/^password: (\S+)/m)?.[1];
});
after(() => {
	for (const it of running)
		it.child.kill("SIGKILL");
});

const client = (at) => new Client({
	scheme: "https", port: at, host: `localhost:${at}`, url: `https://localhost:${at}`,
	ca: fs.readFileSync(path.join(dir, ".data", "tls.crt")),
});

test("the first run prints address, admin and a one-time password", () => {
	assert.match(first.out, /^admin: admin$/m);
	assert.match(first.out, /^password: \S{12,}/m);
	assert.equal((first.out + first.err).split(password).length, 2, "printed once");
});

test("it makes the env file, the folder, the database and the key, all private",
    () => {
	const mode = (f) => (fs.statSync(path.join(dir, f)).mode & 0o777).toString(8);
	assert.equal(mode(".env"), "600");
	assert.equal(mode(".data"), "700");
	assert.equal(mode(".data/neural_memory.db"), "600");
	assert.equal(mode(".data/tls.key"), "600");
	assert.match(fs.readFileSync(path.join(dir, ".env"), "utf8"),
	    /^SECRET_KEY=\S{32,}$/m);
});

test("the printed password signs in, and /api/auth/me answers", async () => {
	const c = client(port);
	const r = await c.login("admin", password);
	assert.equal(r.status, 200, r.text);
	const me = (await c.get("/api/auth/me")).json;
	assert.deepEqual([me.username, me.role], ["admin", "admin"]);
	const cookie = r.headers["set-cookie"].find((l) => l.includes("ln_session"));
	assert.match(cookie, /^__Host-ln_session=v1\./);
	for (const part of [/; *Path=\/(;|$)/i, /; *HttpOnly/i, /; *Secure/i,
	    /; *SameSite=Lax/i, /; *Max-Age=259200/i])
		assert.match(cookie, part);
	assert.doesNotMatch(cookie, /Domain/i);
});

test("curl -k fetches the login page", async () => {
	const r = await run("curl", ["-ksS", "-o", "/dev/null", "-w", "%{http_code}",
	    `https://localhost:${port}/login`]);
	assert.equal(r.stdout, "200", r.stderr);
});

for (const [flag, name] of [["-tls1_2", "TLSv1.2"], ["-tls1_3", "TLSv1.3"]]) {
	test(`openssl speaks ${name}`, async () => {
		const r = await run("openssl", ["s_client", flag, "-connect",
		    `127.0.0.1:${port}`, "-servername", "localhost", "-CAfile",
		    path.join(dir, ".data", "tls.crt"), "-verify_return_error"],
		    { stdin: "Q\n" });
		assert.equal(r.code, 0, r.stderr);
		assert.match(r.stdout, new RegExp(`${name.replace(".", "\\.")}, Cipher is .*(GCM|CHACHA20)`));
	});
}

test("older TLS is refused", async () => {
	const r = await run("openssl", ["s_client", "-tls1_1", "-cipher",
	    "DEFAULT:@SECLEVEL=0", "-connect", `127.0.0.1:${port}`], { stdin: "Q\n" });
	assert.notEqual(r.code, 0);
});

test("the certificate names localhost and this machine", async () => {
	const r = await run("openssl", ["x509", "-in", path.join(dir, ".data", "tls.crt"),
	    "-noout", "-ext", "subjectAltName"]);
	assert.match(r.stdout, /DNS:localhost/);
	assert.ok(r.stdout.includes(`DNS:${os.hostname()}`), r.stdout);
});

test("a second server on the same port is told so, exits non-zero, harms nothing",
    async () => {
	const other = temp_dir();
	const it = serve(other, ["--listen", `127.0.0.1:${port}`]);
	assert.notEqual(await it.ended, 0);
	assert.match(it.err, /in use/i);
	assert.match(it.err, /--listen/);
	assert.equal((await client(port).get("/healthz")).text.trim(), "ok");
});

test("a second server on the same database is refused", async () => {
	const it = serve(dir);
	assert.notEqual(await it.ended, 0);
	assert.match(it.err, /already/i);
	assert.equal((await client(port).get("/healthz")).text.trim(), "ok");
});

test("Ctrl-C stops it cleanly and frees the port", async () => {
	first.child.kill("SIGINT");
	assert.equal(await first.ended, 0, first.err);
	await new Promise((done, fail) => {
		const s = net.createServer();
		s.on("error", fail);
		s.listen(port, "127.0.0.1", () => s.close(done));
	});
	const left = fs.readdirSync(path.join(dir, ".data"));
	assert.ok(!left.some((f) => f.endsWith("-wal") &&
	    fs.statSync(path.join(dir, ".data", f)).size > 0), left.join(" "));
});

test("a second run reuses everything and prints no password", async () => {
	const keep = [".env", ".data/tls.crt", ".data/tls.key"]
	    .map((f) => fs.readFileSync(path.join(dir, f), "utf8"));
	const second = serve(dir);
	const at = await second.port();
	assert.doesNotMatch(second.out + second.err, /password/i);
	assert.deepEqual([".env", ".data/tls.crt", ".data/tls.key"]
	    .map((f) => fs.readFileSync(path.join(dir, f), "utf8")), keep);
	const c = client(at);
	assert.equal((await c.login("admin", password)).status, 200);
	second.child.kill("SIGTERM");
	assert.equal(await second.ended, 0, second.err);
});

for (const [what, line] of [
	["missing", ""],
	["short", "SECRET_KEY=too-short\n"],
	["the example value", "SECRET_KEY=change-me-change-me-change-me-change-me\n"],
]) {
	test(`a SECRET_KEY that is ${what} keeps the server from binding`, async () => {
		const bad = temp_dir();
		fs.writeFileSync(path.join(bad, ".env"), line, { mode: 0o600 });
		const r = await run(path.join(path.dirname(LNCTL), "localneural-server"),
		    ["--env-file", path.join(bad, ".env"), "--listen", "127.0.0.1:0"],
		    { cwd: bad, env: { LOCALNEURAL_DB: path.join(bad, "d", "x.db") } });
		assert.notEqual(r.code, 0);
		assert.doesNotMatch(r.stdout, /ready/);
		assert.match(r.stderr, /SECRET_KEY/);
		assert.match(r.stderr, /urandom|lnctl init/);
		assert.equal(fs.existsSync(path.join(bad, "d")), false);
	});
}
