// The table of provider x fault that lnctl (tests/cli/faults.bats) and the
// server (tests/server/faults.test.mjs) are held against: what goes wrong, and
// what the person is told.
//
//   import { FAULTS, PROVIDERS, start } from "./faults.mjs";
//   const it = await start("openai");	// { url, key, rows, stop }
//
// or as a process:
//
//   node faults.mjs PROVIDER
//       prints "key KEY", then a line "row NAME URL MODEL" for each row, fields
//       divided by tabs, then "listening", and runs until SIGTERM
//   node faults.mjs PROVIDER NAME STATUS FOLDER
//       judges what `lnctl ask --json` did with the row of that name: its exit
//       status, and in the folder its output "out" and "err", and "saved", the
//       row of its answer as sqlite3 -json prints it

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import https from "node:https";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { TEXTS } from "./behaviours.mjs";

export { TEXTS } from "./behaviours.mjs";

export const KEY = "sk-canary-0123456789";
// Must be shorter than the silence of a stalled answer, and longer than a busy
// machine needs to begin one.
export const STALL_MS = 4000;

export const PROVIDERS = {
	ollama: { path: "" },
	openai: { path: "/v1" },
	anthropic: { path: "" },
	gemini: { path: "" },
};

const GARBAGE = "could not be understood";
const REFUSED_KEY = "refused the API key";

// name      of the row
// at        where the provider is said to be; default: the fake
// model     of the fake
// status    the token of the outcome; null: the answer comes whole
// exit      of lnctl; 8 unless said
// words     of the sentence
// partial   "whole", "some" (the answer's beginning) or "none" of the text
// but       what differs for a provider
export const FAULTS = [
	{ name: "connection refused", at: "nobody", model: "llama3.2",
	    status: "upstream", words: "refused the connection" },
	{ name: "DNS failure", at: "nowhere", model: "llama3.2",
	    status: "upstream", words: "name of the model provider was not found" },
	{ name: "TLS failure", at: "plain", model: "llama3.2",
	    status: "upstream", words: "TLS connection to the model provider failed" },
	{ name: "certificate of nobody we know", at: "stranger", model: "llama3.2",
	    status: "upstream", words: "could not be verified" },
	{ name: "no such path", at: "lost", model: "llama3.2",
	    status: "upstream", words: "Check its base URL" },
	{ name: "400", model: "http400",
	    status: "upstream", words: "refused the request" },
	{ name: "401", model: "http401",
	    status: "unauthenticated", words: REFUSED_KEY },
	{ name: "403", model: "http403",
	    status: "unauthenticated", words: REFUSED_KEY },
	{ name: "404, unknown model", model: "nobody",
	    status: "not_found", exit: 4, words: "hoose another one" },
	{ name: "429 with Retry-After", model: "http429",
	    status: "rate_limited",
	    words: "too many requests. Try again in 7 seconds" },
	{ name: "500", model: "http500",
	    status: "upstream", words: "model provider failed" },
	{ name: "529", model: "http529",
	    status: "upstream", words: "overloaded" },
	{ name: "stall", model: "stall", partial: "some",
	    status: "timeout", words: "did not answer in time" },
	{ name: "cut in the middle", model: "cut", partial: "some",
	    status: "upstream", words: "cut the connection" },
	{ name: "end in the middle", model: "short", partial: "some",
	    status: "upstream", words: "ended the answer too early" },
	{ name: "error in the middle", model: "errline", partial: "some",
	    status: "upstream", words: "failed while answering",
	    but: { anthropic: { words: "is overloaded" } } },
	{ name: "malformed event", model: "badline", partial: "some",
	    status: "upstream", words: GARBAGE },
	{ name: "invalid UTF-8 across packets", model: "badutf8", partial: "some",
	    status: "upstream", words: GARBAGE },
	{ name: "a line of 10 MiB", model: "longline", partial: "some",
	    status: "upstream", words: GARBAGE },
	{ name: "one byte a packet", model: "bytes", partial: "whole",
	    status: null, exit: 0, words: "" },
	{ name: "an answer without end", model: "wide", partial: "some",
	    status: "too_large", words: "too large" },
];

// 64 KiB a piece, so that the bound on the text of an answer (4 MiB) is reached
// by little more than that on the wire.
const WIDE = {
	text: Array.from({ length: 8 }, (_, i) =>
		" ".repeat(65536) + `word${i}`).join(""),
	endless: true,
};

