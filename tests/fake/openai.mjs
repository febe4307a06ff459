// A fake server of OpenAI's chat completions: the same wire format, scripted
// answers.  How to use and control it: base.mjs.

import { Fake, run_as_process } from "./base.mjs";
import { answer_of, pieces } from "./behaviours.mjs";
import { vector_of } from "./vectors.mjs";

export { DEFAULT, MODELS, TEXTS, answer_of, pieces } from "./behaviours.mjs";

const CREATED = 1769851812;
const DATA_URL = /^data:image\/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/]+=*$/;
const ROLES = ["system", "developer", "user", "assistant", "tool"];
const CALL_PIECE = 7;	// characters of arguments at a time

// What a status is called in the error's body.
const ERRORS = {
	401: ["invalid_request_error", "invalid_api_key"],
	404: ["invalid_request_error", "model_not_found"],
	429: ["requests", "rate_limit_exceeded"],
	500: ["server_error", null],
	529: ["server_error", null],
};

const count = (text) => Math.max(1, Math.ceil(text.length / 4));
const frame = (value) => `data: ${JSON.stringify(value)}\n\n`;

// A message's text, whatever the form of its content.
function text_of(content) {
	if (!Array.isArray(content))
		return content ?? "";
	return content.filter((p) => p.type === "text").map((p) => p.text).join("");
}

class OpenAI extends Fake {
	constructor(options) {
		super(options);
		this.answers = 0;
		this.routes = {
			"GET /v1/models": (fake, body, res) => fake.list(res),
			"POST /v1/chat/completions": (fake, body, res, record) =>
			    fake.chat(body, res, record),
			"POST /v1/audio/transcriptions": (fake, body, res) =>
			    fake.transcribe(body, res),
			"POST /v1/embeddings": (fake, body, res) =>
			    fake.embed(body, res),
		};
	}

	// What is said is how much there was; a recording with "mumble" in it
	// comes back without a text.
	transcribe(body, res) {
		if (!/^whisper/.test(body.model ?? ""))
			return this.refuse(res, 404,
			    `The model '${body.model}' does not exist`);
		if (body.file?.bytes === undefined)
			return this.refuse(res, 400, "file is missing");
		if (body.file.bytes.includes("mumble"))
			return this.reply(res, { usage: {} });
		return this.reply(res, { text: `${body.file.bytes.length} bytes ` +
		    `of ${body.file.name}, gr\u00fc\u00dfe.` });
	}

	// The models are those of all fakes; only Ollama has tags.
	full_name(name) {
		return name.replace(/:latest$/, "");
	}

	key_of(headers) {
		return headers.authorization?.match(/^Bearer (.+)$/)?.[1] ?? null;
	}

	route(method, path) {
		const model = path.match(/^\/v1\/models\/(.+)$/);

		if (model && method === "GET")
			return (fake, body, res) =>
			    fake.show(decodeURIComponent(model[1]), res);
		return super.route(method, path);
	}

	lost(res) {
		this.refuse(res, 404, "Invalid URL", {}, { code: null });
	}

	refuse(res, status, message, headers = {}, more = {}) {
		const [type, code] = ERRORS[status] ?? ["invalid_request_error", null];

		this.reply(res, { error: { message, type, param: null, code, ...more } },
		    status, headers);
	}

	no_model(res, name) {
		this.refuse(res, 404,
		    `The model \`${name}\` does not exist or you do not have access to it.`,
		    {}, { param: "model" });
	}

	model(id) {
		return { id, object: "model", created: CREATED, owned_by: "library" };
	}

	list(res) {
		this.reply(res, {
			object: "list",
			data: [...this.models.keys()].map((id) => this.model(id)),
		});
	}

	show(name, res) {
		if (this.behaviour(name) === undefined)
			return this.no_model(res, name);
		return this.reply(res, this.model(this.full_name(name)));
	}

	// What is wrong with a request, or null.
	fault(body, b) {
		const messages = body.messages;
		const ids = new Set();

		if (!Array.isArray(messages) || messages.length === 0)
			return "Missing required parameter: 'messages'.";
		for (const [i, m] of messages.entries()) {
			const at = `messages[${i}]`;

			if (!ROLES.includes(m.role))
				return `Invalid value: '${m.role}' in ${at}.role.`;
			if (m.content === null && m.tool_calls === undefined)
				return `Invalid value for '${at}.content': null.`;
			for (const part of Array.isArray(m.content) ? m.content : []) {
				if (part.type === "text" && typeof part.text === "string")
					continue;
				if (part.type !== "image_url" || m.role !== "user")
					return `Invalid value: '${part.type}' in ${at}.`;
				if (!DATA_URL.test(part.image_url?.url))
					return `Invalid image URL in ${at}.`;
				if (!b.capabilities.includes("vision"))
					return "Invalid content type. image_url is only " +
					    "supported by certain models.";
			}
			for (const call of m.tool_calls ?? []) {
				if (typeof call.id !== "string" || call.type !== "function" ||
				    typeof call.function?.arguments !== "string")
					return `Invalid tool call in ${at}.`;
				ids.add(call.id);
			}
			if (m.role === "tool" && !ids.delete(m.tool_call_id))
				return "Invalid parameter: messages with role 'tool' must be " +
				    "a response to a preceding message with 'tool_calls'.";
		}
		for (const tool of body.tools ?? []) {
			if (tool.type !== "function" ||
			    !/^[\w-]{1,64}$/.test(tool.function?.name) ||
			    tool.function.parameters?.type !== "object")
				return "Invalid value in 'tools'.";
		}
		if (body.tools?.length > 0 && !b.capabilities.includes("tools"))
			return "This model does not support tools.";
		if (body.stop?.length > 4)
			return "Invalid 'stop': array too long.";
		if (body.stream_options !== undefined && body.stream !== true)
			return "The 'stream_options' parameter is only allowed when " +
			    "'stream' is enabled.";
		return null;
	}

