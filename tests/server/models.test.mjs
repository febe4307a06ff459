// The list of models: the same shape for every provider, asked for seldom,
// never in the way of the page, and each person's own.  And what the model
// server keeps, which administrators manage.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { start as startOllama } from "../fake/ollama.mjs";
import { start as startOpenAI } from "../fake/openai.mjs";
import { sleep, startServer, until } from "./harness.mjs";
import { form } from "./routes_declared.mjs";

const KEY = "sk-canary-0123456789";

let ollama, openai, server, ann, bob, root;

before(async () => {
	ollama = await startOllama();
	openai = await startOpenAI({ key: KEY });
	server = await startServer({
		users: [{ username: "ann" }, { username: "bob" }],
		workers: 1,	// each has a cache of its own
		env: { LOCALNEURAL_ALLOWED_ENDPOINTS: "http://127.0.0.1:*" },
	});
	await server.lnctl_ok(["provider", "set", "ollama", "--global",
	    "--base-url", ollama.url, "-m", "llama3.2", "--json"]);
	ann = await server.login("ann");
	bob = await server.login("bob");
	root = await server.login("root");
});
beforeEach(() => {
	ollama.requests.length = openai.requests.length = 0;
});
after(async () => {
	await server.stop();
	await ollama.stop();
	await openai.stop();
});

const list = async (who) => (await who.get("/api/models")).json;

async function choose(who, settings) {
	const r = await who.post("/api/provider/config", settings);
	assert.equal(r.status, 200, r.text);
}

test("it comes in two shapes, and the provider is asked once", async () => {
	const first = await list(ann);
	assert.equal(first.stale, false);
	assert.ok(first.models.some((m) => m.name === "llama3.2:latest"));
	const names = (await ann.get("/api/provider/models")).json;
	assert.deepEqual(names, first.models.map((m) => m.name));
	await list(ann);
	assert.equal(ollama.asked("/api/tags").length, 1);
});

test("another choice has the new provider asked at once", async () => {
	await choose(ann, { provider: "openai", base_url: `${openai.url}/v1`,
	    api_key: KEY });
	const { models, stale } = await list(ann);
	assert.equal(stale, false);
	assert.ok(models.some((m) => m.name === "llama3.2"));
	assert.equal(openai.asked("/v1/models").length, 1);
	assert.deepEqual(ollama.requests, []);
});

test("one person's list, address and key are nobody else's", async () => {
	const theirs = await list(bob);
	assert.ok(theirs.models.some((m) => m.name === "llama3.2:latest"));
	assert.deepEqual(openai.requests, []);
	// The same address, but another key: it is asked with that one.
	await choose(bob, { provider: "openai", base_url: `${openai.url}/v1`,
	    api_key: "sk-wrong-0123456789" });
	const refused = await list(bob);
	assert.equal(refused.stale, true);
	assert.ok(!refused.models.some((m) => m.name === "llama3.2"));
	assert.equal(openai.requests[0].headers.authorization,
	    "Bearer sk-wrong-0123456789");
	assert.equal((await list(ann)).stale, false);
});

test("who has no key yet sees the well-known models", async () => {
	await choose(bob, { provider: "openai", base_url: "", api_key: "" });
	const { models, stale } = await list(bob);
	assert.equal(stale, true);
	assert.ok(models.some((m) => m.name.startsWith("gpt-")));
	await choose(bob, { provider: "anthropic" });
	assert.ok((await list(bob)).models.some((m) => m.name.startsWith("claude")));
	await choose(bob, { provider: "offline" });
	assert.deepEqual(await list(bob), { models: [], stale: false });
});

test("a provider that is down gives an empty list, and is asked again behind " +
    "the reply", async () => {
	const late = await startOllama();
	const { port, url } = late;
	await late.stop();
	await choose(bob, { provider: "ollama", base_url: url });
	assert.deepEqual(await list(bob), { models: [], stale: true });

	const back = await startOllama({ port });
	try {
		// What is known now is what it was; the next one knows better.
		assert.deepEqual(await list(bob), { models: [], stale: true });
		await until(async () => {
			await sleep(300);
			return (await list(bob)).stale === false;
		}, "a fresh list");
		assert.equal(back.asked("/api/tags").length, 1);
	} finally {
		await back.stop();
	}
	// What it said last is better than nothing.
	const { models, stale } = await list(bob);
	assert.equal(stale, false);
	assert.ok(models.length > 5);
});

// --- what the model server keeps: administrators -----------------------------

// The lines of an answer to a pull.
async function pull(who, json) {
	const r = await who.post("/api/models/pull", json);
	return { ...r, lines: r.text.trim().split("\n").map((l) => JSON.parse(l)) };
}
const audited = async (action) => (await root.get("/api/admin/audit")).json
    .audit.filter((e) => e.action === action);

