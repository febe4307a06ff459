// A fake Ollama server: the same wire format, scripted answers, a record of
// everything that was asked.  How to use and control it: base.mjs.

import { createHash } from "node:crypto";
import { BASE64, Fake, run_as_process, sleep } from "./base.mjs";
import { answer_of, pieces } from "./behaviours.mjs";
import { vector_of } from "./vectors.mjs";

export { DEFAULT, MODELS, TEXTS, answer_of, pieces } from "./behaviours.mjs";

const VERSION = "0.12.6";

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

class Ollama extends Fake {
	constructor(options) {
		super(options);
		this.routes = ROUTES;
		this.loaded = new Set();
	}

	full_name(name) {
		return full_name(name);
	}

	json(value) {
		return go_json(value);
	}

	key_of(headers) {
		return headers.authorization?.match(/^Bearer (.+)$/)?.[1] ?? null;
	}

	refuse(res, status, error, headers = {}) {
		this.reply(res, { error }, status, headers);
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
	async tell(body, res, record, b, text, before, shape, last) {
		const started = process.hrtime.bigint();
		const line = (fields) => go_json({
			model: body.model, created_at: now(), ...fields, done: false,
		}) + "\n";
		const final = () => {
			const took = Number(process.hrtime.bigint() - started);
			return {
				model: body.model,
				created_at: now(),
				...last,
				done: true,
				done_reason: b.done_reason,
				total_duration: took + 1334875,
				load_duration: 1334875,
				prompt_eval_count: Math.max(1, Math.ceil(JSON.stringify(
				    body.messages ?? body.prompt).length / 4)),
				prompt_eval_duration: 342546,
				eval_count: Math.max(1, pieces(text).length),
				eval_duration: took,
			};
		};

		this.loaded.add(full_name(body.model));
		await this.answer(res, record, b, text, {
			streams: body.stream !== false,
			type: "application/x-ndjson",
			head: before.map(line),
			piece: (piece) => line(shape(piece)),
			bad: "{\"model\": this is not JSON\n",
			error: (error) => go_json({ error }) + "\n",
			tail: () => [go_json(final()) + "\n"],
			whole: final,
		});
	}

	async chat(body, res, record) {
		const b = this.pick(body.model ?? body.name ?? "", res);
		const messages = body.messages ?? [];

		if (b === null)
			return;
		for (const m of messages) {
			for (const image of m.images ?? []) {
				if (!BASE64.test(image))
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

		const calls_tools = this.calls_tools(b, body.tools?.length > 0,
		    messages.at(-1).role === "tool");
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
		if (body.stream === false && b.whole_status !== null) {
			this.refuse(res, b.whole_status, b.error);
			return;
		}
		await this.tell(body, res, record, b, text, before,
		    (piece) => say({ content: piece }), say(whole));
	}

	async generate(body, res, record) {
		const b = this.pick(body.model ?? body.name ?? "", res);

		if (b === null)
			return;
		const text = answer_of(b, [{ role: "user", content: body.prompt ?? "" }]);
		await this.tell(body, res, record, b, text, [],
		    (piece) => ({ response: piece }),
		    { response: body.stream === false ? text : "", context: [1, 2, 3] });
	}

	embed(body, res) {
		const inputs = [body.input ?? []].flat();

		if (this.pick(body.model ?? body.name ?? "", res) === null)
			return;
		this.reply(res, {
			model: body.model,
			embeddings: inputs.map(vector_of),
			total_duration: 14143917,
			load_duration: 1019500,
			prompt_eval_count: inputs.length,
		});
	}

	// "missing..." is in no library; the disk is too small for "full...";
	// "endless..." never comes whole.
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
		else if (/^full/.test(name))
			steps.splice(3, steps.length, { error: "write " +
			    "/usr/share/ollama/blobs/x: no space left on device" });
		else if (!/^endless/.test(name))
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
			while (/^endless/.test(name) && step.completed > 0 &&
			    !res.destroyed)
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

const ROUTES = Object.fromEntries(Object.entries({
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
}).map(([key, name]) => [key, (fake, ...args) => fake[name](...args)]));

export async function start({ port = 0, ...options } = {}) {
	return new Ollama(options).listen(port);
}

await run_as_process(import.meta.url, Ollama);
