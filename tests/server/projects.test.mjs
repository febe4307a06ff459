// Projects: documents come in, are read, and go with their project.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { start } from "../fake/ollama.mjs";
import { startServer, until } from "./harness.mjs";

let server, ann, bob, project, ollama;

before(async () => {
	ollama = await start();
	server = await startServer({
		users: [{ username: "ann" }, { username: "bob" }],
		env: { LOCALNEURAL_ALLOWED_ENDPOINTS: ollama.url },
	});
	[ann, bob] = await Promise.all([server.login("ann"),
	    server.login("bob")]);
	project = (await ann.post("/api/projects", { title: "Garden" })).json;
});
after(async () => {
	await server.stop();
	await ollama.stop();
});

function files(list) {
	const parts = list.map(([name, bytes]) => Buffer.concat([Buffer.from(
	    "--xyz\r\nContent-Disposition: form-data; name=\"files\"; " +
	    `filename="${name}"\r\n\r\n`), Buffer.from(bytes),
	    Buffer.from("\r\n")]));
	return { headers: { "content-type": "multipart/form-data; boundary=xyz" },
		body: Buffer.concat([...parts, Buffer.from("--xyz--\r\n")]) };
}

const path = () => `/api/projects/${project.id}/documents`;

async function settled() {
	for (let i = 0; i < 600; i++) {
		const list = (await ann.get(path())).json;
		if (list.every((d) => ["ready", "failed"].includes(d.status)))
			return list;
		await sleep(600);
	}
	throw new Error("documents are still being read");
}

test("files are stored, read in the background, and have a state", async () => {
	const r = await ann.request("POST", path(), files([
		["bulbs.md", "# Bulbs\n\nTulips want sun.\n"],
		["../../etc/evil.txt", "Moss wants shade.\n"],
		["blank.txt", " \n \n"]]));
	assert.equal(r.status, 200, r.text);
	assert.deepEqual(r.json.map((d) => d.filename),
	    ["bulbs.md", "evil.txt", "blank.txt"]);
	const list = await settled();
	assert.deepEqual(list.map((d) => [d.filename, d.status, d.chunks]),
	    [["blank.txt", "failed", 0], ["evil.txt", "ready", 1],
	    ["bulbs.md", "ready", 1]]);
	assert.match(list[0].reason, /\w+/);
	assert.equal(list[2].reason, null);
});

test("every tab of the person hears how far a document is, nobody else's", async () => {
	const tabs = [await ann.ws(), await ann.ws()], other = await bob.ws();
	const { json: [{ id }] } = await ann.request("POST", path(), files([
		["news.txt", "Nothing new.\n"]]));
	for (const tab of tabs) {
		const told = new Set();
		while (!told.has("ready")) {
			const event = await tab.next("document");
			assert.deepEqual([event.project_id, event.document_id,
				event.document.id, event.document.filename],
			    [project.id, id, id, "news.txt"]);
			told.add(event.document.status);
		}
		assert.ok(told.has("reading"));
	}
	await ann.request("DELETE", `${path()}/${id}`);
	for (const tab of tabs) {
		let event;
		do
			event = await tab.next("document");
		while (event.document !== null);
		assert.equal(event.document_id, id);
	}
	other.send({ type: "ping" });
	await other.next("pong");
	assert.deepEqual(other.events, [{ type: "pong" }]);
	for (const socket of [...tabs, other])
		await socket.close();
});

test("what is no upload is refused", async () => {
	assert.equal((await ann.post(path(), { files: [] })).status, 415);
	assert.equal((await ann.request("POST", path(), files([]))).status, 400);
	assert.equal((await ann.request("POST", path(),
	    files([["empty.txt", ""]]))).status, 400);
	assert.equal((await ann.post("/api/projects", { title: "" })).status,
	    400);
});

test("somebody else's project answers exactly as an unknown one", async () => {
	const did = (await ann.get(path())).json[0].id;
	for (const id of [project.id, "nosuch"])
		for (const [method, tail, opts] of [
			["PUT", "", { json: { title: "T" } }], ["DELETE", "", {}],
			["GET", "/documents", {}],
			["POST", "/documents", files([["a.txt", "a"]])]]) {
			const r = await bob.request(method,
			    `/api/projects/${id}${tail}`, opts);
			assert.deepEqual([r.status, r.text],
			    [404, '{"error":"There is no such project"}'], method);
		}
	for (const id of [project.id, "nosuch"])
		for (const d of [did, 999999, "x", "-1"]) {
			const r = await bob.request("DELETE",
			    `/api/projects/${id}/documents/${d}`);
			assert.deepEqual([r.status, r.text],
			    [404, '{"error":"There is no such document"}']);
		}
	assert.deepEqual((await bob.get("/api/projects")).json, []);
});

// --- by meaning ---

// Say in one stream what ann asks, and wait for the sources of the answer.
async function sources_of(prompt, settings = {}) {
	const r = await ann.post("/api/chat/stream", { prompt,
		project_id: project.id, ...settings });
	assert.equal(r.status, 200, r.text);
	const done = r.text.match(/"type":"stream_done".*?"session_id":"([^"]+)"/) ??
	    r.text.match(/"session_id":"([^"]+)"/);
	const { messages } = (await ann.get(`/api/chat/${done[1]}`)).json;
	return (messages.at(-1).sources ?? []).map((s) => s.filename);
}

// Looking behind the server's back costs no request.
const vectors = (model, state) => until(async () => (await server.sql(
	"SELECT count(*) n FROM document_vector WHERE model = " +
	`'${model}' AND state = '${state}'`))[0].n, `${state} vectors`);