	async chat(body, res, record) {
		const b = this.pick(body.model ?? "", res);

		if (b === null)
			return;
		const wrong = this.fault(body, b);
		if (wrong !== null)
			return this.refuse(res, 400, wrong);
		const messages = body.messages.map((m) => ({
			...m, content: text_of(m.content),
		}));
		const calls = this.calls_tools(b, body.tools?.length > 0,
		    messages.at(-1).role === "tool") ? b.tool_calls : [];
		const text = calls.length > 0 ? "" : answer_of(b, messages);

		await this.answer(res, record, b, text,
		    this.speak(body, b, messages, text, calls));
	}

	// The official client asks for base64, as floats are long to read.
	embed(body, res) {
		const inputs = [body.input ?? []].flat();
		const format = body.encoding_format ?? "float";

		if (this.pick(body.model ?? "", res) === null)
			return;
		if (inputs.length === 0 || inputs.some((text) =>
		    typeof text !== "string" || text === ""))
			return this.refuse(res, 400, "'$.input' is invalid.");
		if (format !== "float" && format !== "base64")
			return this.refuse(res, 400, "Invalid 'encoding_format'.");
		const prompt_tokens = count(inputs.join(" "));
		return this.reply(res, {
			object: "list",
			data: inputs.map(vector_of).map((v, index) => ({
				object: "embedding",
				index,
				embedding: format === "float" ? v :
				    Buffer.from(new Float32Array(v).buffer)
				        .toString("base64"),
			})),
			model: body.model,
			usage: { prompt_tokens, total_tokens: prompt_tokens },
		});
	}

	// How an answer looks on the wire (see answer of base.mjs).
	speak(body, b, messages, text, calls) {
		const id = `chatcmpl-fake${++this.answers}`;
		const finish_reason = calls.length > 0 ? "tool_calls" : b.done_reason;
		const head = {
			id, created: CREATED, model: body.model,
			system_fingerprint: "fp_fake",
		};
		const prompt_tokens = count(JSON.stringify(messages));
		const completion_tokens = Math.max(1, pieces(text).length) +
		    pieces(b.thinking ?? "").length;
		const usage = {
			prompt_tokens, completion_tokens,
			total_tokens: prompt_tokens + completion_tokens,
		};
		const wants_usage = body.stream_options?.include_usage === true;
		const chunk = (choices, counts = null) => frame({
			...head, object: "chat.completion.chunk", choices,
			...(wants_usage && { usage: counts }),
		});
		const delta = (members, reason = null) => chunk([{
			index: 0, delta: members, logprobs: null, finish_reason: reason,
		}]);
		const tool_calls = calls.map((call, i) => ({
			id: `call_${i + 1}`,
			type: "function",
			function: {
				name: call.name, arguments: JSON.stringify(call.arguments),
			},
		}));

		return {
			streams: body.stream === true,
			type: "text/event-stream; charset=utf-8",
			head: [
				delta({ role: "assistant", content: calls.length > 0 ? null : "",
				    refusal: null }),
				...pieces(b.thinking ?? "").map((p) =>
				    delta({ reasoning_content: p })),
				...tool_calls.flatMap((call, index) => [
					delta({ tool_calls: [{ index, ...call,
					    function: { ...call.function, arguments: "" } }] }),
					...call.function.arguments
					    .match(new RegExp(`[^]{1,${CALL_PIECE}}`, "g"))
					    .map((piece) => delta({ tool_calls: [{ index,
					        function: { arguments: piece } }] })),
				]),
			],
			piece: (p) => delta({ content: p }),
			bad: "data: {\"choices\": this is not JSON\n\n",
			error: (message) => frame({
				error: { message, type: "server_error", param: null, code: null },
			}),
			tail: () => [
				delta({}, finish_reason),
				...(wants_usage ? [chunk([], usage)] : []),
				"data: [DONE]\n\n",
			],
			whole: () => ({
				...head,
				object: "chat.completion",
				choices: [{
					index: 0,
					message: {
						role: "assistant",
						content: calls.length > 0 ? null : text,
						refusal: null,
						...(b.thinking !== null &&
						    { reasoning_content: b.thinking }),
						...(calls.length > 0 && { tool_calls }),
					},
					logprobs: null,
					finish_reason,
				}],
				usage,
			}),
		};
	}
}

export async function start({ port = 0, ...options } = {}) {
	return new OpenAI(options).listen(port);
}

await run_as_process(import.meta.url, OpenAI);
