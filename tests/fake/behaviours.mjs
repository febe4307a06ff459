// What the models of the fake Ollama do.  A behaviour is a plain object; what
// it does not name is as in DEFAULT.
//
//   text          the answer; null: `tokens` numbered words
//   echo          answer with the last user message instead
//   tokens        number of words when text is null
//   delay_ms      before each token
//   first_ms      before the first byte of the reply
//   bytewise      one TCP write for each byte
//   endless_calls  call the tools even when their result is there
//   thinking      reasoning sent first, when the request asks to think
//   tool_calls    [{name, arguments}], sent before the text, when the request
//                 offers tools and the last message is not a tool's result
//   done_reason   of the last line
//   stall_after   tokens, then silence with the connection open
//   cut_after     tokens, then the connection is reset
//   end_after     tokens, then an orderly end without a last line
//   bad_line_after  tokens, then a line that is not JSON
//   long_line_after  tokens, then one of 10 MiB in a single line
//   bad_utf8_after   tokens, then one that is not UTF-8, cut inside
//   endless       the text again and again, without end
//   error_after   tokens, then an error line
//   error         text of that error, or of the refusal below
//   status        refuse with this HTTP status
//   retry_after   seconds, a header of the refusal
//   capabilities  what /api/show says the model can do

export const TEXTS = {
	ascii: "The quick brown fox jumps over the lazy dog. It rests.",
	unicode: "Grüße, Welt! 日本語のテキスト 👩‍👩‍👧‍👦 e\u0301 עברית \u2028 ½ \u{1F980}.",
	markup: "Use `a < b && c > d` and <script>alert(1)</script> & \"quotes\".",
	markdown: "# Title\n\n- one\n- **two**\n\n```c\nint main(void);\n```\n",
	hostile: "Red: \u001b[31mX\u001b[0m bell \u0007 bidi \u202e end.",
};

export const DEFAULT = {
	text: TEXTS.ascii,
	echo: false,
	tokens: 0,
	delay_ms: 0,
	first_ms: 0,
	bytewise: false,
	thinking: null,
	tool_calls: null,
	endless_calls: false,
	done_reason: "stop",
	stall_after: null,
	cut_after: null,
	end_after: null,
	bad_line_after: null,
	long_line_after: null,
	bad_utf8_after: null,
	endless: false,
	error_after: null,
	error: "an error was encountered while running the model: CUDA error",
	status: null,
	whole_status: null,	// of what is not asked for as a stream
	retry_after: null,
	capabilities: ["completion"],
};

export const MODELS = {
	"llama3.2:latest": {},
	"unicode:latest": { text: TEXTS.unicode },
	"bytes:latest": { text: TEXTS.unicode, bytewise: true },
	"markup:latest": { text: TEXTS.markup },
	"markdown:latest": { text: TEXTS.markdown },
	"hostile:latest": { text: TEXTS.hostile },
	"echo:latest": { echo: true },
	"bytes-echo:latest": { echo: true, bytewise: true },
	"slow:latest": { text: null, tokens: 200, delay_ms: 50 },
	"long:latest": { text: null, tokens: 5000 },
	"empty:latest": { text: "" },
	"length:latest": { done_reason: "length" },
	"stall:latest": { stall_after: 3 },
	"cut:latest": { cut_after: 3 },
	"short:latest": { end_after: 3 },
	"badline:latest": { bad_line_after: 3 },
	"errline:latest": { error_after: 3 },
	"longline:latest": { long_line_after: 3 },
	"badutf8:latest": { bad_utf8_after: 3 },
	"endless:latest": { endless: true },
	"http400:latest": { status: 400, error: "the request is not as it should be" },
	"http401:latest": { status: 401, error: "invalid API key" },
	"http403:latest": { status: 403, error: "the key may not use this model" },
	"http404:latest": { status: 404, error: "no such thing" },
	"http500:latest": { status: 500, error: "llama runner process has terminated" },
	"http429:latest": { status: 429, error: "too many requests", retry_after: 7 },
	"http529:latest": { status: 529, error: "overloaded" },
	"llava:latest": { capabilities: ["completion", "vision"] },
	"tools:latest": {
		capabilities: ["completion", "tools"],
		tool_calls: [{ name: "current_time", arguments: { zone: "UTC" } }],
	},
	"toolloop:latest": {
		capabilities: ["completion", "tools"],
		tool_calls: [{ name: "current_time", arguments: { zone: "UTC" } }],
		endless_calls: true,
	},
	"qwen3:latest": {
		capabilities: ["completion", "thinking"],
		thinking: "Let me think about that. Done.",
	},
};

// The pieces a text is streamed in; never inside a character.
export function pieces(text) {
	return text.match(/\s*\S{1,8}|\s+$/gu) ?? [];
}

export function answer_of(b, messages) {
	if (b.echo)
		return messages.findLast((m) => m.role === "user")?.content ?? "";
	if (b.text !== null)
		return b.text;
	return Array.from({ length: b.tokens }, (_, i) => `word${i + 1}`).join(" ");
}
