/*
 * The open conversation: loads it, sends to it, and turns the server's
 * events into turns of the log.  An answer belongs to the conversation, so
 * it may have been asked for in another tab or in a shell.
 */
import { api, ApiError, explain, sentence } from '../lib/api';
import { joined, rate, tokenCount } from '../lib/numbers';
import type { Doc, Message, Question, Thread } from '../lib/types';
import { Answer } from './answer';
import type { Announcer } from './announcer';
import { splitFile } from './attached-file';
import type { Composer } from './composer';
import { type Conversations, path } from './conversations';
import type { ClientFrame, Done, Saved, ServerEvent, ToolCall, UserMessage }
	from './events';
import { FRAME_MAX, type Link } from './link';
import type { LogView } from './log-view';
import { chosenOptions } from './options';
import { postStream } from './post-stream';
import { AnswerTurn, ending, questionOf, UserTurn } from './turn';

/** A message on its way: what to give back if it does not arrive. */
interface Pending {
	frame: UserMessage;
	turn: UserTurn;
	/** The message it replaces. */
	edited: number | null;
}

interface Live {
	turn: AnswerTurn;
	answer: Answer;
	/** Events may have been missed: read the saved answer at its end. */
	doubtful: boolean;
}

/** What a conversation that begins is to have of its own. */
export interface Wish {
	model?: string;
	system_prompt?: string;
	project_id?: string;
}

export interface ChatView {
	log: LogView;
	composer: Composer;
	announcer: Announcer;
	/** The open conversation or its data changed. */
	opened(id: string | null): void;
	/** The model of the open conversation. */
	model(name: string | null): void;
	empty(): Node;
	/** Its messages are on the page. */
	loaded(): void;
	/** Another tab changed what the list shows. */
	listed(): void;
	/** A document is new, has another state, or is gone (null). */
	document(project: string, id: number, doc: Doc | null): void;
}

/* How long a resumed answer may say nothing before it is read again. */
const RESUME_WAIT = 5000;
/* How long after an error its answer's end is waited for. */
const ERROR_WAIT = 2000;

export class Chat {
	current: string | null = null;
	modelName = '';
	/** Of the new chat on the page. */
	wish: Wish = {};
	private pending: Pending | null = null;
	private live: Live | null = null;
	/** Why the last answer failed; the server keeps only that it did. */
	private trouble = '';
	private silence = 0;
	private loads = 0;
	private link: Link | null = null;

	constructor(private readonly view: ChatView,
	    private readonly conversations: Conversations) {
	}

	use(link: Link): void {
		this.link = link;
	}

	/** Opens a conversation, or an empty new one. */
	async open(id: string | null): Promise<void> {
		if (id === this.current && id !== null)
			return;
		this.current = id;
		this.wish = {};
		this.trouble = '';
		this.pending = null;
		this.drop();
		this.view.composer.use(id);
		this.view.opened(id);
		if (id === null) {
			this.loads++;
			this.view.model(null);
			this.view.log.show(this.view.empty());
			return;
		}
		this.view.log.clear(true);
		if (await this.load(id))
			await this.conversations.find(id);
	}

	/** Reads the open conversation (again) and joins a running answer.  False
	 * when there is nothing to show, or something else by now. */
	async load(id: string): Promise<boolean> {
		const load = ++this.loads;

		try {
			const thread = await api<Thread>('GET',
			    `/api/chat/${path(id)}`);

			if (load === this.loads)
				this.loaded(thread);
			return load === this.loads;
		} catch (error) {
			if (load !== this.loads)
				return false;
			this.view.log.clear();
			this.view.composer.problem(
			    error instanceof ApiError && error.status === 404 ?
			        'This conversation does not exist (any more).' :
			        explain(error));
			return false;
		}
	}

