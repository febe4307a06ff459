/* The log: the turns of the open conversation. */
import { copy } from '../lib/clipboard';
import { h, iconButton } from '../lib/dom';
import { timeElement } from '../lib/time';
import type { Message } from '../lib/types';
import { MarkdownView } from './markdown-view';

export interface Turn {
	readonly el: HTMLElement;
	readonly role: 'user' | 'assistant';
	/** The row's id once the server has said it. */
	id: number | null;
	text: string;
	view: MarkdownView | null;
	body: HTMLElement;
	acts: HTMLElement;
}

const ENDS: Record<string, string> = {
	stopped: 'stopped',
	failed: 'the provider failed',
	interrupted: 'interrupted',
};
const NEAR = 80;
const BONES_AFTER = 300;

export class LogView {
	turns: Turn[] = [];
	private bones = 0;
	/** The reader is at the end: growing text keeps it in sight. */
	private follow = true;

	constructor(private readonly el: HTMLElement,
	    private readonly name: () => string,
	    private readonly regenerate: () => void) {
		el.addEventListener('scroll', () => {
			this.follow = el.scrollHeight - el.scrollTop -
			    el.clientHeight < NEAR;
		}, { passive: true });
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
				this.addUser(message.content, message.id,
				    message.timestamp);
			else if (message.role === 'assistant')
				this.addLoaded(message);
		this.bottom();
	}

	addUser(text: string, id: number | null, when: string): Turn {
		const body = h('div', { class: 'body' }, text);
		const acts = h('div', { class: 'acts' },
		    iconButton('copy', 'Copy', () => void copy(text)));
		const el = h('article', { class: 'turn user' },
		    h('h2', { class: 'who' }, this.name(), ' · ',
		        timeElement(when)), body, acts);

		return this.add({ el, role: 'user', id, text, view: null, body, acts });
	}

	/** An answer that has yet to come. */
	addLive(model: string): Turn {
		const turn = this.addAnswer(model);

		turn.body.classList.add('live');
		turn.el.setAttribute('aria-live', 'off');
		turn.el.setAttribute('aria-busy', 'true');
		this.bottom();
		return turn;
	}

	grow(turn: Turn, text: string): void {
		turn.text = text;
		turn.view?.update(text);
	}

	/** The answer is whole (or stopped): its actions and its numbers. */
	finish(turn: Turn, numbers: string): void {
		turn.view?.flush(turn.text);
		turn.body.classList.remove('live');
		turn.el.removeAttribute('aria-busy');
		turn.acts.replaceChildren(
		    iconButton('copy', 'Copy', () => void copy(turn.text)),
		    iconButton('again', 'Regenerate', () => this.regenerate()),
		    h('small', {}, numbers));
		this.onlyLastRegenerates();
	}

	problem(turn: Turn, sentence: string): void {
		turn.acts.before(h('p', { class: 'problem', role: 'alert' },
		    sentence));
		this.bottom();
	}

	tool(turn: Turn, name: string, status: string): void {
		const state = /^(done|ok|success)$/.test(status) ? 'done' :
		    /^(error|failed)$/.test(status) ? 'failed' : 'waiting';
		const lines = turn.el.querySelectorAll<HTMLElement>('.tool');
		const open = [...lines].reverse().find((line) =>
		    line.dataset['name'] === name &&
		    line.classList.contains('waiting'));
		const line = open ?? h('div', { 'data-name': name });

		line.className = `tool ${state}`;
		line.textContent = `${name} · ${state}`;
		if (!open)
			turn.body.before(line);
	}

	remove(turn: Turn): void {
		turn.el.remove();
		this.turns = this.turns.filter((other) => other !== turn);
	}

	last(): Turn | undefined {
		return this.turns.at(-1);
	}

	bottom(): void {
		this.el.scrollTop = this.el.scrollHeight;
	}

	private addLoaded(message: Message): void {
		const turn = this.addAnswer(message.model ?? '');

		turn.id = message.id;
		turn.text = message.content;
		this.finish(turn, [
			message.tokens ? `${message.tokens} tokens` : '',
			ENDS[message.state ?? 'complete'] ?? '',
		].filter(Boolean).join(' · '));
	}

	private addAnswer(model: string): Turn {
		const body = h('div', { class: 'body prose' });
		const acts = h('div', { class: 'acts' });
		const el = h('article', { class: 'turn' },
		    h('h2', { class: 'who' }, model || 'answer'), body, acts);
		const view = new MarkdownView(body, () => {
			if (this.follow)
				this.bottom();
		});

		return this.add({
			el, role: 'assistant', id: null, text: '', view, body, acts,
		});
	}

	private add(turn: Turn): Turn {
		if (this.turns.length === 0)
			this.clear();
		this.turns.push(turn);
		this.el.append(turn.el);
		this.onlyLastRegenerates();
		return turn;
	}

	private onlyLastRegenerates(): void {
		const last = this.last();

		for (const turn of this.turns)
			for (const button of turn.acts.querySelectorAll<HTMLElement>(
			    '[aria-label="Regenerate"]'))
				button.hidden = turn !== last;
	}
}
