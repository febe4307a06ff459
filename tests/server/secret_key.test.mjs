// What a running instance makes of its SECRET_KEY: rotation, and a wrong one.

import assert from "node:assert/strict";
import fs from "node:fs";
import { after, before, describe, it } from "node:test";
import { TEXTS, start as startOllama } from "../fake/ollama.mjs";
import { startServer } from "./harness.mjs";

const API_KEY = "sk-planted-0123456789abcdef";
const SEALED_ELSEWHERE =
    "The stored API key was sealed with another SECRET_KEY";

let ollama, server;

before(async () => {
	ollama = await startOllama();
	server = await startServer({
		users: [{ username: "bob" }],
		env: { LOCALNEURAL_ALLOWED_ENDPOINTS: "http://127.0.0.1:*" },
	});
	await server.lnctl_ok(["provider", "set", "ollama", "--global",
	    "--base-url", `http://127.0.0.1:${ollama.port}`, "-m", "llama3.2",
	    "--key-file", server.secret_file(API_KEY)]);
});
after(async () => {
	await server?.stop();
	await ollama?.stop();
});

const ask = { type: "user_message", prompt: "hello", temp_id: "t1" };

async function chat(client) {
	const ws = await client.ws();
	ws.send(ask);
	return ws;
}

async function answer(client) {
	const ws = await chat(client);
	let text = "";
	for (;;) {
		const e = await ws.next((x) => x.type.startsWith("stream_"));
		if (e.type === "stream_done")
			return text;
		text += e.chunk;
	}
}

function secret() {
	return fs.readFileSync(server.env_file, "utf8")
		.match(/^SECRET_KEY=(.*)$/m)[1];
}

describe("rotation", () => {
	it("is refused while the server runs, which goes on", async () => {
		const bob = await server.login("bob");
		const key = secret();
		const r = await server.lnctl(["config", "rotate-secret", "--yes"]);
		assert.equal(r.code, 6, r.stderr);
		assert.match(r.stderr, /Stop the server first/);
		assert.equal(secret(), key);
		assert.equal((await bob.get("/api/auth/me")).status, 200);
	});
	it("ends the sign-ins; the API key goes on working", async () => {
		const bob = await server.login("bob");
		await server.stop();
		const r = await server.lnctl_ok(["config", "rotate-secret", "--yes",
		    "--json"]);
		assert.equal(r.json.api_keys, 1);
		assert.ok(r.json.sessions_ended >= 1);
		await server.start();
		assert.equal((await bob.get("/api/auth/me")).status, 401);
		ollama.requests.length = 0;
		assert.equal(await answer(await server.login("bob")), TEXTS.ascii);
		assert.equal(ollama.requests.at(-1).headers.authorization,
		    `Bearer ${API_KEY}`);
		await server.lnctl_ok(["audit", "verify"]);
	});
	it("a server with the replaced key does not start", async () => {
		await server.stop();
		const before_rotation = fs.readFileSync(server.env_file);
		await server.lnctl_ok(["config", "rotate-secret", "--yes"]);
		const now = fs.readFileSync(server.env_file);
		fs.writeFileSync(server.env_file, before_rotation);
		await assert.rejects(server.start(),
		    /the server ended \(12\):[^]*SECRET_KEY was replaced/);
		fs.writeFileSync(server.env_file, now);
		await server.start();
	});
	it("one that was killed is finished by the server's next start",
	    async () => {
		await server.stop();
		const before_rotation = fs.readFileSync(server.env_file);
		await server.lnctl_ok(["config", "rotate-secret", "--yes"]);
		const key = secret();
		fs.writeFileSync(`${server.env_file}.rotate`, `${key}\n`,
		    { mode: 0o600 });
		fs.writeFileSync(server.env_file, before_rotation);
		await server.start();
		assert.equal(secret(), key);
		assert.equal(fs.existsSync(`${server.env_file}.rotate`), false);
		assert.equal(await answer(await server.login("bob")), TEXTS.ascii);
	});
});

describe("a wrong SECRET_KEY", () => {
	let right, bob;

	before(async () => {
		await server.stop();
		right = fs.readFileSync(server.env_file, "utf8");
		fs.writeFileSync(server.env_file, right.replace(secret(),
		    "0zA-another-key-of-another-instance-97bQ"));
		await server.start();
		bob = await server.login("bob");
		ollama.requests.length = 0;
	});
	after(async () => {
		await server.stop();
		fs.writeFileSync(server.env_file, right);
		await server.start();
	});

	it("is said in a chat, with no detail, and nothing is sent", async () => {
		const ws = await chat(bob);
		const e = await ws.next("error");
		assert.equal(e.error, SEALED_ELSEWHERE);
		assert.doesNotMatch(JSON.stringify(e), /setting:|s1\.|unseal/);
		assert.deepEqual(ollama.requests, []);
	});
	it("is said where models are asked for", async () => {
		const r = await bob.get("/api/models");
		assert.equal(r.status, 503);
		assert.deepEqual(r.json, { error: SEALED_ELSEWHERE });
		assert.deepEqual(ollama.requests, []);
	});
	it("does not stand in the way of setting the key again", async () => {
		const root = await server.login();
		for (const path of ["/api/user/settings", "/api/admin/settings"]) {
			const r = await root.get(path);
			assert.equal(r.status, 200, path);
			assert.doesNotMatch(r.text, /s1\./);
		}
		const r = await root.post("/api/admin/settings",
		    { api_key: API_KEY });
		assert.equal(r.status, 200, r.text);
		assert.equal(await answer(bob), TEXTS.ascii);
	});
});