	/** Sends a question; `edited` is the message it replaces. */
	send(question: Question, edited: number | null = null): void {
		const { log, composer } = this.view;
		const { text, images, file } = question;
		const old = edited === null ? undefined : log.turns.find((turn) =>
		    turn.id === edited);
		const frame: UserMessage = {
			type: 'user_message',
			prompt: text,
			temp_id: crypto.randomUUID(),
			...(this.current === null ? this.wish :
			    { session_id: this.current }),
			...(images.length || edited !== null ? { images } : {}),
			...(file ? { file_context: file } : {}),
			...(edited === null ? {} : { is_edit: true, msg_id: edited }),
			...chosenOptions(),
		};

		if (old)
			log.cut(old);
		this.pending = {
			frame, edited,
			turn: log.addUser(question, null, new Date().toISOString()),
		};
		this.begin();
		composer.problem('');
		this.dispatch(frame);
	}

	/** Takes a question into the composer to be corrected. */
	edit(turn: UserTurn): void {
		if (this.live || this.pending || turn.id === null)
			return;
		this.view.composer.edit(turn.question, turn.id);
	}

	/** Another answer to the last question. */
	regenerate(): void {
		const last = this.view.log.last();

		if (this.live || this.current === null ||
		    !(last instanceof AnswerTurn))
			return;
		this.view.log.remove(last);
		this.begin();
		this.dispatch({
			type: 'regenerate', session_id: this.current,
			...chosenOptions(),
		});
	}

	/** The last answer goes on where it broke off. */
	goOn(): void {
		const last = this.view.log.last();

		if (this.live || this.current === null ||
		    !(last instanceof AnswerTurn))
			return;
		last.begin();
		this.begin(last);
		this.dispatch({
			type: 'continue', session_id: this.current,
			...chosenOptions(),
		});
	}

	/** Answers a tool call that asks first. */
	decide(call: number, allow: boolean): void {
		if (this.current !== null)
			this.dispatch({
				type: 'tool_decision', session_id: this.current,
				call_id: call, allow,
			});
	}

	stop(): void {
		if (this.current === null)
			return;
		this.dispatch({
			type: 'stop_generation', session_id: this.current,
		});
	}

	/** The socket opened; after a drop nothing said meanwhile is lost. */
	connected(again: boolean): void {
		if (this.current === null) {
			if (again && this.pending)
				this.lose('The connection dropped before the message ' +
				    'was confirmed. Look at the list before you send ' +
				    'it again.');
		} else if (this.live && !this.pending) {
			this.live.doubtful = true;
			this.resume();
		} else if (again) {
			void this.load(this.current);
		}
	}

	event(event: ServerEvent): void {
		switch (event.type) {
		case 'session_created':
			this.conversations.add(event.session_id, event.title);
			break;
		case 'message_saved':
			this.saved(event);
			break;
		case 'title_updated':
			this.conversations.update(event.session_id,
			    { title: event.title });
			break;
		case 'stream_chunk':
			if (event.session_id === this.current)
				this.chunk(event);
			break;
		case 'thinking':
			if (event.session_id === this.current)
				this.think(event.chunk);
			break;
		case 'tool_call':
			if (event.session_id === this.current)
				this.tool(event);
			break;
		case 'stream_done':
			this.done(event);
			break;
		case 'error':
			this.failed(event.session_id, event.error);
			break;
		case 'history_changed':
			this.view.listed();
			break;
		case 'document':
			this.view.document(event.project_id, event.document_id,
			    event.document);
			break;
		case 'pong':
			break;
		}
	}

	private loaded(thread: Thread): void {
		const messages = thread.messages;
		const last = messages.at(-1);
		const lost = this.pending;
		const asked = messages.filter((m) => m.role === 'user').at(-1);

		this.drop();
		this.pending = null;
		this.view.model(thread.model);
		this.view.log.load(messages.filter((m) => m.state !== 'streaming'));
		this.retell(last);
		if (lost && splitFile(asked?.content ?? '').text !==
		    lost.frame.prompt)
			this.giveBack(lost, 'The message was not sent.');
		if (last?.state === 'streaming')
			this.join(last);
		this.view.loaded();
	}

