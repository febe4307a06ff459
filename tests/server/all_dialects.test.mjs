// The same product by every dialect: text, counts, reasoning, pictures, tools,
// options.  What goes wrong is in faults.test.mjs.

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { TEXTS } from "../fake/behaviours.mjs";
import { KEY, PROVIDERS, start } from "../fake/faults.mjs";
import { ask_ws, messages, of } from "./ask.mjs";
import { startServer, text_of } from "./harness.mjs";

const PNG = "iVBORw0KGgoAAAANSUhEUg==";
const names = Object.keys(PROVIDERS);

let server;

before(async () => {
	server = await startServer({
		users: names.map((username) => ({ username })),
		env: { LOCALNEURAL_ALLOWED_ENDPOINTS: "http://127.0.0.1:*" },
	});
});
after(() => server.stop());

for (const name of names) {
	describe(name, () => {
		let it, client;

		before(async () => {
			it = await start(name);
			client = await server.login(name);
			const r = await client.post("/api/provider/config", {
				provider: name, base_url: it.url, model: "llama3.2",
				api_key: KEY,
			});
			assert.equal(r.status, 200, r.text);
		});
		beforeEach(() => {
			it.fake.requests.length = 0;
		});
		after(() => it.stop());

		// The answers that were asked for, titles and lists left out.
		const asked = () => it.fake.requests.filter((r) =>
			r.method === "POST" && JSON.stringify(r.body).includes("Look:"));
		const ask = (message) => ask_ws(client, { ...message,
		    prompt: `Look: ${message.prompt}` });

		test("an answer arrives unharmed, with the provider's counts",
		    async () => {
			const events = await ask({ prompt: "text", model: "unicode" });
			const done = events.at(-1);
			assert.equal(text_of(events), TEXTS.unicode);
			assert.equal(done.finish_reason, "stop");
			assert.equal(done.is_estimated, false);
			assert.ok(done.tokens > 5 && done.prompt_tokens > 0);
		});

		test("what a model thinks is kept apart from what it says",
		    async () => {
			const events = await ask({ prompt: "think", model: "qwen3" });
			const id = of(events, "session_created")[0].session_id;
			assert.equal(text_of(events), TEXTS.ascii);
			assert.equal(of(events, "thinking").map((e) => e.chunk).join(""),
			    "Let me think about that. Done.");
			assert.equal((await messages(client, id)).at(-1).content,
			    TEXTS.ascii);
		});

		test("a picture reaches the model", async () => {
			const events = await ask({ prompt: "picture", model: "llava",
			    images: [PNG] });
			assert.equal(text_of(events), TEXTS.ascii);
			assert.ok(JSON.stringify(asked()[0].body).includes(PNG));
		});

		test("a tool is called, and its result goes back", async () => {
			const events = await ask({ prompt: "what time?", model: "tools" });
			const calls = of(events, "tool_call");
			assert.deepEqual(calls.map((c) => [c.name, c.status]), [
				["current_time", "running"], ["current_time", "done"],
			]);
			assert.equal(text_of(events), TEXTS.ascii);
			assert.equal(asked().length, 2);
			const { result } = calls[1];
			assert.ok(result.length > 0);
			assert.ok(JSON.stringify(asked()[1].body).includes(
			    JSON.stringify(result).slice(1, -1)));
		});

		test("a model without tools is asked once more without them",
		    async () => {
			const events = await ask({ prompt: "plain", model: "llama3.2" });
			const offered = asked().map((r) => r.body.tools !== undefined);
			assert.equal(text_of(events), TEXTS.ascii);
			assert.deepEqual(of(events, "error"), []);
			// The models of the other two can all use them.
			assert.deepEqual(offered, ["ollama", "openai"].includes(name) ?
			    [true, false] : [true]);
		});

		test("an answer that the bound on tokens cut says so", async () => {
			const events = await ask({ prompt: "long", model: "length",
			    options: { max_tokens: 7 } });
			assert.equal(events.at(-1).finish_reason, "length");
			assert.match(JSON.stringify(asked()[0].body),
			    /"(num_predict|max_\w*tokens|maxOutputTokens)":7\b/);
		});

		test("to stop closes the connection to the provider", async () => {
			const ws = await client.ws();
			ws.send({ type: "user_message", prompt: "Look: slow",
			    model: "slow" });
			const { session_id } = await ws.next("session_created");
			await ws.next("stream_chunk");
			ws.send({ type: "stop_generation", session_id });
			const done = (await ws.collect("stream_done")).at(-1);
			assert.equal(done.finish_reason, "stopped");
			await it.fake.until((all) => all.some((r) =>
				r.closed === "by client"));
			await ws.close();
		});
	});
}
