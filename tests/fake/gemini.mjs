// A fake of the Gemini API: generateContent, its stream, and the model list.
// How to use and control it: base.mjs.

import { BASE64, Fake, run_as_process } from "./base.mjs";
import { MODELS, answer_of, pieces } from "./behaviours.mjs";

export { DEFAULT, MODELS, TEXTS, answer_of, pieces } from "./behaviours.mjs";

const IMAGE_TYPES = ["image/png", "image/jpeg", "image/webp", "image/heic",
    "image/heif"];

const STATUSES = {
	400: "INVALID_ARGUMENT",
	401: "UNAUTHENTICATED",
	403: "PERMISSION_DENIED",
	404: "NOT_FOUND",
	429: "RESOURCE_EXHAUSTED",
	500: "INTERNAL",
	503: "UNAVAILABLE",
	504: "DEADLINE_EXCEEDED",
};

const MORE_MODELS = {
	"gemini-2.5-flash": {},
	// Wants the signature of each step's first call back.
	"gemini-3-pro": {
		capabilities: ["completion", "tools"],
		tool_calls: [{ name: "current_time", arguments: { zone: "UTC" } },
		    { name: "current_time", arguments: {} }],
		signature: "c2lnbmF0dXJl",
	},
	"text-embedding-004": { methods: ["embedContent"] },
	"prompt-too-long": {
		status: 400,
		error: "The input token count (1054016) exceeds the maximum " +
		    "number of tokens allowed (1048576).",
	},
	"blocked": { block: "PROHIBITED_CONTENT" },
	"unsafe": { done_reason: "SAFETY" },
	"badcall": { done_reason: "MALFORMED_FUNCTION_CALL", text: "" },
};

const REASONS = { stop: "STOP", length: "MAX_TOKENS" };

