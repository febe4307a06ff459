// Whatever a provider does, the person is told in one sentence of ours, what
// came is saved, the log says more, and the next question is answered.  The
// table: tests/fake/faults.mjs.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { FAULTS, KEY, PROVIDERS, STALL_MS, TEXTS, THEIRS, is_partial, start }
    from "../fake/faults.mjs";
import { messages, of } from "./ask.mjs";
import { startServer, text_of } from "./harness.mjs";

const names = Object.keys(PROVIDERS);

let server;

before(async () => {
	server = await startServer({
		users: names.map((username) => ({ username })),
		env: {
			LOCALNEURAL_STALL_TIMEOUT_MS: String(STALL_MS),
			LOCALNEURAL_ALLOWED_ENDPOINTS:
			    "http://127.0.0.1:*,https://127.0.0.1:*,http://nobody.invalid",
		},
	});
});
after(() => server.stop());

async function choose(client, settings) {
	const r = await client.post("/api/provider/config", settings);
	assert.equal(r.status, 200, r.text);
}

// Everything up to the end, error and end in whichever order.
async function ask(client, message) {
	const ws = await client.ws();
	ws.send({ type: "user_message", ...message });
	const events = await ws.collect("stream_done");
	await ws.close();
	return events;
}

for (const name of names) {
	describe(name, () => {
		let it, client;

		before(async () => {
			it = await start(name);
			client = await server.login(name);
			await choose(client, {
				provider: name, base_url: it.url, model: "llama3.2",
				api_key: KEY,
			});
		});
		after(() => it.stop());

		for (const [i, { name: fault }] of FAULTS.entries()) {
			test(fault, async () => {
				const row = it.rows[i];
				const before = server.log.length;

				await choose(client, { base_url: row.url });
				const events = await ask(client,
				    { prompt: "Why is the sky blue?", model: row.model });
				const id = of(events, "session_created")[0].session_id;
				const errors = of(events, "error");
				const done = events.at(-1);
				const log = server.log.slice(before);
				const [question, answer] = await messages(client, id);

				assert.ok(is_partial(row, text_of(events)),
				    text_of(events).slice(0, 200));
				assert.equal(question.content, "Why is the sky blue?");
				assert.ok(is_partial(row, answer?.content ?? ""),
				    "saved as it came");
				if (row.status === null) {
					assert.deepEqual(errors, []);
					assert.equal(done.finish_reason, "stop");
					return;
				}
				assert.equal(errors.length, 1);
				assert.ok(errors[0].error.includes(row.words), errors[0].error);
				assert.doesNotMatch(JSON.stringify(events), THEIRS);
				assert.equal(done.finish_reason, "error");
				assert.match(log, new RegExp(
				    `ev=fail .*status=${row.status} detail=.`));
				assert.ok(!log.includes(KEY));
			});
		}

		test("and then it answers again", async () => {
			await choose(client, { base_url: it.url });
			const events = await ask(client, { prompt: "And now?" });
			assert.equal(text_of(events), TEXTS.ascii);
			assert.equal(events.at(-1).finish_reason, "stop");
		});
	});
}
