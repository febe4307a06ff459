// What an operator does in a shell counts for the running server at once.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { start as startFake } from "../fake/ollama.mjs";
import { startServer } from "./harness.mjs";

const ON_SOCKET = "Your account has been blocked.";
const ON_API = "Your account has been blocked. Contact an administrator.";

let fake, server, xavier;

before(async () => {
	fake = await startFake();
	server = await startServer({ workers: 2, users: [{ username: "xavier" }] });
	await server.lnctl_ok(["provider", "set", "ollama", "--global",
	    "--base-url", fake.url, "-m", "echo", "--json"]);
});
beforeEach(async () => {
	await server.lnctl_ok(["user", "unblock", "xavier", "--json"]);
	xavier = await server.login("xavier");
});
after(async () => {
	await server.stop().finally(() => fake.stop());
});

async function say(ws, prompt, extra = {}) {
	ws.send({ type: "user_message", prompt, ...extra });
	return ws.next((e) => e.type === "stream_done" || e.type === "error");
}

test("lnctl user block reaches an open socket at its next message", async () => {
	const ws = await xavier.ws();
	assert.equal((await say(ws, "before")).type, "stream_done");
	const r = await server.lnctl_ok(["user", "block", "xavier", "--json"]);
	assert.equal(r.json.result, "blocked");
	const e = await say(ws, "after");
	assert.deepEqual([e.type, e.error], ["error", ON_SOCKET]);
	// Nothing of the refused message was kept.
	const rows = await server.sql(
	    "SELECT count(*) AS n FROM message WHERE content = 'after'");
	assert.equal(rows[0].n, 0);
	await ws.close();
});

test("every worker refuses: many sockets, one block", async () => {
	const sockets = await Promise.all(Array.from({ length: 6 }, () => xavier.ws()));
	await server.lnctl_ok(["user", "block", "xavier", "--json"]);
	for (const ws of sockets)
		assert.equal((await say(ws, "x")).error, ON_SOCKET);
	for (const ws of sockets)
		await ws.close();
});

test("a running answer stops within a second, and is kept", async () => {
	const ws = await xavier.ws();
	ws.send({ type: "user_message", prompt: "slow", model: "slow" });
	const { session_id } = await ws.next("session_created");
	await ws.next("stream_chunk");
	await server.lnctl_ok(["user", "block", "xavier", "--json"]);
	const begun = Date.now();
	await ws.next("stream_done");
	assert.ok(Date.now() - begun < 1500, `${Date.now() - begun} ms`);
	await fake.until((all) => all.at(-1).closed === "by client");
	const rows = await server.sql(`SELECT content FROM message WHERE
	    conversation_id = '${session_id}' AND role = 'assistant'`);
	assert.match(rows[0].content, /^word1/);
	await ws.close();
});

test("a session that was open reads on, and writes nothing", async () => {
	await server.lnctl_ok(["user", "block", "xavier", "--json"]);
	assert.equal((await xavier.get("/api/auth/me")).status, 200);
	assert.equal((await xavier.get("/api/history")).status, 200);
	const r = await xavier.post("/api/chat/stream", { prompt: "x" });
	assert.deepEqual([r.status, r.json], [403, { error: ON_API }]);
	assert.equal((await xavier.post("/api/auth/logout", {})).status, 200);
	const again = await server.client().login("xavier",
	    server.passwords.xavier);
	assert.deepEqual([again.status, again.json], [403, { error: ON_API }]);
});

test("unblocking restores everything, on the same session", async () => {
	await server.lnctl_ok(["user", "block", "xavier", "--json"]);
	const ws = await xavier.ws();
	assert.equal((await say(ws, "no")).error, ON_SOCKET);
	await server.lnctl_ok(["user", "unblock", "xavier", "--json"]);
	assert.equal((await say(ws, "yes")).type, "stream_done");
	await ws.close();
});

test("blocking twice is no error and says so", async () => {
	await server.lnctl_ok(["user", "block", "xavier", "--json"]);
	const r = await server.lnctl_ok(["user", "block", "xavier", "--json"]);
	assert.equal(r.json.result, "already_blocked");
});

test("--revoke-sessions ends them, on the running server too", async () => {
	await server.lnctl_ok(["user", "block", "xavier", "--revoke-sessions", "--json"]);
	assert.equal((await xavier.get("/api/auth/me")).status, 401);
});

test("lnctl user logout and passwd end the sessions", async () => {
	await server.lnctl_ok(["user", "logout", "xavier", "--json"]);
	assert.equal((await xavier.get("/api/auth/me")).status, 401);
	const again = await server.login("xavier");
	await server.lnctl_ok(["user", "passwd", "xavier", "--password-stdin", "--json"],
	    { stdin: "Another-Password-2" });
	assert.equal((await again.get("/api/auth/me")).status, 401);
	assert.equal((await server.client().login("xavier",
	    server.passwords.xavier)).status, 401);
	server.passwords.xavier = "Another-Password-2";
	await server.login("xavier");
});

test("a role given in the shell counts at the next request", async () => {
	assert.equal((await xavier.get("/api/admin/users")).status, 403);
	await server.lnctl_ok(["user", "role", "xavier", "admin", "--json"]);
	const admin = await server.login("xavier");
	assert.equal((await admin.get("/api/admin/users")).status, 200);
	await server.lnctl_ok(["user", "role", "xavier", "user", "--json"]);
	const user = await server.login("xavier");
	assert.equal((await user.get("/api/admin/users")).status, 403);
});

test("the admin in a browser blocks too", async () => {
	const root = await server.login();
	const { id } = (await server.lnctl_ok(["user", "show", "xavier", "--json"])).json;
	const ws = await xavier.ws();
	const r = await root.post(`/api/admin/user/${id}/block`, { blocked: true });
	assert.equal(r.status, 200, r.text);
	assert.equal((await say(ws, "x")).error, ON_SOCKET);
	assert.equal((await server.lnctl_ok(["user", "show", "xavier", "--json"]))
	    .json.is_blocked, true);
	await ws.close();
});

test("the last administrator can't be blocked, from either face", async () => {
	const r = await server.lnctl(["user", "block", "root", "--json"]);
	assert.equal(r.code, 6, r.stderr);
	const root = await server.login();
	const { user_id } = (await root.get("/api/auth/me")).json;
	const b = await root.post(`/api/admin/user/${user_id}/block`, { blocked: true });
	assert.equal(b.status, 409, b.text);
	assert.equal((await root.get("/api/admin/users")).status, 200);
});
