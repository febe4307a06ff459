// Projects: documents come in, are read, and go with their project.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startServer } from "./harness.mjs";

let server, ann, bob, project;

before(async () => {
	server = await startServer({
		users: [{ username: "ann" }, { username: "bob" }],
	});
	[ann, bob] = await Promise.all([server.login("ann"),
	    server.login("bob")]);
	project = (await ann.post("/api/projects", { title: "Garden" })).json;
});
after(() => server.stop());

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

test("a document is deleted, and a project with all of them", async () => {
	const [d] = (await ann.get(path())).json;
	let r = await ann.request("DELETE", `${path()}/${d.id}`);
	assert.deepEqual([r.status, r.json], [200, { status: "success" }]);
	r = await ann.request("DELETE", `/api/projects/${project.id}`);
	assert.equal(r.status, 200);
	assert.deepEqual((await ann.get("/api/projects")).json, []);
});
