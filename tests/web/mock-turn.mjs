/*
 * One answer of the stand-in.  What the mock's `answer` gives is its text, or
 * a list of steps:
 *
 *	{ think: TEXT }			reasoning
 *	{ tool: { name, arguments, result | error, asks } }	a tool run
 *	{ text: TEXT }			the answer, or more of it
 *	{ fail: SENTENCE }		the provider fails
 *	{ sources: LIST }		what it was given to read
 *	{ end: REASON }			instead of "stop"
 */
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/* About three words a piece, as a model sends them. */
export const pieces = (text) => text.match(/(?:\S+\s*){1,3}/g) ?? [];

const STATES = { stopped: 'stopped', error: 'failed' };

export class MockTurn {
	constructor(mock, c, all, before) {
		this.mock = mock;
		this.c = c;
		this.all = (event) => all({ session_id: c.id, ...event });
		this.id = before?.id ?? mock.nextId++;
		this.text = this.journal = before?.content ?? '';
		this.thinking = before?.thinking ?? '';
		this.tools = before?.tools ?? [];
		this.tokens = before?.tokens ?? 0;
		this.reason = 'stop';
		this.error = null;
		this.sources = null;
		this.stopped = false;
		this.begun = Date.now();
	}

	stop() {
		this.stopped = true;
		this.decide?.(false);
	}

	async run() {
		const { mock, c } = this;
		const given = mock.answer(c.messages.at(-1).content, this);

		mock.running.set(c.id, this);
		for (const step of typeof given === 'string' ?
		    [{ text: given }] : given) {
			await this.step(step);
			if (this.stopped || this.reason !== 'stop')
				break;
		}
		mock.running.delete(c.id);
		if (this.stopped)
			this.reason = 'stopped';
		c.messages.push({
			...mock.emptyAnswer(), id: this.id, content: this.text,
			state: STATES[this.reason] ?? 'complete', tokens: this.tokens,
			finish_reason: this.reason, thinking: this.thinking || null,
			tools: this.tools, is_estimated: mock.estimates,
			sources: this.sources, error: this.error,
		});
		c.total_tokens += this.tokens;
		this.all({
			type: 'stream_done', db_id: this.id, tokens: this.tokens,
			prompt_tokens: 5, duration_ms: Date.now() - this.begun,
			finish_reason: this.reason, is_estimated: mock.estimates,
			sources: this.sources,
		});
	}

	async step({ think, tool, text, fail, end, sources }) {
		this.sources = sources ?? this.sources;
		if (think)
			for (const chunk of pieces(think)) {
				await wait(this.mock.pace);
				this.thinking += chunk;
				this.all({ type: 'thinking', chunk });
			}
		if (tool)
			await this.use(tool);
		if (text)
			await this.say(text);
		if (fail) {
			this.reason = 'error';
			this.error = fail;
			this.all({ type: 'error', error: fail, code: 'upstream' });
		}
		if (end)
			this.reason = end;
	}

	async say(text) {
		for (const piece of pieces(text)) {
			await wait(this.mock.pace);
			if (this.stopped)
				return;
			const from = Buffer.byteLength(this.text);

			this.text += piece;
			this.tokens += 3;
			if (this.tokens % 5 === 0)
				this.journal = this.text;
			if (this.mock.skipChunks > 0) {
				this.mock.skipChunks--;
				continue;
			}
			this.all({
				type: 'stream_chunk', chunk: piece, from,
				seq: Buffer.byteLength(this.text), tokens: this.tokens,
				tps: this.tokens / ((Date.now() - this.begun) / 1000),
			});
		}
	}

	async use({ name, arguments: wanted, result = null, error = null, asks }) {
		const run = {
			call_id: this.mock.nextId++, name, status: 'running',
			arguments: JSON.stringify(wanted), result: null, error: null,
		};
		const become = (change) => {
			Object.assign(run, change);
			this.all({ type: 'tool_call', db_id: this.id, ...run });
		};

		this.tools.push(run);
		if (asks) {
			const decided = new Promise((resolve) => {
				this.decide = resolve;
			});

			this.asked = run;
			become({ status: 'asking' });
			const allowed = await decided;

			this.asked = this.decide = undefined;
			if (!allowed)
				return become({
					status: 'denied', error: 'The person did not allow this call',
				});
		}
		become({ status: 'running' });
		await wait(this.mock.pace);
		become(error ? { status: 'failed', error } :
		    { status: 'done', result });
	}
}
