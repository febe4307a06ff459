// Tools over HTTPS: who may see and write which, what is refused, and that no
// secret comes out again.

import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { start as start_ollama } from "../fake/ollama.mjs";
import { start as start_web } from "../fake/web.mjs";
import { startServer, temp_dir } from "./harness.mjs";

const SECRET = "planted-secret-5c1e";

let server, web, ollama, root, ann, bob, folder;

before(async () => {
	[web, ollama] = await Promise.all([start_web(), start_ollama()]);
	folder = temp_dir();
	fs.mkdirSync(path.join(folder, "files"));
	fs.writeFileSync(path.join(folder, "files", "note.txt"), "gr\u00fc\u00df");
	fs.writeFileSync(path.join(folder, "hidden.txt"), "hidden");
	server = await startServer({
		users: [{ username: "ann" }, { username: "bob" }],
		env: {
			LOCALNEURAL_SEARCH: "searxng",
			LOCALNEURAL_SEARCH_URL: web.url,
			LOCALNEURAL_READ_FOLDERS: path.join(folder, "files"),
			LOCALNEURAL_ALLOWED_ENDPOINTS: web.url,
		},
	});
	await server.lnctl_ok(["provider", "set", "ollama", "--global",
	    "--base-url", ollama.url, "-m", "calls", "--json"]);
	[root, ann, bob] = await Promise.all([server.login(),
	    server.login("ann"), server.login("bob")]);
});
after(async () => {
	await server.stop().finally(() => Promise.all([web.stop(),
	    ollama.stop()]));
});

// What the model is told when it calls `name` while answering `client`.
async function called(client, name, args) {
	ollama.behave("calls", { capabilities: ["completion", "tools"],
	    tool_calls: [{ name, arguments: args }] });
	ollama.requests.length = 0;
	const r = await client.post("/api/chat/stream", { prompt: "call it" });
	assert.equal(r.status, 200, r.text);
	const result = ollama.requests.flatMap((one) => one.body?.messages ?? [])
	    .filter((m) => m.role === "tool").at(-1);
	assert.ok(result, `nothing came back: ${r.text}`);
	return result.content;
}

// A tool at an endpoint; `more` goes over its definition.
const definition = (name, endpoint, more = {}) => ({
	name,
	description: "What the weather is like",
	parameters: { type: "object", properties: { city: { type: "string" } },
	    required: ["city"] },
	...(endpoint && { endpoint }),
	...more,
});
const PUBLIC = "https://weather.example.com/v1/{city}";

async function make(client, name, endpoint, fields = {}) {
	const r = await client.post("/api/tools", {
	    definition: definition(name, endpoint), ...fields });
	assert.equal(r.status, 200, r.text);
	return r.json;
}

const names = async (client) => (await client.get("/api/tools")).json
    .map((t) => t.name);

test("nobody sees tools without signing in", async () => {
	const anybody = server.client();
	for (const [method, at] of [["GET", "/api/tools"], ["POST", "/api/tools"],
	    ["PUT", "/api/tools/x"], ["DELETE", "/api/tools/x"],
	    ["POST", "/api/websearch"], ["POST", "/api/file/read"]]) {
		const r = await anybody.request(method, at,
		    method === "GET" || method === "DELETE" ? {} : { json: {} });
		assert.equal(r.status, 401, at);
	}
});

test("the built-in tools are listed, with their switches", async () => {
	const list = (await ann.get("/api/tools")).json;
	const [clock, search, file] = list;
	assert.deepEqual(Object.keys(clock), ["id", "name", "description",
	    "definition", "kind", "is_global", "enabled", "asks_first", "available"]);
	assert.deepEqual([clock.name, search.name, file.name],
	    ["current_time", "web_search", "read_file"]);
	assert.deepEqual([clock.kind, clock.is_global, clock.enabled,
	    clock.asks_first, clock.available], ["builtin", true, true, false, true]);
	assert.equal(clock.definition.function.parameters.properties.zone.type,
	    "string");
	assert.deepEqual([file.asks_first, file.available], [true, true]);
});

test("a tool of one's own is made, changed, switched and deleted", async () => {
	const t = await make(ann, "weather", { url: PUBLIC });
	assert.deepEqual([t.name, t.kind, t.is_global, t.enabled, t.asks_first],
	    ["weather", "http", false, true, false]);
	assert.equal(t.definition.endpoint.url, PUBLIC);
	let r = await ann.put(`/api/tools/${t.id}`, { description: "rain or shine",
	    asks_first: true });
	assert.equal(r.status, 200, r.text);
	assert.deepEqual([r.json.description, r.json.asks_first, r.json.name],
	    ["rain or shine", true, "weather"]);
	assert.equal(r.json.definition.function.description, "rain or shine");
	r = await ann.put(`/api/tools/${t.id}`, { name: "climate", enabled: false });
	assert.deepEqual([r.json.name, r.json.enabled], ["climate", false]);
	r = await ann.put(`/api/tools/${t.id}`, { definition:
	    JSON.stringify(definition("weather")) });
	assert.deepEqual([r.status, r.json.name, r.json.kind],
	    [200, "weather", "bare"]);
	r = await ann.request("DELETE", `/api/tools/${t.id}`);
	assert.deepEqual([r.status, r.json], [200, { status: "success" }]);
	assert.equal((await ann.request("DELETE", `/api/tools/${t.id}`)).status, 404);
});