	/* A failure of this visit is told in its own words. */
	private retell(last: Message | undefined): void {
		const turn = this.view.log.last();

		if (this.trouble && last?.state === 'failed' &&
		    turn instanceof AnswerTurn)
			turn.problem(this.trouble);
	}

	/* What is journalled of a running answer is shown; the rest follows. */
	private join(message: Message): void {
		const { turn } = this.overheard();

		turn.id = message.id;
		if (message.thinking)
			turn.think(message.thinking);
		for (const run of message.tools ?? [])
			turn.tool(run);
		this.from(message.content);
		turn.grow(message.content);
		this.resume();
	}

	/** Expects an answer: a new one, or more of one that is there. */
	private begin(more?: AnswerTurn): Live {
		this.trouble = '';
		this.live = {
			turn: more ?? this.view.log.addLive(this.modelName),
			answer: new Answer(),
			doubtful: false,
		};
		this.view.composer.running(true);
		if (more)
			this.from(more.text);
		return this.live;
	}

	/* That much of the running answer is here. */
	private from(text: string): void {
		if (!this.live)
			return;
		this.live.answer.text = text;
		this.live.answer.bytes = new TextEncoder().encode(text).length;
	}

	private drop(): void {
		clearTimeout(this.silence);
		this.live = null;
		this.view.composer.running(false);
		this.view.composer.speed('');
	}

	private resume(): void {
		const id = this.current;
		const live = this.live;

		if (id === null || !live)
			return;
		this.link?.send({
			type: 'resume', session_id: id, after: live.answer.bytes,
		});
		/* Written by another program, or over: then it is in the file. */
		clearTimeout(this.silence);
		this.silence = window.setTimeout(() => {
			if (this.live === live && this.current === id)
				void this.load(id);
		}, RESUME_WAIT);
	}

	private dispatch(frame: ClientFrame): void {
		const size = new TextEncoder().encode(JSON.stringify(frame)).length;

		if (size <= FRAME_MAX && this.link?.send(frame))
			return;
		if (frame.type === 'stop_generation' ||
		    frame.type === 'tool_decision') {
			api('POST', frame.type === 'tool_decision' ?
			    '/api/chat/tool' : '/api/chat/stream', frame)
				.catch((error: unknown) =>
				    this.view.composer.problem(explain(error)));
			return;
		}
		postStream(frame, (event) => this.posted(event))
			.then(() => {
				if (this.live && this.current !== null)
					void this.load(this.current);
			})
			.catch((error: unknown) => this.refused(error));
	}

	/* Every open socket of the person hears the answer, ours as well: then
	 * the copy that comes as the reply is not wanted. */
	private posted(event: ServerEvent): void {
		const isAnswer = event.type === 'stream_chunk' ||
		    event.type === 'stream_done' || event.type === 'tool_call' ||
		    event.type === 'thinking';

		if (!isAnswer || this.link?.state !== 'open')
			this.event(event);
	}

	private refused(error: unknown): void {
		if (error instanceof ApiError && error.retryAfter > 0) {
			this.failed(undefined, '');
			this.view.composer.limited(error.retryAfter);
		} else if (!this.pending && this.live && this.current !== null &&
		    !(error instanceof ApiError)) {
			/* The stream broke; the answer goes on without us. */
			void this.load(this.current);
		} else {
			this.failed(undefined, explain(error));
		}
	}

	private saved(event: Saved): void {
		const { session_id: id, db_id: message, prompt } = event;
		const mine = this.pending?.frame.temp_id === event.temp_id ?
		    this.pending : null;

		this.conversations.touch(id);
		if (mine) {
			this.pending = null;
			mine.turn.id = message;
			if (this.current === null)
				this.adopt(id);
		} else if (prompt !== undefined && id === this.current &&
		    !this.shown(message)) {
			this.view.log.addUser(
			    questionOf({ content: prompt, images: null }), message,
			    new Date().toISOString());
			this.overheard();
		}
	}

	/* The new chat on the page has become that conversation. */
	private adopt(id: string): void {
		this.current = id;
		this.view.composer.adopt(id);
		this.view.opened(id);
		if (this.wish.project_id)
			this.view.listed();
	}

