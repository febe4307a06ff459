/*
 * Search in the messages: asked while the person types, shown under the
 * titles that match, and led by what narrows it.
 */
import { api, explain } from '../lib/api';
import { byId, control, h } from '../lib/dom';
import { highlighted } from '../lib/snippet';
import { timeElement } from '../lib/time';
import type { Hit } from '../lib/types';
import { path } from './conversations';

const PAUSE = 200;
const SHORTEST = 2;
const PAGE = 20;

const ROLES: Record<string, string> = {
	user: 'you', assistant: 'answer', tool: 'tool', system: 'system',
	title: 'title',
};

export class Search {
	readonly el = h('section', { class: 'found', 'aria-label': 'Messages' });
	private readonly form = byId('criteria', HTMLFormElement);
	private readonly fold = byId('narrow', HTMLButtonElement);
	private readonly status = byId('found-status', HTMLElement);
	private words = '';
	private hits: Hit[] = [];
	private more = false;
	private asked = 0;
	private timer = 0;

	/** `changed` runs when the filters were changed. */
	constructor(changed: () => void) {
		this.fold.addEventListener('click', () =>
		    this.unfold(this.form.hidden));
		this.form.addEventListener('submit', (event) =>
		    event.preventDefault());
		this.form.addEventListener('input', () => {
			this.fold.classList.toggle('on', this.criteria().length > 0);
			changed();
		});
		this.form.addEventListener('reset', () => setTimeout(() => {
			this.fold.classList.remove('on');
			changed();
		}));
	}

	/** What there is to narrow by. */
	offer(name: 'project_id' | 'tag', choices: [string, string][]): void {
		const select = control(this.form, name, HTMLSelectElement);
		const { value } = select;

		select.replaceChildren(h('option', { value: '' }, 'any'),
		    ...choices.map(([id, title]) =>
		        h('option', { value: id }, title)));
		select.value = choices.some(([id]) => id === value) ? value : '';
	}

	/** Looks for the words, a moment after the last change of them. */
	look(words: string): void {
		clearTimeout(this.timer);
		this.asked++;
		this.words = words;
		if (words.length < SHORTEST) {
			this.hits = [];
			this.status.textContent = '';
			this.el.replaceChildren(...(words === '' ? [] : [
				h('p', { class: 'note' }, 'One more letter searches in ' +
				    'the messages as well.')]));
			return;
		}
		this.el.setAttribute('aria-busy', 'true');
		if (!this.el.hasChildNodes())
			this.el.append(h('h2', {}, 'Messages'),
			    h('p', { class: 'note' }, 'Searching …'));
		this.timer = window.setTimeout(() => void this.ask(0), PAUSE);
	}

	/** True when Escape had something to close here. */
	escape(): boolean {
		if (this.form.hidden)
			return false;
		this.unfold(false);
		this.fold.focus();
		return true;
	}

	private unfold(open: boolean): void {
		this.form.hidden = !open;
		this.fold.setAttribute('aria-expanded', String(open));
		if (open)
			this.form.querySelector('select')?.focus();
	}

	private criteria(): [string, string][] {
		return [...new FormData(this.form)].flatMap(
		    ([name, value]): [string, string][] =>
		        typeof value === 'string' && value.trim() ?
		            [[name, value.trim()]] : []);
	}

	private async ask(offset: number): Promise<void> {
		const turn = ++this.asked;
		const query = new URLSearchParams([
			['q', this.words], ...this.criteria(),
			['limit', String(PAGE)], ['offset', String(offset)],
		]);

		try {
			const hits = await api<Hit[]>('GET', `/api/search?${query}`);

			if (turn !== this.asked)
				return;
			this.hits = offset ? [...this.hits, ...hits] : hits;
			this.more = hits.length === PAGE;
			this.draw();
		} catch (error) {
			if (turn === this.asked)
				this.failed(explain(error), offset);
		}
	}

	private draw(): void {
		const count = this.hits.length;

		this.el.removeAttribute('aria-busy');
		this.status.textContent = count === 0 ? 'No message found.' :
		    `${count}${this.more ? ' or more' : ''} ` +
		    (count === 1 ? 'message found.' : 'messages found.');
		this.el.replaceChildren(h('h2', {}, 'Messages'),
		    count ? h('ul', {}, ...this.hits.map(row)) :
		        h('p', { class: 'note' }, this.criteria().length ?
		            'No message has these words under these filters.' :
		            'No message has these words. Try fewer of them.'));
		if (this.more)
			this.el.append(h('button', {
				type: 'button', class: 'btn',
				on: { click: () => void this.ask(count) },
			}, 'Show more messages'));
	}

	private failed(sentence: string, offset: number): void {
		this.el.removeAttribute('aria-busy');
		this.el.replaceChildren(h('h2', {}, 'Messages'),
		    h('p', { class: 'problem', role: 'alert' }, sentence),
		    h('button', {
			    type: 'button', class: 'btn',
			    on: { click: () => void this.ask(offset) },
		    }, 'Try again'));
	}
}

function row(hit: Hit): HTMLElement {
	return h('li', {}, h('a', {
		class: 'hit', href: `#${path(hit.session_id)}` +
		    (hit.id === null ? '' : `/${hit.id}`),
	},
	    h('span', { class: 'hit-title' }, hit.session_title),
	    h('span', { class: 'snippet' }, ...highlighted(hit.snippet,
	        hit.marks)),
	    h('small', { class: 'mono' }, ROLES[hit.role] ?? hit.role, ' · ',
	        timeElement(hit.timestamp))));
}