test("somebody else's tool answers exactly as an unknown one", async () => {
	const t = await make(ann, "mine", { url: PUBLIC });
	assert.ok((await names(ann)).includes("mine"));
	for (const client of [bob, root]) {
		assert.ok(!(await names(client)).includes("mine"));
		for (const [method, opts] of [["PUT", { json: { enabled: false } }],
		    ["DELETE", {}]]) {
			const real = await client.request(method, `/api/tools/${t.id}`, opts);
			const none = await client.request(method,
			    "/api/tools/7d9f4f0e-0000-4000-8000-000000000000", opts);
			const name = await client.request(method, "/api/tools/mine", opts);
			assert.equal(real.status, 404);
			assert.equal(real.text, none.text);
			assert.equal(real.text, name.text);
		}
	}
	assert.equal((await server.sql("SELECT is_enabled AS e FROM tool WHERE " +
	    `id = '${t.id}'`))[0].e, 1);
	await ann.request("DELETE", `/api/tools/${t.id}`);
});

test("everybody's tools are written by administrators only", async () => {
	assert.equal((await ann.post("/api/tools", { is_global: true,
	    definition: definition("shared") })).status, 403);
	const t = await make(root, "shared", undefined, { is_global: true });
	assert.equal(t.is_global, true);
	assert.ok((await names(ann)).includes("shared"));
	assert.equal((await ann.put(`/api/tools/${t.id}`, { enabled: false }))
	    .status, 403);
	assert.equal((await ann.request("DELETE", `/api/tools/${t.id}`)).status, 403);
	assert.equal((await root.put(`/api/tools/${t.id}`, { enabled: false }))
	    .json.enabled, false);
	assert.equal((await root.request("DELETE", `/api/tools/${t.id}`)).status, 200);
});

test("a person makes a built-in tool stricter for himself alone", async () => {
	const clock = async (c) => (await c.get("/api/tools")).json[0];
	let r = await ann.put("/api/tools/current_time", { enabled: false });
	assert.deepEqual([r.status, r.json.enabled], [200, false]);
	assert.deepEqual([(await clock(ann)).enabled, (await clock(bob)).enabled],
	    [false, true]);
	await ann.put("/api/tools/current_time", { enabled: true });
	// An administrator speaks for everybody, unless he says for himself.
	r = await root.put("/api/tools/current_time", { asks_first: true,
	    is_global: false });
	assert.equal(r.status, 200, r.text);
	assert.deepEqual([(await clock(root)).asks_first,
	    (await clock(bob)).asks_first], [true, false]);
	await root.put("/api/tools/current_time", { asks_first: true });
	assert.equal((await clock(bob)).asks_first, true);
	r = await bob.put("/api/tools/current_time", { asks_first: false });
	assert.equal(r.status, 403);
	await root.put("/api/tools/current_time", { asks_first: false });
	assert.equal((await ann.put("/api/tools/current_time", { is_global: true,
	    enabled: false })).status, 403);
	assert.equal((await root.put("/api/tools/current_time",
	    { description: "x" })).status, 403);
	assert.equal((await root.request("DELETE", "/api/tools/current_time"))
	    .status, 403);
});