const all_vectors = (model) => until(async () =>
	await vectors(model, "ready") === 3, "all vectors");

const embedded = (model) => ollama.asked("/api/embed")
	.filter((r) => r.body.model === model).flatMap((r) => r.body.input);

test("with an embedding model a paraphrase finds its document", async () => {
	await ann.request("POST", path(), files([
		["shed.txt", "Our car stands in the shed.\n"]]));
	await settled();
	// Words alone know nothing of it.
	await ann.post("/api/user/settings", { provider: "ollama",
		base_url: ollama.url, model: "llama3.2" });
	assert.deepEqual(await sources_of("the automobile?"), []);
	assert.equal(embedded("llama3.2").length, 0);
	// Set once, and the server does the rest.
	const r = await ann.post("/api/user/settings",
	    { embedding_model: "llama3.2" });
	assert.equal(r.json.embedding_model, "llama3.2");
	await all_vectors("llama3.2");
	assert.deepEqual(new Set(embedded("llama3.2")), new Set([
		"Our car stands in the shed.\n", "Moss wants shade.\n",
		"# Bulbs\n\nTulips want sun.\n"]));
	assert.deepEqual(await sources_of("the automobile?"), ["shed.txt"]);
	assert.equal(embedded("llama3.2").at(-1), "the automobile?");
});

test("another embedding model means other vectors", async () => {
	ollama.behave("other", {});
	await ann.post("/api/user/settings", { embedding_model: "other" });
	await all_vectors("other");
	assert.ok((await ann.get(path())).json
	    .filter((d) => d.status === "ready")
	    .every((d) => d.vectors === "ready"));
	assert.deepEqual(await sources_of("the automobile?"), ["shed.txt"]);
	assert.equal(embedded("other").at(-1), "the automobile?");
	// Beginning anew is the shell's.
	const n = embedded("other").length;
	const again = await server.lnctl(["project", "reindex", "Garden",
		"--user", "ann", "--json"]);
	assert.equal(again.code, 0, again.stderr);
	assert.deepEqual([again.json.ready, again.json.failed], [3, 0]);
	assert.equal(embedded("other").length, n + 3);
	const found = await server.lnctl(["project", "search", "Garden",
		"the automobile?", "--user", "ann", "--json"]);
	assert.deepEqual(found.json.passages.map((p) => p.filename), ["shed.txt"]);
});

test("when the provider fails, words are left, and the list says so", async () => {
	ollama.behave("other", { status: 500 });
	assert.deepEqual(await sources_of("the automobile?"), []);
	assert.deepEqual(await sources_of("the shed?"), ["shed.txt"]);
	await ann.post("/api/user/settings", { embedding_model: "nobody" });
	await vectors("nobody", "failed");
	const failed = (await ann.get(path())).json
	    .find((d) => d.vectors === "failed");
	assert.equal(failed.vectors_reason,
	    "The model is not installed. Pull it or choose another one");
	assert.equal(failed.status, "ready");
	assert.deepEqual(await sources_of("the shed?"), ["shed.txt"]);
	const again = await server.lnctl(["project", "reindex", "Garden",
		"--user", "ann", "--json"]);
	assert.equal(again.code, 8);
});

test("the name of a model has a bound, and nothing changes beyond it", async () => {
	const r = await ann.post("/api/user/settings",
	    { embedding_model: "m".repeat(201) });
	assert.deepEqual([r.status, r.json.field], [400, "embedding_model"]);
	const { json } = await ann.get("/api/user/settings");
	assert.equal(json.embedding_model, "nobody");
	// It is a model of that provider alone.
	await ann.post("/api/user/settings", { provider: "offline" });
	assert.equal((await ann.get("/api/user/settings")).json.embedding_model,
	    null);
});

test("a conversation moves into a project and out of it", async () => {
	const foreign = (await bob.post("/api/projects", { title: "Boat" })).json.id;
	const [{ id }] = (await ann.get("/api/history")).json;
	const config = `/api/session/${id}/config`;
	const tab = await ann.ws();
	const move = (project_id, more = {}) =>
		ann.post(config, { project_id, ...more });
	assert.equal((await move(null)).json.project_id, null);
	assert.equal((await tab.next("history_changed")).session_id, id);
	await tab.close();
	assert.equal((await move(project.id)).json.project_id, project.id);
	// What is not given stays.
	assert.equal((await ann.post(config, { model: "m" })).json.project_id,
	    project.id);
	const answers = [];
	for (const other of [foreign, "nosuch"]) {
		const r = await move(other, { model: "changed" });
		answers.push([r.status, r.text]);
	}
	assert.equal(answers[0][0], 404);
	assert.deepEqual(answers[0], answers[1]);
	const { json } = await ann.get(config);
	assert.deepEqual([json.project_id, json.model], [project.id, "m"]);
	assert.equal((await bob.post(config, { project_id: foreign })).status, 404);
	assert.equal((await move("")).json.project_id, null);
});

test("a document is deleted, and a project with all of them", async () => {
	const [d] = (await ann.get(path())).json;
	let r = await ann.request("DELETE", `${path()}/${d.id}`);
	assert.deepEqual([r.status, r.json], [200, { status: "success" }]);
	r = await ann.request("DELETE", `/api/projects/${project.id}`);
	assert.equal(r.status, 200);
	assert.deepEqual((await ann.get("/api/projects")).json, []);
});
