// A fake Ollama server: the same wire format, scripted answers, a record of
// everything that was asked.  Loopback only.
//
//   import { start } from "./ollama.mjs";
//   const fake = await start();      // { url, port, behave, requests, ... }
//   await fake.stop();
//
// or as a process: `node ollama.mjs [--port N]` prints "listening PORT" and
// runs until SIGTERM.  Control from outside:
//   PUT    /_fake/models/NAME   a behaviour (behaviours.mjs)
//   DELETE /_fake/models/NAME
//   GET    /_fake/requests      what was asked so far
//   DELETE /_fake/requests

import { createHash } from "node:crypto";
import http from "node:http";
import { pathToFileURL } from "node:url";
import { DEFAULT, MODELS, answer_of, pieces } from "./behaviours.mjs";

export { DEFAULT, MODELS, TEXTS, answer_of, pieces } from "./behaviours.mjs";

const VERSION = "0.12.6";
const BODY_MAX = 64 * 1024 * 1024;

const turn = () => new Promise((done) => setImmediate(done));
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

// Go's encoder escapes what HTML would read, and the two line separators.
function go_json(value) {
	return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g,
	    (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
}

// RFC 3339 with nanoseconds, as Go prints them.
function now() {
	const nano = process.hrtime.bigint() % 1000000n;
	return new Date().toISOString().replace("Z",
	    String(nano).padStart(6, "0").replace(/0+$/, "") + "Z");
}

function digest(name) {
	return createHash("sha256").update(name).digest("hex");
}

// "llama3.2" means "llama3.2:latest".
function full_name(name) {
	return name.includes(":") ? name : `${name}:latest`;
}

class Fake {
	constructor() {
		this.models = new Map(Object.entries(MODELS));
		this.loaded = new Set();
		this.requests = [];
		this.sockets = new Set();
		this.server = http.createServer((req, res) => {
			this.serve(req, res).catch((e) => {
				if (!res.headersSent)
					this.refuse(res, 500, String(e.message));
				else
					res.destroy();
			});
		});
		this.server.on("connection", (s) => {
			this.sockets.add(s);
			s.on("close", () => this.sockets.delete(s));
		});
	}

	async listen(port = 0) {
		await new Promise((done, fail) => {
			this.server.once("error", fail);
			this.server.listen(port, "127.0.0.1", done);
		});
		this.port = this.server.address().port;
		this.url = `http://127.0.0.1:${this.port}`;
		return this;
	}

	async stop() {
		for (const s of this.sockets)
			s.destroy();
		await new Promise((done) => this.server.close(done));
	}

	// Script a model, known or new.
	behave(name, behaviour) {
		this.models.set(full_name(name), behaviour);
	}

	forget(name) {
		return this.models.delete(full_name(name));
	}

	behaviour(name) {
		const own = this.models.get(full_name(name));
		return own && { ...DEFAULT, ...own };
	}

	// The requests of one path, in order.
	asked(path) {
		return this.requests.filter((r) => r.path === path);
	}

	// Wait until check(requests) is true.
	async until(check, timeout_ms = 5000) {
		const end = Date.now() + timeout_ms;
		while (!check(this.requests)) {
			if (Date.now() > end)
				throw new Error("the fake waited in vain: " +
				    JSON.stringify(this.requests));
			await sleep(10);
		}
	}

	// --- serving ------------------------------------------------------

	async serve(req, res) {
		const url = new URL(req.url, this.url);
		const chunks = [];
		let size = 0;

		for await (const c of req) {
			size += c.length;
			if (size > BODY_MAX)
				return this.refuse(res, 413, "http: request body too large");
			chunks.push(c);
		}
		let body = null;
		try {
			if (size > 0)
				body = JSON.parse(Buffer.concat(chunks).toString("utf8"));
		} catch (e) {
			return this.refuse(res, 400, e.message);
		}
		if (url.pathname.startsWith("/_fake/"))
			return this.control(req.method, url, body, res);

		const record = {
			method: req.method,
			path: url.pathname,
			headers: req.headers,
			body,
			tokens: 0,
			closed: null,	// "whole" or "by client", once it is over
		};
		this.requests.push(record);
		res.on("close", () => {
			record.closed = res.writableFinished ? "whole" :
			    res.cut_by_us ? "by fake" : "by client";
			record.closed_ms = Date.now();
		});
		const route = ROUTES[`${req.method} ${url.pathname}`];
		if (route === undefined) {
			res.writeHead(404, { "content-type": "text/plain" });
			return res.end("404 page not found");
		}
		return this[route](body ?? {}, res, record);
	}

	control(method, url, body, res) {
		const model = url.pathname.match(/^\/_fake\/models\/(.+)$/);

		if (model && method === "PUT")
			this.behave(decodeURIComponent(model[1]), body ?? {});
		else if (model && method === "DELETE")
			this.forget(decodeURIComponent(model[1]));
		else if (url.pathname === "/_fake/requests" && method === "DELETE")
			this.requests.length = 0;
		else if (url.pathname !== "/_fake/requests" || method !== "GET")
			return this.refuse(res, 404, "no such control");
		return this.reply(res, this.requests);
	}

	reply(res, value) {
		res.writeHead(200, { "content-type": "application/json; charset=utf-8" });
		res.end(go_json(value));
	}

	refuse(res, status, error, headers = {}) {
		res.writeHead(status, {
			"content-type": "application/json; charset=utf-8",
			...headers,
		});
		res.end(go_json({ error }));
	}

	// The behaviour of the model that a request names, or a refusal.
	pick(body, res) {
		const b = this.behaviour(body.model ?? body.name ?? "");

		if (b === undefined) {
			this.refuse(res, 404,
			    `model '${body.model ?? body.name ?? ""}' not found`);
			return null;
		}
		if (b.status !== null) {
			this.refuse(res, b.status, b.error, b.retry_after === null ?
			    {} : { "retry-after": String(b.retry_after) });
			return null;
		}
		return b;
	}

	root(_body, res) {
		res.writeHead(200, { "content-type": "text/plain; charset=utf-8" });
		res.end("Ollama is running");
	}

	version(_body, res) {
		this.reply(res, { version: VERSION });
	}

	details(name) {
		return {
			parent_model: "",
			format: "gguf",
			family: name.split(":")[0],
			families: [name.split(":")[0]],
			parameter_size: "3.2B",
			quantization_level: "Q4_K_M",
		};
	}

	tags(_body, res) {
		this.reply(res, {
			models: [...this.models.keys()].map((name) => ({
				name,
				model: name,
				modified_at: "2026-01-31T09:30:12.084125217Z",
				size: 2019393189,
				digest: digest(name),
				details: this.details(name),
			})),
		});
	}

	ps(_body, res) {
		this.reply(res, {
			models: [...this.loaded].map((name) => ({
				name,
				model: name,
				size: 3825819519,
				digest: digest(name),
				details: this.details(name),
				expires_at: new Date(Date.now() + 300000).toISOString(),
				size_vram: 0,
				context_length: 4096,
			})),
		});
	}

	show(body, res) {
		const name = full_name(body.model ?? body.name ?? "");
		const b = this.behaviour(name);

		if (b === undefined)
			return this.refuse(res, 404,
			    `model '${body.model ?? body.name ?? ""}' not found`);
		return this.reply(res, {
			license: "MIT",
			modelfile: `FROM ${name}`,
			parameters: "stop \"<|end|>\"",
			template: "{{ .Prompt }}",
			details: this.details(name),
			model_info: {
				"general.architecture": "llama",
				"llama.context_length": 4096,
			},
			capabilities: b.capabilities,
			modified_at: "2026-01-31T09:30:12.084125217Z",
		});
	}

	// Send the text of an answer as NDJSON lines, or as one object.
	// shape(piece) gives the fields that differ between chat and generate.
	async answer(body, res, record, b, text, before, shape, last) {
		const name = body.model;
		const started = process.hrtime.bigint();
		const tokens = pieces(text);
		const streams = body.stream !== false;
		const send = async (line) => {
			if (!b.bytewise)
				return res.write(line);
			for (const byte of Buffer.from(line)) {
				res.write(Buffer.of(byte));
				await turn();
			}
		};
		const line = (fields) => send(go_json({
			model: name, created_at: now(), ...fields, done: false,
		}) + "\n");

		this.loaded.add(full_name(name));
		await sleep(b.first_ms);
		if (streams) {
			res.writeHead(200, { "content-type": "application/x-ndjson" });
			res.flushHeaders();
			for (const fields of before)
				await line(fields);
		}
		for (let i = 0; i <= tokens.length; i++) {
			if (res.destroyed)
				return;
			if (i === b.stall_after)
				return;
			if (i === b.cut_after) {
				await sleep(20);
				res.cut_by_us = true;
				res.socket.resetAndDestroy();
				return;
			}
			if (i === b.end_after)
				return res.end();
			if (i === b.bad_line_after)
				await send("{\"model\": this is not JSON\n");
			if (i === b.error_after) {
				if (!streams)
					return this.refuse(res, 500, b.error);
				await send(go_json({ error: b.error }) + "\n");
				return res.end();
			}
			if (i === tokens.length)
				break;
			if (b.delay_ms > 0)
				await sleep(b.delay_ms);
			if (streams && !res.destroyed)
				await line(shape(tokens[i]));
			record.tokens++;
		}
		const took = Number(process.hrtime.bigint() - started);
		const final = {
			model: name,
			created_at: now(),
			...last,
			done: true,
			done_reason: b.done_reason,
			total_duration: took + 1334875,
			load_duration: 1334875,
			prompt_eval_count: Math.max(1,
			    Math.ceil(JSON.stringify(body.messages ?? body.prompt).length / 4)),
			prompt_eval_duration: 342546,
			eval_count: Math.max(1, tokens.length),
			eval_duration: took,
		};
		if (!streams)
			return this.reply(res, final);
		await send(go_json(final) + "\n");
		return res.end();
	}

	async chat(body, res, record) {
		const b = this.pick(body, res);
		const messages = body.messages ?? [];

		if (b === null)
			return;
		for (const m of messages) {
			for (const image of m.images ?? []) {
				if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(image))
					return this.refuse(res, 400,
					    "illegal base64 data at input byte 0");
			}
		}
		if (body.tools?.length > 0 && !b.capabilities.includes("tools"))
			return this.refuse(res, 400,
			    `registry.ollama.ai/library/${full_name(body.model)} does not support tools`);
		if (body.think && !b.capabilities.includes("thinking"))
			return this.refuse(res, 400,
			    `"${body.model}" does not support thinking`);
		if (messages.length === 0)
			return this.reply(res, {
				model: body.model,
				created_at: now(),
				message: { role: "assistant", content: "" },
				done_reason: "load",
				done: true,
			});

		const calls_tools = b.tool_calls !== null && body.tools?.length > 0 &&
		    messages.at(-1).role !== "tool";
		const text = calls_tools ? "" : answer_of(b, messages);
		const thinks = b.thinking !== null && body.think !== false;
		const tool_calls = calls_tools ? b.tool_calls.map((call) => ({
			function: { name: call.name, arguments: call.arguments },
		})) : undefined;
		const say = (fields) => ({
			message: { role: "assistant", content: "", ...fields },
		});
		const before = [];
		if (thinks)
			before.push(...pieces(b.thinking).map((p) => say({ thinking: p })));
		if (calls_tools)
			before.push(say({ tool_calls }));
		const whole = body.stream === false ? {
			content: text,
			...(thinks && { thinking: b.thinking }),
			...(calls_tools && { tool_calls }),
		} : {};
		await this.answer(body, res, record, b, text, before,
		    (piece) => say({ content: piece }), say(whole));
	}

	async generate(body, res, record) {
		const b = this.pick(body, res);

		if (b === null)
			return;
		const text = answer_of(b, [{ role: "user", content: body.prompt ?? "" }]);
		await this.answer(body, res, record, b, text, [],
		    (piece) => ({ response: piece }),
		    { response: body.stream === false ? text : "", context: [1, 2, 3] });
	}

	// Vectors that depend on the text alone: equal texts, equal vectors.
	embed(body, res) {
		const inputs = [body.input ?? []].flat();

		if (this.pick(body, res) === null)
			return;
		this.reply(res, {
			model: body.model,
			embeddings: inputs.map((text) => {
				const v = [...createHash("sha256").update(text).digest()]
				    .slice(0, 16).map((x) => x - 127.5);
				const norm = Math.hypot(...v);
				return v.map((x) => x / norm);
			}),
			total_duration: 14143917,
			load_duration: 1019500,
			prompt_eval_count: inputs.length,
		});
	}

	async pull(body, res) {
		const name = full_name(body.model ?? body.name ?? "");
		const layer = digest(name);
		const total = 2019377376;
		const steps = [
			{ status: "pulling manifest" },
			...[0, 0.25, 0.5, 1].map((part) => ({
				status: `pulling ${layer.slice(0, 12)}`,
				digest: `sha256:${layer}`,
				total,
				...(part > 0 && { completed: total * part }),
			})),
			{ status: "verifying sha256 digest" },
			{ status: "writing manifest" },
			{ status: "success" },
		];
		if (/^missing/.test(name))
			steps.splice(1, steps.length,
			    { error: "pull model manifest: file does not exist" });
		else
			this.models.set(name, this.models.get(name) ?? {});
		if (body.stream === false) {
			const end = steps.at(-1);
			return end.error === undefined ? this.reply(res, end) :
			    this.refuse(res, 500, end.error);
		}
		res.writeHead(200, { "content-type": "application/x-ndjson" });
		for (const step of steps) {
			if (res.destroyed)
				return;
			res.write(go_json(step) + "\n");
			await sleep(5);
		}
		res.end();
	}

	remove(body, res) {
		const name = body.model ?? body.name ?? "";

		if (!this.forget(name))
			return this.refuse(res, 404, `model '${name}' not found`);
		this.loaded.delete(full_name(name));
		res.writeHead(200);
		return res.end();
	}
}

const ROUTES = {
	"GET /": "root",
	"HEAD /": "root",
	"GET /api/version": "version",
	"GET /api/tags": "tags",
	"GET /api/ps": "ps",
	"POST /api/show": "show",
	"POST /api/chat": "chat",
	"POST /api/generate": "generate",
	"POST /api/embed": "embed",
	"POST /api/pull": "pull",
	"DELETE /api/delete": "remove",
};

export async function start({ port = 0 } = {}) {
	return new Fake().listen(port);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
	const at = process.argv.indexOf("--port");
	const fake = await start({ port: at > 0 ? Number(process.argv[at + 1]) : 0 });
	console.log(`listening ${fake.port}`);
	for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"])
		process.on(signal, () => process.exit(0));
}