test("hostile definitions are refused, and the field is named", async () => {
	const bad = [
		["", 400], ["not JSON", 400], [{}, 400], [{ name: "a b" }, 400],
		[{ name: "x".repeat(65) }, 400],
		[{ name: "t", parameters: { type: "array" } }, 400],
		[{ name: "t", parameters: { type: "object",
		    properties: { a: { pattern: "(a+)+$" } } } }, 400],
		[{ name: "t", parameters: { type: "object",
		    $ref: "https://example.com/schema" } }, 400],
		...["file:///etc/passwd", "gopher://example.com/", "javascript:1",
		    "http://127.0.0.1:1/", "http://[::ffff:127.0.0.1]/",
		    "http://2130706433/", "http://169.254.169.254/latest/",
		    "http://10.0.0.1/", "http://localhost/", web.url,
		    "https://user:pass@example.com/", "https://{city}/",
		    "https://example.com{city}/", "https://example.com:{city}/",
		    "https://example.com\\@127.0.0.1/", "https://example.com/{no}",
		    "https://example.com/ x", "https://example.com/\n"]
		    .map((url) => [definition("t", { url }), 400]),
		...[{ Host: "x" }, { "X-A": "a\r\nB: c" }, { "a b": "c" },
		    { "Content-Length": "1" }, { "Proxy-Authorization": "x" },
		    { "X-A": 1 }, ["x"]]
		    .map((headers) => [definition("t", { url: PUBLIC, headers }), 400]),
		[definition("t", { url: PUBLIC, method: "CONNECT" }), 400],
		[definition("t", { url: PUBLIC, follow: true }), 400],
	];
	for (const [one, status] of bad) {
		const r = await ann.post("/api/tools", { definition: one });
		assert.equal(r.status, status, JSON.stringify(one) + r.text);
		assert.equal(r.json.field, "definition", r.text);
	}
	assert.equal((await ann.post("/api/tools", { name: "x" })).json.field,
	    "definition");
	for (const name of ["current_time", "web_search", "read_file"]) {
		const r = await ann.post("/api/tools", { definition: { name } });
		assert.deepEqual([r.status, r.json.field], [409, "name"]);
	}
	assert.deepEqual((await names(ann)).length, 3);
});

test("the value of a header goes in and never comes out", async () => {
	const t = await make(ann, "keyed", { url: PUBLIC,
	    headers: { Authorization: `Bearer ${SECRET}` } });
	assert.deepEqual(t.definition.endpoint.headers, { Authorization: null });
	const after_update = await ann.put(`/api/tools/${t.id}`, {
	    definition: t.definition });
	assert.equal(after_update.status, 200, after_update.text);
	assert.notEqual((await server.sql("SELECT sealed_headers AS h FROM tool " +
	    `WHERE id = '${t.id}'`))[0].h, null, "kept when named without a value");
	for (const [client, at] of [[ann, "/api/tools"],
	    [ann, "/api/export/db"], [root, "/api/export/db"],
	    [root, "/api/export/db?format=json"], [root, "/api/admin/audit"]]) {
		const r = await client.get(at);
		assert.equal(r.status, 200, at);
		assert.ok(!r.bytes.includes(SECRET), at);
		if (at === "/api/export/db" && client === root) {
			const file = path.join(server.dir, "copy.db");
			fs.writeFileSync(file, r.bytes);
			assert.equal((await server.sql("SELECT count(*) AS n FROM tool " +
			    "WHERE sealed_headers IS NOT NULL", file))[0].n, 0);
		}
	}
	assert.ok(!server.log.includes(SECRET), "the log");
	for (const name of fs.readdirSync(server.data)) {
		const file = path.join(server.data, name);
		if (fs.statSync(file).isFile())
			assert.ok(!fs.readFileSync(file).includes(SECRET), name);
	}
	await ann.request("DELETE", `/api/tools/${t.id}`);
});

test("every write stands in the audit log, refusals as well", async () => {
	const rows = await server.sql("SELECT action, outcome FROM audit WHERE " +
	    "action LIKE 'tool.%'");
	for (const want of ["tool.add ok", "tool.add forbidden", "tool.set ok",
	    "tool.set forbidden", "tool.delete ok", "tool.delete forbidden",
	    "tool.add conflict"])
		assert.ok(rows.some((r) => `${r.action} ${r.outcome}` === want), want);
});

test("a search by hand", async () => {
	web.results = [{ title: "One <b>", url: "https://one.example/",
	    content: "first", engine: "x" },
	    { title: "Bad", url: "javascript:alert(1)", content: "" },
	    ...Array.from({ length: 20 }, (_, i) => ({ title: `T${i}`,
		url: `https://t.example/${i}`, content: "c".repeat(5000) }))];
	const r = await ann.post("/api/websearch", { query: "rain & snow" });
	assert.equal(r.status, 200, r.text);
	assert.deepEqual(Object.keys(r.json), ["results"]);
	assert.equal(r.json.results.length, 8);
	assert.deepEqual(r.json.results[0], { title: "One <b>",
	    url: "https://one.example/", snippet: "first" });
	assert.ok(r.json.results.every((one) => one.snippet.length <= 603 &&
	    /^https?:/.test(one.url)));
	assert.equal(web.requests.at(-1).url,
	    "/search?format=json&q=rain%20%26%20snow");
	for (const query of [undefined, "", " ", "x".repeat(401), 5])
		assert.equal((await ann.post("/api/websearch", { query })).status, 400);
	assert.ok((await server.sql("SELECT count(*) AS n FROM audit WHERE " +
	    "action = 'tool.run' AND detail = 'tool=web_search by=hand'"))[0].n > 0);
});