	/* An answer this tab did not ask for, perhaps instead of another. */
	private overheard(): Live {
		const live = this.begin();

		live.doubtful = true;
		return live;
	}

	private think(chunk: string): void {
		const { turn } = this.live ?? this.overheard();

		clearTimeout(this.silence);
		turn.think(turn.thoughts + chunk);
		this.view.log.sight();
	}

	private tool(run: ToolCall): void {
		const { turn } = this.live ?? this.overheard();

		clearTimeout(this.silence);
		turn.tool(run);
		if (run.status === 'asking')
			this.view.announcer.say(
			    `The model wants to use the tool ${run.name}. ` +
			    'Allow or deny it in the answer.');
		this.view.log.sight();
	}

	/** The log has the message of that row. */
	private shown(message: number): boolean {
		return this.view.log.turns.some((turn) => turn.id === message);
	}

	private chunk(event: ServerEvent & { type: 'stream_chunk' }): void {
		const live = this.live ?? this.overheard();

		clearTimeout(this.silence);
		switch (live.answer.apply(event)) {
		case 'gap':
			live.doubtful = true;
			this.resume();
			break;
		case 'applied':
			live.turn.grow(live.answer.text);
			this.view.announcer.grow(live.answer.text);
			this.view.composer.speed(joined(
			    tokenCount(event.tokens, event.is_estimated ?? true),
			    rate(event.tps)));
			break;
		case 'seen':
			break;
		}
	}

	private done(event: Done): void {
		const live = this.live;

		this.conversations.touch(event.session_id);
		if (event.session_id !== this.current)
			return;
		if (live ? live.doubtful : event.db_id && !this.shown(event.db_id)) {
			this.drop();
			void this.load(event.session_id);
			return;
		}
		if (!live)
			return;
		live.turn.id = event.db_id ?? null;
		live.turn.sources(event.sources);
		this.view.log.finish(live.turn, ending(event.finish_reason),
		    closing(event));
		this.view.announcer.finish(live.answer.text);
		this.drop();
	}

	private failed(id: string | undefined, error: string): void {
		const isBlock = /account has been blocked/.test(error);
		const text = error && !isBlock ? sentence(error) : '';

		if (id !== undefined && id !== this.current)
			return;
		if (isBlock)
			this.view.composer.blocked(error);
		if (this.pending)
			this.lose(text);
		else if (this.live)
			this.broken(this.live, text);
		else if (text)
			this.view.composer.problem(text);
	}

	/* An error of a running answer is followed by its stream_done, that of
	 * one that never began is not: then the log is as it was before. */
	private broken(live: Live, text: string): void {
		if (text) {
			this.trouble = text;
			live.turn.problem(text);
		}
		this.view.log.sight();
		clearTimeout(this.silence);
		this.silence = window.setTimeout(() => {
			if (this.live !== live || this.current === null)
				return;
			if (text)
				this.view.composer.problem(text);
			void this.load(this.current);
		}, ERROR_WAIT);
	}

	private lose(why: string): void {
		const lost = this.pending;

		this.pending = null;
		if (this.live)
			this.view.log.remove(this.live.turn);
		this.drop();
		if (!lost)
			return;
		this.giveBack(lost, why);
		/* What the correction was to replace is still there. */
		if (lost.edited !== null && this.current !== null)
			void this.load(this.current);
	}

	/* The message stays with its writer, who may try again. */
	private giveBack(lost: Pending, why: string): void {
		this.view.log.remove(lost.turn);
		this.view.composer.putBack(lost.turn.question, lost.edited);
		if (why)
			this.view.composer.problem(why);
		if (this.current === null && this.view.log.turns.length === 0)
			this.view.log.show(this.view.empty());
	}
}

function closing(event: Done): string {
	const seconds = (event.duration_ms ?? 0) / 1000;

	return joined(tokenCount(event.tokens, event.is_estimated),
	    event.tokens && seconds > 0 ? rate(event.tokens / seconds) : '');
}
