// What the files of the security contract share.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { run } from "./harness.mjs";

const ROOT = process.env.LN_ROOT ?? new URL("../..", import.meta.url).pathname;

const CSP_PAGE = "default-src 'none'; script-src 'self'; style-src 'self'; " +
    "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; " +
    "media-src 'self' blob:; manifest-src 'self'; form-action 'self'; " +
    "base-uri 'none'; frame-ancestors 'none'; " +
    "require-trusted-types-for 'script'";
const CSP_API = "default-src 'none'; sandbox; frame-ancestors 'none'";

// The table of routes as the server has it: [{ method, path, guard, flags }].
export function routes() {
	const text = fs.readFileSync(path.join(ROOT, "server/routes.c"), "utf8");
	const found = [...text.matchAll(
	    /^\t\{ (GET|POST|PUT|DELETE),\s+"([^"]+)", (G_\w+), ([^,]+), ([^,]+), (LIMIT_\w+), (\w+) \}/gm)]
	    .map(([, method, at, guard, flags, , limit, handler]) =>
		({ method, path: at, guard, flags: flags.split(/\s*\|\s*/), limit,
		    handler }));
	assert.equal(found.length,
	    text.match(/^\t\{ (GET|POST|PUT|DELETE),/gm).length,
	    "a route was not understood");
	return found;
}

// All that a client could tell two replies apart by; date and request id are
// new each time.  hide: [[regexp, name]] for what may differ in the body.
export function shape(r, hide = []) {
	const headers = [];
	for (let i = 0; i < r.raw_headers.length; i += 2) {
		const name = r.raw_headers[i];
		if (!/^(date|x-request-id)$/i.test(name))
			headers.push(`${name}: ${r.raw_headers[i + 1]}`);
	}
	const body = hide.reduce((s, [what, by]) => s.replace(what, by), r.text);
	return { status: r.status, headers, body };
}

export const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

// The headers that every reply carries; kind: "page", "api" or "asset".
export function has_headers(r, kind, what) {
	const h = r.headers;
	const all = (name) => {
		const values = [];
		for (let i = 0; i < r.raw_headers.length; i += 2)
			if (r.raw_headers[i].toLowerCase() === name)
				values.push(r.raw_headers[i + 1]);
		return values;
	};
	for (const [name, value] of [
		["x-content-type-options", "nosniff"],
		["referrer-policy", "no-referrer"],
		["cross-origin-opener-policy", "same-origin"],
		["cross-origin-resource-policy", "same-origin"],
		["content-security-policy", kind === "page" ? CSP_PAGE : CSP_API],
		["cache-control", kind === "asset" ?
		    "public, max-age=31536000, immutable" : "no-store"],
		["strict-transport-security", "max-age=31536000"],
	])
		assert.deepEqual(all(name), [value], `${what}: ${name}`);
	assert.match(h["permissions-policy"], /camera=\(\)/, what);
	for (const name of Object.keys(h)) {
		assert.doesNotMatch(name, /^access-control-|^x-powered-by$/, what);
		assert.doesNotMatch(String(h[name]), /kore|localneural\/|openssl/i,
		    `${what}: ${name}`);
	}
	assert.ok([undefined, "localneural"].includes(h.server), h.server);
}

// Rows of the audit log, oldest first.
export function audit(server, after = 0) {
	return server.sql("SELECT id, actor_kind, actor_id, address, action, " +
	    "target, outcome, request_id, detail FROM audit WHERE id > " +
	    `${Number(after)} ORDER BY id`);
}

export async function last_audit(server) {
	return (await server.sql("SELECT coalesce(max(id), 0) AS id FROM audit"))[0].id;
}

// Change the database behind the server's back.
export async function change(server, sql) {
	const r = await run("sqlite3", ["-bail", "-cmd", ".timeout 10000",
	    server.db], { stdin: sql });
	assert.equal(r.code, 0, r.stderr);
	return r.stdout;
}

// A writer that holds the lock until release() is called.
export async function hold_lock(server) {
	const child = spawn("sqlite3", ["-bail", "-cmd", ".timeout 10000",
	    server.db], { stdio: ["pipe", "pipe", "inherit"] });
	await new Promise((done, fail) => {
		child.on("error", fail);
		child.on("close", () => fail(new Error("no lock")));
		child.stdout.once("data", done);
		child.stdin.write("BEGIN IMMEDIATE; SELECT 'locked';\n");
	});
	return {
		release: () => new Promise((done) => {
			child.removeAllListeners("close");
			child.on("close", done);
			child.stdin.end("ROLLBACK;\n");
		}),
	};
}

// The same person at another address: the limits of one do not bind the test.
export function again(c) {
	const other = c.server.client();
	other.cookies = new Map(c.cookies);
	return other;
}

// GET and DELETE have no body; one would be refused as bad framing.
export const body_of = (method, json) => ["POST", "PUT"].includes(method) ?
    { json } : {};

export const user_id = async (server, name) => (await server.sql(
    `SELECT id FROM user WHERE username = '${name}'`))[0].id;
