// Anthropic and Google through the server: what their dialects carry reaches
// the person, and what the person sends reaches them.

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { TEXTS, start as start_anthropic } from "../fake/anthropic.mjs";
import { start as start_gemini } from "../fake/gemini.mjs";
import { ask_ws, messages, of } from "./ask.mjs";
import { startServer, text_of } from "./harness.mjs";

const KEY = "sk-canary-0123456789";
const PNG = Buffer.from("89504e470d0a1a0a0000000d49484452", "hex").toString("base64");

// The turns of a request in one form: [role, kinds of its parts].
const DIALECTS = {
	anthropic: {
		start: start_anthropic,
		turns: (body) => body.messages.map((m) =>
			[m.role, m.content.map((b) => b.type).join()]),
		looked_at: (body) => body.messages.at(-1).content
		    .find((b) => b.type === "image").source.data,
		tool_result: (body) => body.messages.at(-1).content[0].content,
		called: [["user", "text"], ["assistant", "tool_use"],
		    ["user", "tool_result"]],
	},
	gemini: {
		start: start_gemini,
		turns: (body) => body.contents.map((c) => [c.role, c.parts.map((p) =>
			Object.keys(p).filter((k) => k !== "thoughtSignature")[0]).join()]),
		looked_at: (body) => body.contents.at(-1).parts
		    .find((p) => p.inlineData).inlineData.data,
		tool_result: (body) => body.contents.at(-1).parts[0]
		    .functionResponse.response.output,
		called: [["user", "text"], ["model", "functionCall"],
		    ["user", "functionResponse"]],
	},
};

for (const [provider, dialect] of Object.entries(DIALECTS)) {
	describe(provider, () => {
		let fake, server, ann;

		before(async () => {
			fake = await dialect.start({ key: KEY });
			server = await startServer({ users: [{ username: "ann" }] });
			await server.lnctl_ok(["provider", "set", provider, "--global",
			    "--base-url", fake.url, "-m", "llama3.2", "--key-file",
			    server.secret_file(KEY), "--json"]);
			ann = await server.login("ann");
		});
		beforeEach(() => {
			fake.requests.length = 0;
		});
		after(async () => {
			const log = await server.stop().finally(() => fake.stop());
			assert.ok(!log.includes(KEY));
		});

		const ask = (model, extra = {}) =>
			ask_ws(ann, { prompt: "Why is the sky blue?", model, ...extra });

		for (const [model, text] of [["unicode", TEXTS.unicode],
		    ["bytes", TEXTS.unicode], ["markup", TEXTS.markup],
		    ["hostile", TEXTS.hostile]]) {
			test(`${model}: the text arrives and is saved`, async () => {
				const events = await ask(model);
				assert.equal(text_of(events), text);
				const end = events.at(-1);
				assert.equal(end.finish_reason, "stop");
				assert.ok(end.tokens > 0 && end.prompt_tokens > 0);
				const [{ session_id }] = of(events, "session_created");
				assert.equal((await messages(ann, session_id))[1].content, text);
			});
		}

		test("thinking comes apart from the answer", async () => {
			const events = await ask("qwen3");
			assert.equal(text_of(events), TEXTS.ascii);
			assert.equal(of(events, "thinking").map((e) => e.chunk).join(""),
			    "Let me think about that. Done.");
		});

		test("a length bound and a filter are told", async () => {
			const end = async (model) => (await ask(model)).at(-1).finish_reason;
			assert.equal(await end("length"), "length");
			assert.equal(await end(provider === "gemini" ? "unsafe" : "refusal"),
			    "content_filter");
		});

		test("an image goes up as it came", async () => {
			await ask("llava", { images: [PNG] });
			assert.equal(dialect.looked_at(fake.requests[0].body), PNG);
		});

		test("a tool is called, and the answer follows", async () => {
			const events = await ask("tools");
			const done = of(events, "tool_call").at(-1);
			assert.equal(done.status, "done");
			assert.equal(text_of(events), TEXTS.ascii);
			const { body } = fake.requests[1];
			assert.deepEqual(dialect.turns(body), dialect.called);
			assert.equal(dialect.tool_result(body), done.result);
		});

		test("a conversation goes on in turns that alternate", async () => {
			const first = await ask("llama3.2");
			const [{ session_id }] = of(first, "session_created");
			fake.requests.length = 0;
			await ask("echo", { session_id, prompt: "And now?" });
			assert.deepEqual(dialect.turns(fake.requests[0].body)
			    .map(([role]) => role),
			    ["user", dialect.called[1][0], "user"]);
		});

		// What else goes wrong is in the table of faults.mjs.
		test("a conversation that is too long is told so", async () => {
			const [error] = of(await ask("prompt-too-long"), "error");
			assert.match(error.error, /too long for this model/);
			assert.equal(error.code, "too_large");
		});

		if (provider === "gemini")
			test("a signed call goes back signed", async () => {
				const events = await ask("gemini-3-pro");
				assert.equal(text_of(events), TEXTS.ascii);
				const { parts } = fake.requests[1].body.contents[1];
				assert.deepEqual(parts.map((p) => p.thoughtSignature),
				    ["c2lnbmF0dXJl", undefined]);
			});
	});
}