test("an administrator sees what is installed", async () => {
	const r = await root.get("/api/models/manage");
	assert.equal(r.status, 200, r.text);
	assert.equal(r.json.provider, "ollama");
	assert.equal(r.json.base_url, ollama.url);
	const one = r.json.models.find((m) => m.name === "llama3.2:latest");
	assert.deepEqual([one.size, one.modified_at, one.family, one.parameters,
	    one.quantization], [2019393189, "2026-01-31T09:30:12.084Z", "llama3.2",
	    "3.2B", "Q4_K_M"]);
	assert.match(one.digest, /^[0-9a-f]{64}$/);
});

test("a pull streams its progress, then the model is in the list at once", async () => {
	await list(root);
	const { status, headers, lines } = await pull(root, { name: "phi3:mini" });
	assert.equal(status, 200);
	assert.match(headers["content-type"], /^application\/x-ndjson/);
	assert.deepEqual(lines.map((l) => l.status).filter((s, i, a) =>
	    s !== a[i - 1]), ["manifest", "downloading", "verifying", "writing",
	    "success"]);
	const loaded = lines.filter((l) => l.status === "downloading");
	assert.deepEqual(loaded.map((l) => l.completed / l.total),
	    [0, 0.25, 0.5, 1]);
	assert.ok(ollama.asked("/api/pull").length === 1);
	assert.deepEqual(ollama.asked("/api/pull")[0].body, { model: "phi3:mini" });
	assert.ok((await list(root)).models.some((m) => m.name === "phi3:mini"));
	const [row] = await audited("model.pull");
	assert.deepEqual([row.target, row.outcome, row.actor_kind],
	    ["phi3:mini", "ok", "user"]);
});

test("a delete takes names with colons and slashes, encoded or not", async () => {
	for (const name of ["phi3:mini", "hf.co/someone/a-model:Q4_K_M",
	    "someone/other:1b"]) {
		for (const at of [name, encodeURIComponent(name)]) {
			ollama.behave(name, {});
			const r = await root.delete(`/api/models/${at}`);
			assert.deepEqual([r.status, r.json], [200, { status: "success" }], at);
			assert.deepEqual(ollama.requests.at(-1).body, { model: name });
			assert.ok(!(await list(root)).models.some((m) => m.name === name));
		}
	}
	const gone = await root.delete("/api/models/phi3:mini");
	assert.deepEqual([gone.status, gone.json.error],
	    [404, "The model is not installed"]);
	const rows = await audited("model.delete");
	assert.deepEqual([rows[0].target, rows[0].outcome],
	    ["phi3:mini", "not_found"]);
	assert.equal(rows.filter((r) => r.outcome === "ok").length, 6);
});

test("what the model server says goes wrong is told in our words", async () => {
	const missing = (await pull(root, { name: "missing-model" })).lines;
	assert.match(missing.at(-1).error, /^There is no such model to be had/);
	const full = (await pull(root, { name: "full" })).lines;
	assert.equal(full.at(-1).error, "The disk of the model server is full");
	assert.ok(!JSON.stringify(full).includes("/usr/share"));
	assert.deepEqual((await audited("model.pull")).slice(0, 2).map((r) =>
	    [r.target, r.outcome]), [["full", "upstream"],
	    ["missing-model", "not_found"]]);
});

test("a client that goes ends the pull, and that is written down", async () => {
	const cut = new AbortController();
	const res = await root.open("POST", "/api/models/pull",
	    { json: { name: "endless" }, signal: cut.signal });
	let text = "";
	res.on("error", () => {});
	for await (const c of res) {
		text += c;
		if (/"completed":[1-9]/.test(text))
			break;
	}
	cut.abort();
	await ollama.until(() =>
	    ollama.asked("/api/pull").at(-1).closed === "by client");
	await until(async () => (await audited("model.pull")).some((r) =>
	    r.target === "endless" && r.outcome === "cancelled"), "the audit row");
});

test("what is no name of a model goes nowhere", async () => {
	for (const name of ["", "../../etc/passwd", "a//b", "/a", "a/", "a:",
	    "http://127.0.0.1:1/x", "a b", "a\\b", "a?b=c", "a#b", "modèle",
	    "-a", "x".repeat(300), "a\"b"]) {
		const r = await root.post("/api/models/pull", { name });
		assert.deepEqual([r.status, r.json.field], [400, "name"], name);
		if (/^[^/]+$/.test(name) && name.length < 260)
			assert.equal((await root.delete("/api/models/" +
			    encodeURIComponent(name))).status, 400, name);
	}
	assert.equal((await root.post("/api/models/pull", {})).json.field, "name");
	assert.equal((await root.delete("/api/models/" + "x".repeat(260))).status,
	    400);
	assert.deepEqual(ollama.requests, []);
});

