// A fake of the Anthropic API: Messages and Models.  How to use and control
// it: base.mjs.

import { createHash } from "node:crypto";
import { BASE64, Fake, run_as_process } from "./base.mjs";
import { MODELS, answer_of, pieces } from "./behaviours.mjs";

export { DEFAULT, MODELS, TEXTS, answer_of, pieces } from "./behaviours.mjs";

const VERSION = "2023-06-01";
const IMAGE_TYPES = ["image/png", "image/jpeg", "image/gif", "image/webp"];
const PIECE_OF_JSON = 7;

const ERROR_TYPES = {
	400: "invalid_request_error",
	401: "authentication_error",
	402: "billing_error",
	403: "permission_error",
	404: "not_found_error",
	413: "request_too_large",
	429: "rate_limit_error",
	500: "api_error",
	504: "timeout_error",
	529: "overloaded_error",
};

// As on the wire: the newest models let nobody choose how they sample.
const MORE_MODELS = {
	"claude-sonnet-5-5": { no_sampling: true },
	"claude-sonnet-4-5": {},
	"prompt-too-long": {
		status: 400,
		error: "prompt is too long: 208310 tokens > 200000 maximum",
	},
	"refusal": { done_reason: "refusal" },
};

const REASONS = { stop: "end_turn", length: "max_tokens" };

function id_of(kind, ...what) {
	return kind + createHash("sha256").update(JSON.stringify(what))
	    .digest("base64url").replace(/[-_]/g, "x").slice(0, 24);
}

function text_of(content) {
	return typeof content === "string" ? content :
	    (content ?? []).filter((b) => b.type === "text")
		.map((b) => b.text).join("\n");
}

// What the API refuses in a request, or null.
function objection(body, b) {
	const { model, max_tokens, messages, system, tools } = body;

	if (typeof model !== "string")
		return "model: Field required";
	if (!Number.isInteger(max_tokens) || max_tokens < 1)
		return "max_tokens: Field required";
	if (!Array.isArray(messages) || messages.length === 0)
		return "messages: at least one message is required";
	if (system !== undefined && typeof system !== "string" &&
	    !Array.isArray(system))
		return "system: Input should be a valid string";
	if (b.no_sampling && (body.top_k !== undefined ||
	    (body.temperature ?? 1) !== 1 || (body.top_p ?? 1) < 0.99))
		return "temperature, top_p and top_k are not supported by this model";
	if (body.temperature < 0 || body.temperature > 1)
		return "temperature: range: 0..1";
	if (body.temperature !== undefined && body.top_p !== undefined)
		return "`temperature` and `top_p` cannot both be specified for this model";
	for (const s of body.stop_sequences ?? []) {
		if (s.trim() === "")
			return "stop_sequences: each stop sequence must contain non-whitespace";
	}
	for (const [i, t] of (tools ?? []).entries()) {
		if (!/^[a-zA-Z0-9_-]{1,128}$/.test(t.name ?? ""))
			return `tools.${i}.custom.name: String should match pattern`;
		if (t.input_schema?.type !== "object")
			return `tools.${i}.custom.input_schema.type: Field required`;
	}
	return objection_to_turns(messages);
}

function objection_to_turns(messages) {
	let open = [];		// calls that wait for their results

	if (messages[0].role !== "user")
		return "messages: first message must use the \"user\" role";
	if (messages.at(-1).role === "assistant")
		return "This model does not support assistant message prefill.";
	for (const [i, m] of messages.entries()) {
		if (m.role !== "user" && m.role !== "assistant")
			return `messages.${i}.role: Input should be 'user' or 'assistant'`;
		if (m.role === messages[i - 1]?.role)
			return `messages.${i}: roles must alternate`;
		const blocks = typeof m.content === "string" ?
		    [{ type: "text", text: m.content }] : m.content;
		if (!Array.isArray(blocks) || blocks.length === 0)
			return `messages.${i}: all messages must have non-empty content`;
		const results = blocks.filter((b) => b.type === "tool_result");
		const answered = results.map((r) => r.tool_use_id);
		if (open.some((id) => !answered.includes(id)))
			return `messages.${i}: \`tool_use\` ids were found without ` +
			    "`tool_result` blocks immediately after";
		if (answered.some((id) => !open.includes(id)))
			return `messages.${i}: unexpected \`tool_use_id\` found in ` +
			    "`tool_result` blocks";
		open = blocks.filter((b) => b.type === "tool_use").map((b) => b.id);
		for (const [k, b] of blocks.entries()) {
			const wrong = objection_to_block(b, m.role);
			if (wrong !== null)
				return `messages.${i}.content.${k}${wrong}`;
		}
	}
	return null;
}

function objection_to_block(b, role) {
	switch (b.type) {
	case "text":
		return b.text?.trim() ? null :
		    ".text: text content blocks must contain non-whitespace text";
	case "image":
		if (role !== "user")
			return ": image blocks are only for the user";
		if (b.source?.type !== "base64" || !BASE64.test(b.source.data ?? "%"))
			return ".image.source.base64.data: invalid base64 data";
		if (!IMAGE_TYPES.includes(b.source.media_type))
			return ".image.source.base64.media_type: Input should be 'image/jpeg'";
		return null;
	case "tool_use":
		if (role !== "assistant" || !/^[a-zA-Z0-9_-]+$/.test(b.id ?? ""))
			return ".tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'";
		return b.input !== null && typeof b.input === "object" ? null :
		    ".tool_use.input: Input should be a valid dictionary";
	case "tool_result":
		return role === "user" ? null : ": tool results are the user's";
	case "thinking":
		return null;
	default:
		return `: Input tag '${b.type}' found using 'type' does not match`;
	}
}

