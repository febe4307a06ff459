/* The turns of a conversation on the page: questions and answers. */
import { copy } from '../lib/clipboard';
import { h, iconButton } from '../lib/dom';
import { pictureSource } from '../lib/picture';
import { timeElement } from '../lib/time';
import type { AttachedFile, Message, Question, Source, ToolRun } from '../lib/types';
import { splitFile } from './attached-file';
import { MarkdownView } from './markdown-view';
import { ToolCard } from './tool-card';

export interface TurnListener {
	edit(turn: UserTurn): void;
	regenerate(): void;
	goOn(): void;
	decide(call: number, allow: boolean): void;
	/** A branch that begins behind this message. */
	fork(turn: UserTurn | AnswerTurn): void;
	pin(turn: UserTurn | AnswerTurn): void;
}

const LONG_TEXT = 2500;
const LONG_LINES = 30;

/** How an answer ended, if it did not end by itself. */
export type Ending = 'length' | 'stopped' | 'failed' | 'interrupted' |
    'content_filter' | null;

const ENDINGS: Record<Exclude<Ending, null>, string> = {
	length: 'The answer reached the length limit.',
	stopped: 'The answer was stopped.',
	failed: 'The provider failed while it was answering.',
	interrupted: 'The answer was interrupted: the program that wrote it ' +
	    'ended.',
	content_filter: 'The provider’s content filter ended the answer.',
};

/** The ending that a state or a finish reason tells of. */
export function ending(reason: string | null | undefined): Ending {
	if (reason === 'error')
		return 'failed';
	return reason && reason in ENDINGS ? reason as Ending : null;
}

/* The buttons that every message has, and whether it is pinned. */
class Common {
	pinned = false;
	private readonly pinButton: HTMLButtonElement;
	readonly acts: HTMLElement[];

	constructor(turn: UserTurn | AnswerTurn, listener: TurnListener) {
		this.pinButton = iconButton('pin', 'Pin this message',
		    () => listener.pin(turn));
		this.acts = [
			iconButton('branch', 'Fork here', () => listener.fork(turn)),
			this.pinButton,
			iconButton('save', 'Export this message', () => {
				if (turn.id !== null)
					h('a', {
						href: `/api/messages/${turn.id}/export?format=md`,
						download: true,
					}).click();
			}),
		];
	}

	pin(turn: UserTurn | AnswerTurn, yes: boolean): void {
		const label = yes ? 'Unpin this message' : 'Pin this message';

		this.pinned = yes;
		turn.el.classList.toggle('pinned', yes);
		this.pinButton.setAttribute('aria-label', label);
		this.pinButton.title = label;
	}
}

export class UserTurn {
	readonly role = 'user';
	readonly el: HTMLElement;
	private readonly common: Common;
	/** The row's id once the server has said it. */
	id: number | null;

	constructor(readonly question: Question, id: number | null, when: string,
	    name: string, listener: TurnListener) {
		const { text, images, file } = question;

		this.id = id;
		this.common = new Common(this, listener);
		this.el = h('article', { class: 'turn user' },
		    h('h2', { class: 'who' }, name, ' · ', timeElement(when)),
		    text !== '' && this.words(text), this.pictures(images),
		    file && attached(file),
		    h('div', { class: 'acts' },
		        iconButton('edit', 'Edit', () => listener.edit(this)),
		        iconButton('copy', 'Copy', () => void copy(text)),
		        ...this.common.acts));
	}

	get pinned(): boolean {
		return this.common.pinned;
	}

	pin(yes: boolean): void {
		this.common.pin(this, yes);
	}

	/** Marks the message that is being corrected. */
	under(correction: boolean): void {
		this.el.classList.toggle('edited', correction);
	}

	private words(text: string): HTMLElement {
		const body = h('div', { class: 'body' }, text);

		if (text.length <= LONG_TEXT && text.split('\n').length <= LONG_LINES)
			return body;
		const all = h('button', {
			type: 'button', class: 'link', 'aria-expanded': 'false',
			on: {
				click: () => {
					const isShort = body.classList.toggle('folded');

					all.textContent = isShort ? 'Show all' : 'Show less';
					all.setAttribute('aria-expanded', String(!isShort));
				},
			},
		}, 'Show all');

		body.classList.add('folded');
		return h('div', { class: 'long' }, body, all);
	}

	private pictures(images: string[]): HTMLElement | null {
		const shown = images.flatMap((data, i) => {
			const src = pictureSource(data);

			return src ? [h('img', { src, alt: `Picture ${i + 1}` })] : [];
		});

		return shown.length ? h('div', { class: 'pictures' }, ...shown) :
		    null;
	}
}

function attached(file: AttachedFile): HTMLElement {
	return h('details', { class: 'file' },
	    h('summary', {}, file.filename),
	    h('pre', {
	        tabindex: 0, role: 'group',
	        'aria-label': `Content of ${file.filename}`,
	    }, file.content));
}