// A port where nobody listens: taken, then given back.
async function free_port() {
	const s = http.createServer();
	await new Promise((done) => s.listen(0, "127.0.0.1", done));
	const { port } = s.address();
	await new Promise((done) => s.close(done));
	return port;
}

// A server whose certificate it has signed itself.
async function stranger() {
	const dir = fs.mkdtempSync(path.join(
	    process.env.TMPDIR ?? os.tmpdir(), "ln-"));
	const [key, cert] = ["key", "cert"].map((n) => path.join(dir, n));

	try {
		const made = spawnSync("openssl", ["req", "-x509", "-newkey", "ec",
		    "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
		    "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
		    "-keyout", key, "-out", cert], { encoding: "utf8" });
		if (made.status !== 0)
			throw new Error(`openssl: ${made.stderr}`);
		const s = https.createServer({
			key: fs.readFileSync(key), cert: fs.readFileSync(cert),
		}, (req, res) => res.end("never"));
		s.on("tlsClientError", () => {});
		await new Promise((done) => s.listen(0, "127.0.0.1", done));
		return s;
	} finally {
		fs.rmSync(dir, { recursive: true });
	}
}

export async function start(provider) {
	const dialect = await import(`./${provider}.mjs`);
	const fake = await dialect.start({ key: KEY });
	const other = await stranger();
	const base = PROVIDERS[provider].path;
	const places = {
		nobody: `http://127.0.0.1:${await free_port()}${base}`,
		nowhere: `http://nobody.invalid${base}`,
		plain: `https://127.0.0.1:${fake.port}${base}`,
		stranger: `https://127.0.0.1:${other.address().port}${base}`,
		lost: `${fake.url}/elsewhere`,
	};

	fake.behave("wide", WIDE);
	return {
		fake,
		url: fake.url + base,
		key: KEY,
		rows: FAULTS.map((row) => ({
			...row_of(provider, row),
			url: places[row.at] ?? fake.url + base,
		})),
		async stop() {
			other.closeAllConnections();
			await new Promise((done) => other.close(done));
			await fake.stop();
		},
	};
}

// Whether ${text} is what the row lets through of an answer.
export function is_partial(row, text) {
	if (row.partial === "none")
		return text === "";
	if (row.partial === "whole")
		return text === TEXTS.unicode;
	if (row.model === "wide")
		return text.length > 1024 * 1024 && /^ +word0 +word1 /.test(text);
	return text === "The quick brown";
}

// Words of the fakes that no person may see.
export const THEIRS =
    /CUDA|runner|not as it should|no such thing|canary|127\.0\.0/;

function row_of(provider, { but, ...row }) {
	return { exit: 8, partial: "none", ...row, ...but?.[provider] };
}

// What lnctl ask --json has printed and saved.
function judge(provider, name, status, folder) {
	const row = row_of(provider, FAULTS.find((r) => r.name === name));
	const read = (file) => fs.readFileSync(path.join(folder, file), "utf8");
	const out = JSON.parse(read("out"));
	const err = read("err");
	const [saved] = JSON.parse(read("saved") || "[]");
	const kept = saved?.content ?? "";

	assert.equal(Number(status), row.exit, err);
	assert.ok(is_partial(row, out.answer), `answer: ${out.answer.slice(0, 200)}`);
	assert.ok(is_partial(row, kept), `saved: ${kept.slice(0, 200)}`);
	if (row.status === null) {
		assert.deepEqual([out.finish_reason, saved.state, err],
		    ["stop", "complete", ""]);
		return;
	}
	assert.deepEqual([out.finish_reason, out.code, out.exit],
	    ["error", row.status, row.exit]);
	if (row.partial !== "none")
		assert.equal(saved.state, "failed");
	assert.ok(out.error.includes(row.words), out.error);
	assert.match(err, /^lnctl: [^\n]+\.\n$/, "one sentence");
	assert.ok(err.includes(row.words), err);
	assert.doesNotMatch(err + out.error, THEIRS);
}

async function serve(provider) {
	const it = await start(provider);

	console.log(`key ${it.key}`);
	for (const r of it.rows)
		console.log(["row", r.name, r.url, r.model].join("\t"));
	console.log("listening");
	process.on("SIGTERM", () => process.exit(0));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
	const [provider, ...what] = process.argv.slice(2);
	if (what.length > 0)
		judge(provider, ...what);
	else
		await serve(provider);
}