test("nobody else may, and the model server hears nothing of it", async () => {
	for (const [who, status] of [[ann, 403], [server.client(), 401]]) {
		assert.equal((await who.get("/api/models/manage")).status, status);
		assert.equal((await who.post("/api/models/pull", { name: "phi3" }))
		    .status, status);
		assert.equal((await who.delete("/api/models/llama3.2")).status, status);
	}
	assert.deepEqual(ollama.requests, []);
});

test("providers that keep their models to themselves say so", async () => {
	const said = "The models of this provider cannot be managed here. Only " +
	    "those of Ollama can";
	for (const provider of ["offline", "openai"]) {
		for (const r of [
		    await root.get(`/api/models/manage?provider=${provider}`),
		    await root.post("/api/models/pull", { name: "a", provider }),
		    await root.delete(`/api/models/a?provider=${provider}`)])
			assert.deepEqual([r.status, r.json.error], [501, said]);
	}
	const r = await root.get("/api/models/manage?provider=nosuch");
	assert.deepEqual([r.status, r.json.field], [400, "provider"]);
});

test("a model server that is down is no error of ours", async () => {
	const gone = await startOllama();
	const { url } = gone;
	await gone.stop();
	await choose(root, { provider: "ollama", base_url: url });
	for (const r of [await root.get("/api/models/manage"),
	    await root.post("/api/models/pull", { name: "phi3" }),
	    await root.delete("/api/models/phi3")]) {
		assert.equal(r.status, 502);
		assert.match(r.json.error, /refused the connection/);
	}
	await choose(root, { provider: "", base_url: "" });
	assert.equal((await root.get("/api/models/manage")).status, 200);
});

// --- speech ------------------------------------------------------------------

function say(who, bytes, name = "audio") {
	const [type, body] = form(name, "../../x.php", "text/html",
	    Buffer.from(bytes));
	return who.request("POST", "/api/audio/transcribe",
	    { body, headers: { "content-type": type } });
}

test("speech goes to the caller's provider and comes back as text", async () => {
	await choose(ann, { provider: "openai", base_url: `${openai.url}/v1`,
	    api_key: KEY });
	for (const [bytes, ending] of [["OggS....", "ogg"], ["ID3 ....", "mp3"],
	    ["\x1aE", null], ["....ftypM4A ", "mp4"], ["RIFF....WAVE", "wav"],
	    ["fLaC", "flac"], [[0x1a, 0x45, 0xdf, 0xa3, 0], "webm"],
	    [[0xff, 0xfb, 0x90], "mp3"]]) {
		const r = await say(ann, bytes);
		if (ending === null) {
			assert.deepEqual([r.status, r.json.field], [400, "audio"]);
			continue;
		}
		assert.equal(r.status, 200, r.text);
		assert.equal(r.json.text, `${bytes.length} bytes of audio.${ending}, ` +
		    "gr\u00fc\u00dfe.");
		const { body, headers } = openai.requests.at(-1);
		assert.deepEqual([body.model, body.response_format, body.file.type,
		    headers.authorization], ["whisper-1", "json", `audio/${ending}`,
		    `Bearer ${KEY}`]);
		assert.deepEqual(body.file.bytes, Buffer.from(bytes));
	}
});

test("what is no recording, or too large a one, goes nowhere", async () => {
	for (const bytes of ["", "x", "<svg></svg>", "\x89PNG\r\n\x1a\n"]) {
		const r = await say(ann, bytes);
		assert.deepEqual([r.status, r.json.field], [400, "audio"]);
	}
	assert.equal((await say(ann, "OggS", "file")).status, 400);
	assert.equal((await ann.post("/api/audio/transcribe", {})).status, 415);
	const large = Buffer.alloc(10 * 1024 * 1024 + 1);
	large.write("OggS");
	assert.equal((await say(ann, large)).status, 413);
	assert.equal((await say(server.client(), "OggS")).status, 401);
	assert.deepEqual(openai.requests, []);
});

test("a provider that does not write down speech, or fails, is told of", async () => {
	await choose(ann, { provider: "openai", base_url: `${openai.url}/v1`,
	    api_key: "sk-wrong-0123456789" });
	const refused = await say(ann, "OggS");
	assert.equal(refused.status, 502);
	assert.match(refused.json.error, /refused the API key/);
	await choose(ann, { api_key: KEY });
	assert.match((await say(ann, "OggS mumble")).json.error,
	    /could not be understood/);
	await choose(ann, { provider: "ollama", base_url: ollama.url });
	const none = await say(ann, "OggS");
	assert.equal(none.status, 501);
	assert.match(none.json.error, /does not write down speech/);
	assert.deepEqual(ollama.requests, []);
});