/** The question that a message of the server keeps. */
export function questionOf(message: Pick<Message, 'content' | 'images'>):
Question {
	return { ...splitFile(message.content), images: message.images ?? [] };
}

export class AnswerTurn {
	readonly role = 'assistant';
	readonly el: HTMLElement;
	readonly body = h('div', { class: 'body prose' });
	id: number | null = null;
	text = '';
	thoughts = '';
	private readonly view: MarkdownView;
	private readonly tools = h('div', { class: 'tools' });
	private readonly cards = new Map<number, ToolCard>();
	private readonly read = h('ul', { class: 'sources',
	    'aria-label': 'Sources' });
	private readonly close = h('div', { class: 'ending' });
	private readonly acts = h('div', { class: 'acts' });
	private thinking: HTMLElement | null = null;
	private sentence = '';
	private isNews = false;
	private readonly common: Common;

	constructor(readonly model: string, private readonly listener: TurnListener,
	    drawn: () => void) {
		this.common = new Common(this, listener);
		this.view = new MarkdownView(this.body, drawn);
		this.el = h('article', { class: 'turn' },
		    h('h2', { class: 'who' }, model || 'answer'), this.tools,
		    this.body, this.read, this.close, this.acts);
		this.read.hidden = true;
	}

	get pinned(): boolean {
		return this.common.pinned;
	}

	pin(yes: boolean): void {
		this.common.pin(this, yes);
	}

	/** It has yet to come, or goes on. */
	begin(): void {
		this.sentence = '';
		this.body.classList.add('live');
		this.el.setAttribute('aria-live', 'off');
		this.el.setAttribute('aria-busy', 'true');
		this.close.replaceChildren();
		this.acts.replaceChildren();
	}

	grow(text: string): void {
		this.text = text;
		this.view.update(text);
	}

	/** What the model thought before it spoke; folded, plain text. */
	think(text: string): void {
		this.thoughts = text;
		if (!this.thinking) {
			this.thinking = h('div', {
				class: 'thoughts', tabindex: 0, role: 'group',
				'aria-label': 'Thinking',
			});
			this.tools.before(h('details', { class: 'thinking' },
			    h('summary', {}, 'Thinking'), this.thinking));
		}
		this.thinking.textContent = text;
	}

	/** A tool run came, or changed its state.  True when it is new. */
	tool(run: ToolRun): boolean {
		const known = this.cards.get(run.call_id);
		const card = known ?? new ToolCard(run.name,
		    (allow) => this.listener.decide(run.call_id, allow));

		card.show(run);
		if (!known) {
			this.cards.set(run.call_id, card);
			this.tools.append(card.el);
		}
		return !known;
	}

	/** What the answer was given to read, by its numbers. */
	sources(sources: Source[] | null | undefined): void {
		this.read.hidden = !sources?.length;
		this.read.replaceChildren(...(sources ?? []).map((source) =>
		    h('li', {}, h('b', {}, String(source.n)), ' ', source.filename,
		        source.page ? ` · p. ${source.page}` :
		            source.line ? ` · line ${source.line}` : '')));
	}

	/** Why it broke off; kept when the end comes.  Only news are an alert. */
	problem(sentence: string, isNews = true): void {
		this.sentence = sentence;
		this.isNews = isNews;
		this.end('failed');
	}

	/** The answer is whole or over: its actions and its numbers. */
	finish(how: Ending, numbers: string): void {
		this.view.flush(this.text);
		this.body.classList.remove('live');
		this.el.removeAttribute('aria-busy');
		for (const card of this.cards.values())
			card.settle();
		this.end(how);
		this.acts.replaceChildren(
		    iconButton('copy', 'Copy', () => void copy(this.text)),
		    iconButton('again', 'Regenerate',
		        () => this.listener.regenerate()),
		    ...this.common.acts,
		    h('small', {}, numbers));
	}

	/** Only the last answer of a conversation can be acted on. */
	last(is: boolean): void {
		for (const button of this.el.querySelectorAll<HTMLElement>(
		    '[aria-label="Regenerate"], .ending button'))
			button.hidden = !is;
	}

	private end(how: Ending): void {
		const broken = how === 'failed' || how === 'interrupted';
		const act = (label: string, run: () => void): HTMLElement =>
		    h('button', { type: 'button', class: 'btn', on: { click: run } },
		        label);

		this.close.className = how && broken ? 'ending problem' : 'ending';
		if (how === null)
			return this.close.replaceChildren();
		this.close.replaceChildren(
		    h('span', broken && this.sentence && this.isNews ?
		        { role: 'alert' } : {},
		        (broken && this.sentence) || ENDINGS[how]),
		    this.text !== '' &&
		        act('Continue', () => this.listener.goOn()) || '',
		    broken ? act('Try again', () => this.listener.regenerate()) : '');
	}
}
