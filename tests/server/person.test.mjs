// What a person keeps besides conversations: prompts, the system prompt, a
// picture, all their data.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fs from "node:fs";
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

test("a context and automatic titles are chosen by a person and by the instance", async () => {
	const of = async (c, path) => (({ context_tokens, auto_title }) =>
	    [context_tokens, auto_title])((await c.get(path)).json);
	const mine = "/api/user/settings", all = "/api/admin/settings";

	assert.deepEqual(await of(ann, mine), [null, null]);
	let r = await ann.post(mine, { context_tokens: 2048, auto_title: false });
	assert.deepEqual([r.status, r.json.context_tokens, r.json.auto_title],
	    [200, 2048, false]);
	await root.post(all, { context_tokens: 10000000, auto_title: true });
	assert.deepEqual(await of(root, all), [10000000, true]);
	// One level's choice is not told as the other's.
	assert.deepEqual(await of(ann, mine), [2048, false]);
	assert.deepEqual(await of(bob, mine), [null, null]);
	// What is not said stays; null takes it back.
	await ann.post(mine, { theme: "dark", auto_title: null });
	assert.deepEqual(await of(ann, mine), [2048, null]);
	for (const path of [mine, all])
		for (const [field, value] of [["context_tokens", 255],
		    ["context_tokens", 10000001], ["context_tokens", 1024.5],
		    ["context_tokens", "4096"], ["context_tokens", 1e300],
		    ["auto_title", "off"], ["auto_title", 0]]) {
			r = await root.post(path, { [field]: value });
			assert.deepEqual([r.status, r.json.field], [400, field], r.text);
		}
	await ann.post(mine, { context_tokens: null });
	await root.post(all, { context_tokens: null, auto_title: null });
	assert.deepEqual(await of(ann, mine), [null, null]);
	assert.deepEqual(await of(root, all), [null, null]);
});

// --- the picture -------------------------------------------------------------

const PNG = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR" +
    "42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");
const GIF = Buffer.from("R0lGODlhAQABAIAAAAAAAP///ywAAAAAAQABAAACAUwAOw==",
    "base64");

