/* The log: the turns of the open conversation. */
import { sentence } from '../lib/api';
import { h } from '../lib/dom';
import { tokenCount } from '../lib/numbers';
import type { Message, Question } from '../lib/types';
import { AnswerTurn, ending, questionOf, type TurnListener, UserTurn }
	from './turn';

export type Turn = UserTurn | AnswerTurn;

const NEAR = 80;
const BONES_AFTER = 300;
const MARKED = 2500;

export class LogView {
	turns: Turn[] = [];
	private bones = 0;
	/** The reader is at the end: growing text keeps it in sight. */
	private follow = true;

	constructor(private readonly el: HTMLElement,
	    private readonly name: () => string,
	    private readonly listener: TurnListener) {
		el.addEventListener('scroll', () => {
			this.follow = el.scrollHeight - el.scrollTop -
			    el.clientHeight < NEAR;
		}, { passive: true });
		/* A picture takes its place when it has come. */
		el.addEventListener('load', () => this.sight(), { capture: true });
	}

	/** Empties the log; skeleton lines come if nothing else soon does. */
	clear(loading = false): void {
		clearTimeout(this.bones);
		this.turns = [];
		this.el.replaceChildren();
		this.el.setAttribute('aria-busy', String(loading));
		if (loading)
			this.bones = window.setTimeout(() => {
				this.el.replaceChildren(h('div', { class: 'bones' },
				    ...Array.from({ length: 6 }, () => h('i'))));
			}, BONES_AFTER);
	}

	show(content: Node): void {
		this.clear();
		this.el.append(content);
	}

	/** Shows a loaded thread from its start to its end. */
	load(messages: Message[]): void {
		this.clear();
		for (const message of messages)
			if (message.role === 'user')
				this.addUser(questionOf(message), message.id,
				    message.timestamp).pin(message.pinned ?? false);
			else if (message.role === 'assistant')
				this.addLoaded(message);
		this.bottom();
	}

	addUser(question: Question, id: number | null, when: string): UserTurn {
		return this.add(new UserTurn(question, id, when, this.name(),
		    this.listener));
	}

	/** An answer that has yet to come. */
	addLive(model: string): AnswerTurn {
		const turn = this.addAnswer(model);

		turn.begin();
		this.bottom();
		return turn;
	}

	/** The answer is over; the actions of the last one are for it. */
	finish(turn: AnswerTurn, ...how: Parameters<AnswerTurn['finish']>): void {
		turn.finish(...how);
		turn.last(turn === this.last());
		this.sight();
	}

	remove(turn: Turn): void {
		turn.el.remove();
		this.turns = this.turns.filter((other) => other !== turn);
		this.isLast(true);
	}

	/** Takes a turn out, and all that follow it. */
	cut(turn: Turn): void {
		for (const gone of this.turns.slice(this.turns.indexOf(turn)))
			this.remove(gone);
	}

	/** Marks the question that is being corrected, or none. */
	mark(id: number | null): void {
		for (const turn of this.turns)
			if (turn instanceof UserTurn)
				turn.under(id !== null && turn.id === id);
	}

	/** Brings a message into sight and marks it for a moment. */
	reveal(id: number): void {
		const el = this.turns.find((turn) => turn.id === id)?.el;

		if (!el)
			return;
		this.follow = false;
		el.tabIndex = -1;
		el.scrollIntoView({ block: 'start' });
		el.focus({ preventScroll: true });
		el.classList.add('revealed');
		setTimeout(() => el.classList.remove('revealed'), MARKED);
	}

	last(): Turn | undefined {
		return this.turns.at(-1);
	}

	/** What changed stays in sight for whoever reads the end. */
	sight(): void {
		if (this.follow)
			this.bottom();
	}

	bottom(): void {
		this.el.scrollTop = this.el.scrollHeight;
	}

	private addLoaded(message: Message): void {
		const turn = this.addAnswer(message.model ?? '');

		turn.id = message.id;
		turn.pin(message.pinned ?? false);
		turn.text = message.content;
		if (message.thinking)
			turn.think(message.thinking);
		for (const run of message.tools ?? [])
			turn.tool(run);
		turn.sources(message.sources);
		if (message.error)
			turn.problem(sentence(message.error), false);
		turn.finish(ending(message.state) ?? ending(message.finish_reason),
		    tokenCount(message.tokens, message.is_estimated));
	}

	private addAnswer(model: string): AnswerTurn {
		return this.add(new AnswerTurn(model, this.listener,
		    () => this.sight()));
	}

	private add<T extends Turn>(turn: T): T {
		if (this.turns.length === 0)
			this.clear();
		this.isLast(false);
		this.turns.push(turn);
		this.el.append(turn.el);
		return turn;
	}

	/* The last answer offers more than those before it. */
	private isLast(yes: boolean): void {
		const last = this.last();

		if (last instanceof AnswerTurn)
			last.last(yes);
	}
}
