// What a person keeps besides conversations: prompts, the system prompt.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startServer } from "./harness.mjs";

let server, root, ann, bob;

before(async () => {
	server = await startServer({
		users: [{ username: "ann" }, { username: "bob" }],
	});
	[root, ann, bob] = await Promise.all([server.login(),
	    server.login("ann"), server.login("bob")]);
});
after(() => server.stop());

const UNKNOWN_PROMPT = [404, '{"error":"There is no such prompt"}'];

test("a prompt of one's own is made, changed and deleted", async () => {
	let r = await ann.post("/api/prompts", { title: "Brief",
	    content: "Be brief." });
	assert.equal(r.status, 200, r.text);
	const p = r.json;
	assert.deepEqual(Object.keys(p), ["id", "title", "content", "is_global",
	    "created_at"]);
	assert.ok(Number.isInteger(p.id));
	assert.deepEqual([p.title, p.content, p.is_global],
	    ["Brief", "Be brief.", false]);
	r = await ann.put(`/api/prompts/${p.id}`, { content: "Be very brief." });
	assert.deepEqual([r.status, r.json.title, r.json.content],
	    [200, "Brief", "Be very brief."]);
	assert.deepEqual((await ann.get("/api/prompts")).json, [r.json]);
	assert.equal((await ann.post("/api/prompts", { title: "Brief",
	    content: "again" })).status, 409);
	r = await ann.request("DELETE", `/api/prompts/${p.id}`);
	assert.deepEqual([r.status, r.json], [200, { status: "success" }]);
	assert.deepEqual((await ann.get("/api/prompts")).json, []);
});

test("somebody else's prompt answers exactly as an unknown one", async () => {
	const p = (await ann.post("/api/prompts", { title: "Mine",
	    content: "text" })).json;
	for (const client of [bob, root]) {
		assert.deepEqual((await client.get("/api/prompts")).json, []);
		for (const id of [p.id, 999999, "x", "-1", `0${p.id}`, `${p.id}x`,
		    "99999999999999999999"])
			for (const [method, opts] of [["PUT", { json: { title: "T" } }],
			    ["DELETE", {}]]) {
				const r = await client.request(method, `/api/prompts/${id}`,
				    opts);
				assert.deepEqual([r.status, r.text], UNKNOWN_PROMPT);
			}
	}
	assert.equal((await ann.get("/api/prompts")).json[0].title, "Mine");
	await ann.request("DELETE", `/api/prompts/${p.id}`);
});

test("everybody's prompts are written by administrators only", async () => {
	assert.equal((await ann.post("/api/prompts", { title: "All",
	    content: "x", is_global: true })).status, 403);
	const p = (await root.post("/api/prompts", { title: "All",
	    content: "x", is_global: true })).json;
	assert.equal(p.is_global, true);
	assert.equal((await bob.get("/api/prompts")).json[0].id, p.id);
	assert.equal((await ann.put(`/api/prompts/${p.id}`, { title: "Y" }))
	    .status, 403);
	assert.equal((await ann.request("DELETE", `/api/prompts/${p.id}`)).status,
	    403);
	assert.equal((await root.request("DELETE", `/api/prompts/${p.id}`)).status,
	    200);
});

test("what is no prompt is refused, and the field is named", async () => {
	for (const [body, field] of [[{ content: "c" }, "title"],
	    [{ title: "t" }, "content"], [{ title: 1, content: "c" }, "title"],
	    [{ title: "t", content: [] }, "content"],
	    [{ title: "a\u0007", content: "c" }, "title"],
	    [{ title: "t".repeat(201), content: "c" }, "title"],
	    [{ title: "t", content: "c", is_global: "yes" }, "is_global"]]) {
		const r = await ann.post("/api/prompts", body);
		assert.deepEqual([r.status, r.json.field], [400, field], r.text);
	}
	assert.deepEqual((await ann.get("/api/prompts")).json, []);
});

test("the configuration tells the system prompt and the templates", async () => {
	let r = await ann.get("/api/config");
	assert.deepEqual(Object.keys(r.json), ["system_prompt", "templates"]);
	assert.equal(r.json.system_prompt, null);
	for (const t of r.json.templates) {
		assert.deepEqual(Object.keys(t), ["name", "title", "content"]);
		assert.ok(t.content.length > 40);
	}
	r = await ann.post("/api/config", { system_prompt: "Be kind." });
	assert.deepEqual([r.status, r.json.system_prompt], [200, "Be kind."]);
	assert.equal((await ann.get("/api/user/settings")).json.system_prompt,
	    "Be kind.");
	assert.equal((await bob.get("/api/config")).json.system_prompt, null);
	r = await ann.post("/api/config", { system_prompt: 1 });
	assert.deepEqual([r.status, r.json.field], [400, "system_prompt"]);
	r = await ann.post("/api/config", { system_prompt: "" });
	assert.equal(r.json.system_prompt, null);
});