test("a file by hand is for administrators, inside the folders", async () => {
	assert.equal((await ann.post("/api/file/read", { path: "note.txt" }))
	    .status, 403);
	const at = path.join(folder, "files", "note.txt");
	for (const name of ["note.txt", at]) {
		const r = await root.post("/api/file/read", { path: name });
		assert.equal(r.status, 200, r.text);
		assert.deepEqual(r.json, { content: "gr\u00fc\u00df",
		    path: fs.realpathSync(at), size: 6, is_cut: false });
	}
	fs.symlinkSync("../hidden.txt", path.join(folder, "files", "out"));
	for (const [name, status] of [["../hidden.txt", 403], ["out", 403],
	    ["/etc/passwd", 403], [server.db, 403], ["gone.txt", 404],
	    ["/proc/self/environ", 403], [".", 400], ["", 400],
	    [undefined, 400]]) {
		const r = await root.post("/api/file/read", { path: name });
		assert.equal(r.status, status, `${name}: ${r.text}`);
		assert.ok(!r.text.includes(folder), r.text);
	}
});

test("a blocked account reads its tools and changes nothing", async () => {
	const t = await make(bob, "late", { url: PUBLIC });
	await server.lnctl_ok(["user", "block", "bob", "--yes"]);
	assert.ok((await names(bob)).includes("late"));
	for (const [method, at, json] of [["POST", "/api/tools",
	    { definition: definition("more") }],
	    ["PUT", `/api/tools/${t.id}`, { enabled: false }],
	    ["POST", "/api/websearch", { query: "x" }]])
		assert.equal((await bob.request(method, at, { json })).status, 403, at);
	assert.equal((await bob.request("DELETE", `/api/tools/${t.id}`)).status, 403);
});

test("a model calls a tool of everybody's at an allowed endpoint", async () => {
	const t = await make(root, "weather", {
	    url: `${web.url}/echo/{city}`, method: "POST", body: "json",
	    headers: { "X-Key": SECRET } }, { is_global: true, asks_first: false });
	const content = await called(ann, "weather", { city: "B/\u00e9rn?", unit: "K" });
	const asked = web.requests.at(-1);
	assert.deepEqual([asked.method, asked.url, asked.headers["x-key"],
	    JSON.parse(asked.body)], ["POST", "/echo/B%2F%C3%A9rn%3F", SECRET,
	    { unit: "K" }]);
	assert.ok(content.includes("/echo/B%2F%C3%A9rn%3F"), content);
	assert.ok(!content.includes(SECRET), content);
	assert.ok(!JSON.stringify(ollama.requests).includes(SECRET));
	web.requests.length = 0;
	assert.match(await called(ann, "weather", { city: 5 }),
	    /\/city: must be a string/);
	assert.match(await called(ann, "weather", {}), /\/city: is missing/);
	assert.match(await called(ann, "weather", { city: ".." }), /\.\./);
	assert.equal(web.requests.length, 0);
	for (const [at, want] of [["/redirect", /HTTP 302/],
	    ["/status/503", /HTTP 503/], ["/binary", /not text/],
	    ["/huge", /larger than 1 MiB/]]) {
		await root.put(`/api/tools/${t.id}`, { asks_first: false,
		    definition: definition("weather", { url: `${web.url}${at}` }) });
		assert.match(await called(ann, "weather", { city: "x" }), want);
	}
	assert.ok(!web.requests.some((one) => one.url === "/echo"));
	await root.request("DELETE", `/api/tools/${t.id}`);
});

test("a model searches, and reads the clock", async () => {
	assert.match(await called(ann, "web_search", { query: "x" }),
	    /"results":\[\{"title":"One <b>"/);
	assert.match(await called(ann, "current_time", { zone: "Asia/Tokyo" }),
	    /"utc_offset":"\+09:00"/);
});

test("a definition without an endpoint is offered, and a call says so",
    async () => {
	const t = await make(ann, "notes");
	assert.match(await called(ann, "notes", { city: "x" }),
	    /This tool has no endpoint/);
	assert.ok(ollama.requests[0].body.tools.some((one) =>
	    one.function.name === "notes"));
	await ann.request("DELETE", `/api/tools/${t.id}`);
});

test("a name that resolves to the inside is refused where the socket is " +
    "opened", async () => {
	// Nothing in the text of this address gives it away.
	const url = `http://${os.hostname()}:${web.port}/echo`;
	const t = await make(ann, "inside", { url });
	web.requests.length = 0;
	assert.match(await called(ann, "inside", { city: "x" }),
	    /inside the local network|could not be reached/);
	assert.equal(web.requests.length, 0);
	await ann.request("DELETE", `/api/tools/${t.id}`);
});