// The encoder of protocol buffers escapes what a script would stumble over.
function proto_json(value, indent) {
	return JSON.stringify(value, null, indent).replace(/[<>\u2028\u2029]/g,
	    (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
}

const text_of = (content) => (content.parts ?? [])
    .map((p) => p.text ?? "").join("");

// What the API refuses in a request, or null.
function objection(body, b) {
	const known = ["contents", "systemInstruction", "tools", "toolConfig",
	    "safetySettings", "generationConfig", "cachedContent"];
	const strange = Object.keys(body).find((k) => !known.includes(k));
	const config = body.generationConfig ?? {};

	if (strange !== undefined)
		return `Invalid JSON payload received. Unknown name "${strange}": ` +
		    "Cannot find field.";
	if (!Array.isArray(body.contents) || body.contents.length === 0)
		return "* GenerateContentRequest.contents: contents is not specified";
	if (config.temperature < 0 || config.temperature > 2)
		return "* GenerateContentRequest.generation_config.temperature: " +
		    "temperature must be in the range [0.0, 2.0].";
	if (config.stopSequences?.length > 5)
		return "* GenerateContentRequest.generation_config.stop_sequences: " +
		    "at most 5";
	if (config.topK !== undefined && !Number.isInteger(config.topK))
		return "Invalid value at 'generation_config.top_k' (TYPE_INT32)";
	for (const f of (body.tools ?? []).flatMap((t) =>
	    t.functionDeclarations ?? [])) {
		if (!/^[a-zA-Z_][\w.:-]{0,63}$/.test(f.name ?? ""))
			return `Invalid function name: ${f.name}`;
		if (f.parameters !== undefined && f.parametersJsonSchema !== undefined)
			return "parameters and parameters_json_schema exclude each other";
		// A subset of OpenAPI's schemas only.
		if (f.parameters?.additionalProperties !== undefined ||
		    f.parameters?.$schema !== undefined)
			return "Invalid JSON payload received. Unknown name " +
			    "\"additionalProperties\" at 'tools[0]'";
	}
	return objection_to_turns(body.contents, b);
}

function objection_to_turns(contents, b) {
	for (const [i, c] of contents.entries()) {
		if (c.role !== "user" && c.role !== "model")
			return "Please use a valid role: user, model.";
		if (!Array.isArray(c.parts) || c.parts.length === 0)
			return `* GenerateContentRequest.contents[${i}].parts: ` +
			    "contents.parts must not be empty.";
		for (const p of c.parts) {
			if (["text", "inlineData", "functionCall", "functionResponse"]
			    .filter((k) => p[k] !== undefined).length !== 1)
				return `* GenerateContentRequest.contents[${i}].parts: ` +
				    "required oneof field 'data' must have one initialized field";
			if (p.inlineData !== undefined &&
			    (!BASE64.test(p.inlineData.data ?? "%") ||
			    !IMAGE_TYPES.includes(p.inlineData.mimeType)))
				return "Unable to process input image.";
			if (p.functionResponse !== undefined &&
			    (typeof p.functionResponse.response !== "object" ||
			    !p.functionResponse.name))
				return "functionResponse.response must be a struct";
		}
		const calls = c.parts.filter((p) => p.functionCall !== undefined);
		if (calls.length > 0 && contents[i + 1]?.parts?.filter((p) =>
		    p.functionResponse !== undefined).length !== calls.length)
			return "Please ensure that the number of function response parts " +
			    "is equal to the number of function call parts of the " +
			    "function call turn.";
		if (calls.length > 0 && b.signature !== undefined &&
		    calls[0].thoughtSignature !== b.signature)
			return "Function call is missing a thought_signature in " +
			    "functionCall parts.";
	}
	return null;
}

class Gemini extends Fake {
	constructor(options = {}) {
		super({ models: { ...MODELS, ...MORE_MODELS }, ...options });
	}

	full_name(name) {
		return name.replace(/^models\//, "").replace(/:latest$/, "");
	}

	key_of(headers) {
		return headers["x-goog-api-key"] ?? null;
	}

	route(method, path) {
		const call = path.match(
		    /^\/v1beta\/models\/([\w.-]+):(generateContent|streamGenerateContent)$/);

		if (method === "GET" && path === "/v1beta/models")
			return (fake, ...args) => fake.list(...args);
		if (method === "POST" && call !== null)
			return (fake, ...args) => fake.generate(call[1],
			    call[2] === "streamGenerateContent", ...args);
		return undefined;
	}

	failure(status, message) {
		// Google's own 401 is for tokens; a wrong key is an argument.
		const code = status === 401 ? 400 : status;
		return { error: {
			code,
			message: status === 401 ?
			    "API key not valid. Please pass a valid API key." : message,
			status: STATUSES[code] ?? "UNKNOWN",
			...(status === 401 && { details: [{
				"@type": "type.googleapis.com/google.rpc.ErrorInfo",
				reason: "API_KEY_INVALID",
				domain: "googleapis.com",
			}] }),
		} };
	}

	refuse(res, status, message, headers = {}) {
		const failure = this.failure(status, message);
		this.reply(res, failure, failure.error.code, headers);
	}

	json(value) {
		return proto_json(value, 2);
	}

	no_model(res, name) {
		this.refuse(res, 404, `models/${name} is not found for API version ` +
		    "v1beta, or is not supported for generateContent.");
	}

	list(_body, res, record) {
		const query = new URLSearchParams(record.query);
		const names = [...this.models.keys()];
		const from = Number(query.get("pageToken") ?? 0);
		const to = from + Number(query.get("pageSize") ?? 50);

		this.reply(res, {
			models: names.slice(from, to).map((name) => ({
				name: `models/${name}`,
				version: "001",
				displayName: name,
				inputTokenLimit: 1048576,
				outputTokenLimit: 65536,
				supportedGenerationMethods: this.models.get(name).methods ??
				    ["generateContent", "countTokens"],
			})),
			...(to < names.length && { nextPageToken: String(to) }),
		});
	}

	async generate(name, is_stream, body, res, record) {
		const b = this.pick(name, res);

		if (b === null)
			return;
		const wrong = objection(body, b);
		if (wrong !== null)
			return this.refuse(res, 400, wrong);
		if (is_stream && new URLSearchParams(record.query).get("alt") !== "sse")
			return this.refuse(res, 400, "this fake streams with alt=sse only");
		const offered = (body.tools ?? []).some((t) =>
		    t.functionDeclarations?.length > 0);
		if (offered && b.no_tools)
			return this.refuse(res, 400,
			    `Function calling is not enabled for models/${name}`);

		const last = body.contents.at(-1);
		const calls = this.calls_tools(b, offered,
		    last.parts.some((p) => p.functionResponse !== undefined)) ?
		    b.tool_calls : [];
		const turns = body.contents.map((c) => (
		    { role: c.role, content: text_of(c) }));
		await this.tell(name, body, res, record, b, is_stream,
		    calls.length > 0 ? "" : answer_of(b, turns), calls);
	}

	async tell(name, body, res, record, b, is_stream, text, calls) {
		const thoughts = b.thinking === null ? [] : pieces(b.thinking);
		const prompt = Math.ceil(JSON.stringify(body.contents).length / 4);
		const response = `response${this.requests.length}`;
		let told = 0, thought = 0;
		const value = (parts, end = {}) => ({
			...(parts !== null && { candidates: [{
				content: { parts, role: "model" },
				index: 0,
				...end,
			}] }),
			usageMetadata: {
				promptTokenCount: prompt,
				...(told > 0 && { candidatesTokenCount: told }),
				...(thought > 0 && { thoughtsTokenCount: thought }),
				totalTokenCount: prompt + told + thought,
			},
			modelVersion: name,
			responseId: response,
		});
		const frame = (v) => `data: ${proto_json(v)}\r\n\r\n`;
		const think = (t) => {
			thought++;
			return { text: t, thought: true };
		};
		const say = (t) => {
			told++;
			return { text: t };
		};
		const call = (c, i) => {
			told++;
			return {
				functionCall: { name: c.name, args: c.arguments },
				...(i === 0 && b.signature !== undefined &&
				    { thoughtSignature: b.signature }),
			};
		};
		const end = { finishReason: REASONS[b.done_reason] ?? b.done_reason };
		const blocked = {
			promptFeedback: { blockReason: b.block },
			...value(null),
		};

		if (b.block !== undefined && !is_stream)
			return this.reply(res, blocked);
		await this.answer(res, record, b, b.block === undefined ? text : "", {
			streams: is_stream,
			type: "text/event-stream",
			head: thoughts.map((t) => frame(value([think(t)]))),
			piece: (piece) => frame(value([say(piece)])),
			bad: "data: {\"candidates\": this is not JSON\r\n\r\n",
			// Not an event: the error alone, as a refusal would say it.
			error: (error) => proto_json(this.failure(500, error)) + "\n",
			tail: () => [frame(b.block !== undefined ? blocked :
			    value(calls.map(call), end))],
			whole: () => {
				const parts = [
					...(b.thinking === null ? [] : [think(b.thinking)]),
					...pieces(text).map(say),
					...calls.map(call),
				];
				return value(parts, end);
			},
		});
	}
}

export async function start({ port = 0, ...options } = {}) {
	return new Gemini(options).listen(port);
}

await run_as_process(import.meta.url, Gemini);