class Anthropic extends Fake {
	constructor(options = {}) {
		super({ models: { ...MODELS, ...MORE_MODELS }, ...options });
		this.routes = ROUTES;
	}

	full_name(name) {
		return name.replace(/:latest$/, "");
	}

	key_of(headers) {
		return headers["x-api-key"] ?? null;
	}

	refuse(res, status, message, headers = {}) {
		this.reply(res, {
			type: "error",
			error: { type: ERROR_TYPES[status] ?? "api_error", message },
			request_id: "req_018EeWyXxfu5pfWkrYcMdjWG",
		}, status, headers);
	}

	lost(res) {
		this.refuse(res, 404, "Not Found");
	}

	no_model(res, name) {
		this.refuse(res, 404, `model: ${name}`);
	}

	// One page, as asked for.
	list(_body, res, record) {
		const query = new URLSearchParams(record.query);
		const names = [...this.models.keys()];
		const from = names.indexOf(query.get("after_id")) + 1;
		const page = names.slice(from,
		    from + Number(query.get("limit") ?? 20));

		this.reply(res, {
			data: page.map((id) => ({
				type: "model",
				id,
				display_name: id,
				created_at: "2026-01-31T00:00:00Z",
				max_input_tokens: 200000,
				max_tokens: 64000,
			})),
			first_id: page[0] ?? null,
			last_id: page.at(-1) ?? null,
			has_more: from + page.length < names.length,
		});
	}

	async messages(body, res, record) {
		if (record.headers["anthropic-version"] !== VERSION)
			return this.refuse(res, 400, "anthropic-version: header is required");
		const b = this.pick(body.model ?? "", res);
		if (b === null)
			return;
		const wrong = objection(body, b);
		if (wrong !== null)
			return this.refuse(res, 400, wrong);

		const last = body.messages.at(-1);
		const has_result = Array.isArray(last.content) &&
		    last.content.some((x) => x.type === "tool_result");
		const calls = this.calls_tools(b, body.tools?.length > 0, has_result);
		const turns = body.messages.map((m) => (
		    { role: m.role, content: text_of(m.content) }));
		await this.tell(body, res, record, b,
		    calls ? "" : answer_of(b, turns), calls ? b.tool_calls : []);
	}

	async tell(body, res, record, b, text, calls) {
		const input_tokens = Math.ceil(JSON.stringify(body.messages).length / 4);
		const output_tokens = Math.max(1, pieces(text).length);
		const stop_reason = calls.length > 0 ? "tool_use" :
		    REASONS[b.done_reason] ?? b.done_reason;
		const thinks = b.thinking !== null && body.thinking?.type !== "disabled";
		const signature = thinks ? id_of("", b.thinking) : null;
		const uses = calls.map((call, i) => ({
			type: "tool_use",
			id: id_of("toolu_01", this.requests.length, i),
			name: call.name,
			input: call.arguments,
		}));
		const message = {
			id: id_of("msg_01", this.requests.length),
			type: "message",
			role: "assistant",
			model: body.model,
			content: [],
			stop_reason: null,
			stop_sequence: null,
			usage: {
				input_tokens,
				cache_creation_input_tokens: 0,
				cache_read_input_tokens: 0,
				output_tokens: 1,
			},
		};
		const frame = (event) =>
			`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
		let index = -1;
		const start = (content_block) => frame(
		    { type: "content_block_start", index: ++index, content_block });
		const delta = (change) => frame(
		    { type: "content_block_delta", index, delta: change });
		const stop = () => frame({ type: "content_block_stop", index });

		const head = [frame({ type: "message_start", message })];
		if (thinks) {
			head.push(start({ type: "thinking", thinking: "", signature: "" }));
			head.push(frame({ type: "ping" }));
			for (const thinking of pieces(b.thinking))
				head.push(delta({ type: "thinking_delta", thinking }));
			head.push(delta({ type: "signature_delta", signature }));
			head.push(stop());
		}
		if (calls.length === 0)
			head.push(start({ type: "text", text: "" }));
		head.push(frame({ type: "ping" }));
		const tail = () => {
			const frames = calls.length === 0 ? [stop()] : [];
			for (const use of uses) {
				frames.push(start({ ...use, input: {} }));
				frames.push(delta({ type: "input_json_delta", partial_json: "" }));
				const json = JSON.stringify(use.input);
				for (let i = 0; i < json.length; i += PIECE_OF_JSON)
					frames.push(delta({
						type: "input_json_delta",
						partial_json: json.slice(i, i + PIECE_OF_JSON),
					}));
				frames.push(stop());
			}
			frames.push(frame({
				type: "message_delta",
				delta: { stop_reason, stop_sequence: null },
				usage: { output_tokens },
			}));
			frames.push(frame({ type: "message_stop" }));
			return frames;
		};
		await this.answer(res, record, b, text, {
			streams: body.stream === true,
			type: "text/event-stream; charset=utf-8",
			head,
			piece: (piece) => delta({ type: "text_delta", text: piece }),
			bad: "event: content_block_delta\ndata: {\"type\": this is not JSON\n\n",
			error: (error) => frame({
				type: "error",
				error: { type: "overloaded_error", message: error },
			}),
			tail,
			whole: () => ({
				...message,
				content: [
					...(thinks ? [{ type: "thinking", thinking: b.thinking,
					    signature }] : []),
					...(text !== "" ? [{ type: "text", text }] : []),
					...uses,
				],
				stop_reason,
				usage: { ...message.usage, output_tokens },
			}),
		});
	}
}

const ROUTES = {
	"GET /v1/models": (fake, ...args) => fake.list(...args),
	"POST /v1/messages": (fake, ...args) => fake.messages(...args),
};

export async function start({ port = 0, ...options } = {}) {
	return new Anthropic(options).listen(port);
}

await run_as_process(import.meta.url, Anthropic);