function form(name, bytes, filename = "me.png") {
	const boundary = "----test-boundary-7f3a";
	return {
		body: Buffer.concat([
			Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; ` +
			    `name="${name}"; filename="${filename}"\r\n` +
			    "Content-Type: text/html\r\n\r\n"),
			bytes,
			Buffer.from(`\r\n--${boundary}--\r\n`),
		]),
		headers: { "content-type": `multipart/form-data; boundary=${boundary}` },
	};
}

const put_picture = (client, bytes, name) =>
	client.request("POST", "/api/profile/pic", form("pic", bytes, name));
const picture_of = async (client) =>
	(await client.get("/api/auth/me")).json.profile_pic;

test("a picture is put up, shown to its owner alone, and removed", async () => {
	assert.equal(await picture_of(ann), null);
	assert.equal((await ann.get("/api/profile/pic")).status, 404);
	let r = await put_picture(ann, PNG, "../../x.html");
	assert.equal(r.status, 200, r.text);
	const at = r.json.profile_pic;
	assert.match(at, /^\/api\/profile\/pic\?v=[0-9a-f]{16}$/);
	assert.equal(await picture_of(ann), at);
	assert.equal((await ann.get("/api/profile")).json.profile_pic, at);
	r = await ann.get(at);
	assert.deepEqual([r.status, r.bytes], [200, PNG]);
	// What it is its bytes say, not its name or what the form says.
	assert.equal(r.headers["content-type"], "image/png");
	assert.equal(r.headers["x-content-type-options"], "nosniff");
	assert.match(r.headers["content-security-policy"], /sandbox/);
	assert.equal(r.headers["cache-control"],
	    "private, max-age=31536000, immutable");
	r = await ann.get("/api/profile/pic");
	assert.equal(r.headers["cache-control"], "private, no-cache");

	for (const client of [bob, root]) {
		r = await client.get(at);
		assert.deepEqual([r.status, r.text],
		    [404, '{"error":"There is no picture"}']);
	}
	assert.equal((await server.client().get(at)).status, 401);
	const admin = await root.get("/api/admin/users?q=ann");
	assert.equal(admin.json.users[0].profile_pic, null);

	await put_picture(ann, GIF);
	assert.notEqual(await picture_of(ann), at);
	r = await ann.get(at);
	assert.deepEqual([r.headers["content-type"], r.headers["cache-control"]],
	    ["image/gif", "private, no-cache"]);
	r = await ann.request("DELETE", "/api/profile/pic");
	assert.deepEqual([r.status, r.json], [200, { status: "success" }]);
	assert.equal((await ann.request("DELETE", "/api/profile/pic")).status, 404);
	assert.equal(await picture_of(ann), null);
});

test("what is no picture of a sane size is refused", async () => {
	const huge = Buffer.from(PNG);
	huge.writeUInt32BE(100000, 16);
	const empty = Buffer.from(PNG);
	empty.writeUInt32BE(0, 20);
	for (const bytes of [Buffer.from("<svg onload='alert(1)'></svg>"),
	    Buffer.from("GIF89a"), Buffer.alloc(0), huge, empty]) {
		const r = await put_picture(bob, bytes);
		assert.deepEqual([r.status, r.json.field], [400, "pic"], r.text);
	}
	let r = await bob.request("POST", "/api/profile/pic", form("other", PNG));
	assert.deepEqual([r.status, r.json.field], [400, "pic"]);
	r = await bob.request("POST", "/api/profile/pic", { body: PNG,
	    headers: { "content-type": "image/png" } });
	assert.equal(r.status, 415);
	const most = Buffer.concat([PNG, Buffer.alloc(2 * 1024 * 1024 - PNG.length)]);
	r = await put_picture(bob, Buffer.concat([most, Buffer.alloc(1)]));
	assert.equal(r.status, 413);
	assert.equal(await picture_of(bob), null);
	assert.equal((await put_picture(bob, most)).status, 200);
	assert.equal((await bob.get("/api/profile/pic")).bytes.length, most.length);
});

// --- data --------------------------------------------------------------------

const bring = (client, body, query = "") =>
	client.request("POST", `/api/import/data${query}`,
	    typeof body === "string" || Buffer.isBuffer(body) ?
	    { body, headers: { "content-type": "application/json" } } : body);
const chats = async (client) =>
	(await client.get("/api/history?archived=1")).json;

test("a person brings along what another program exported, once", async () => {
	const file = fs.readFileSync(new URL("../fixtures/imports/chatgpt.json",
	    import.meta.url));
	let r = await bring(bob, file, "?dry_run=1");
	assert.deepEqual([r.status, r.json.dry_run, r.json.format,
	    r.json.counts.conversations.added], [200, true, "chatgpt", 3], r.text);
	assert.deepEqual(await chats(bob), []);
	r = await bring(bob, form("file", file, "conversations.json"));
	assert.deepEqual([r.status, r.json.counts.conversations.added], [200, 3]);
	assert.ok(r.json.notes.some((n) => n.reason ===
	    "Another branch became a fork" && n.is_kept && n.count === 1));
	assert.equal((await chats(bob)).length, 3);
	r = await bring(bob, file);
	assert.equal(r.json.counts.conversations.added, 0);
	assert.equal((await chats(bob)).length, 3);
	assert.deepEqual(await chats(ann), []);
});

test("one's own export comes back without telling who has what", async () => {
	const r = await bob.get("/api/export/db?format=json");
	assert.equal(r.status, 200);
	const ids = r.json.conversations.map((c) => c.id);
	assert.equal((await bring(bob, r.text)).json.counts.conversations.added, 0);
	// Ann's copy is hers: neither bob's ids nor a sign that they are taken.
	assert.equal((await bring(ann, r.text)).json.counts.conversations.added, 3);
	const free = r.text.replaceAll(ids[0], "99999999-9999-4999-8999-999999999999");
	assert.equal((await bring(ann, free)).json.counts.conversations.added, 1);
	for (const c of await chats(ann))
		assert.ok(!ids.includes(c.id) && !c.id.startsWith("99999999"));
	assert.equal((await chats(bob)).length, 3);
});

test("what is no export is refused as a whole", async () => {
	const before = (await chats(ann)).length;
	for (const body of ["x", "[]", "{}", '[{"mapping":{}', "\u0000",
	    '{"format":"localneural-user","version":7}',
	    '{"sessions":[{"id":"a","title":"t"}],"messages":['])
		assert.equal((await bring(ann, body)).status, 400, body);
	assert.equal((await bring(ann, "")).status, 400);
	assert.equal((await bring(ann, form("other", Buffer.from("[]")))).status, 400);
	assert.equal((await chats(ann)).length, before);
	assert.equal((await bring(server.client(), "[]")).status, 401);
});
