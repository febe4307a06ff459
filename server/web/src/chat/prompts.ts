/*
 * The prompt library: one's own prompts and everybody's.  The panel lists
 * them; a click puts one into the message.
 */
import { api } from '../lib/api';
import { ask } from '../lib/dialog';
import { h, icon, iconButton } from '../lib/dom';
import { field } from '../lib/field';
import { toast } from '../lib/toast';
import type { Prompt } from '../lib/types';
import type { Panel } from './panel';

const TITLE = 'Prompts';
const EXCERPT = 120;
const KEY = 'prompts';

/* Signing out empties the store. */
function kept(): Prompt[] {
	return JSON.parse(sessionStorage.getItem(KEY) ?? '[]') as Prompt[];
}

export interface PromptsListener {
	use(text: string): void;
	act(work: Promise<unknown>): void;
	isAdmin(): boolean;
}

/** What a prompt is called after a slash. */
export function slug(title: string): string {
	return title.trim().toLocaleLowerCase().replace(/\s+/g, '-');
}

export class Prompts {
	/** As this tab last saw them. */
	list: Prompt[] = kept();
	private isFresh = false;
	private wanted = '';
	private readonly rows = h('ul', { class: 'plain' });

	constructor(private readonly panel: Panel,
	    private readonly listener: PromptsListener) {
	}

	async refresh(): Promise<void> {
		this.list = await api<Prompt[]>('GET', '/api/prompts');
		this.isFresh = true;
		sessionStorage.setItem(KEY, JSON.stringify(this.list));
		this.draw();
	}

	/** Reads them unless this page did so before; true when it had to. */
	async need(): Promise<boolean> {
		if (this.isFresh)
			return false;
		await this.refresh();
		return true;
	}

	/** Those whose name or title has the text, names that begin so first. */
	matching(text: string): Prompt[] {
		const wanted = text.toLocaleLowerCase();
		const starts = (prompt: Prompt): boolean =>
		    slug(prompt.title).startsWith(wanted);

		return this.list.filter(({ title }) => slug(title).includes(wanted))
			.sort((a, b) => Number(starts(b)) - Number(starts(a)));
	}

	/** Shows the library in the panel. */
	open(): void {
		const box = h('input', {
			type: 'search', placeholder: 'Filter', autocomplete: 'off',
			'aria-label': 'Filter the prompts',
		});

		this.wanted = '';
		box.addEventListener('input', () => {
			this.wanted = box.value.trim();
			this.draw();
		});
		this.draw();
		this.panel.show(TITLE,
		    h('div', { class: 'beside-field' }, box, h('button', {
			    type: 'button', class: 'btn',
			    on: { click: () => this.listener.act(this.edit(null)) },
		    }, icon('plus'), 'New')),
		    this.rows,
		    h('p', { class: 'note' }, 'In the message box, a slash and the ' +
		        'first letters of a prompt’s name find it as well.'));
		this.listener.act(this.refresh());
	}

	/** Asks for a prompt's words: of a new one, or to change it. */
	async edit(prompt: Prompt | null, content = ''): Promise<void> {
		const title = h('input', {
			value: prompt?.title ?? '', maxlength: 200, required: true,
			autocomplete: 'off',
		});
		const text = h('textarea', { class: 'input', rows: 8 },
		    prompt?.content ?? content);
		const everybody = h('input', { type: 'checkbox' });

		await ask({
			title: prompt ? 'Change the prompt' : 'New prompt',
			content: [
				field('Title', title), field('Text', text),
				...(prompt === null && this.listener.isAdmin() ? [
					h('label', { class: 'check' }, everybody,
					    'For everybody on this server')] : []),
			],
			verb: 'Save',
			act: async () => {
				const body = {
					title: title.value.trim(), content: text.value,
					...(everybody.checked ? { is_global: true } : {}),
				};

				if (!body.title || !body.content.trim())
					throw new Error('A prompt needs a title and a text.');
				await (prompt ?
				    api('PUT', `/api/prompts/${prompt.id}`, body) :
				    api('POST', '/api/prompts', body));
				await this.refresh();
				toast('The prompt is saved.');
			},
		});
	}

	private async remove(prompt: Prompt): Promise<void> {
		await ask({
			title: `Delete the prompt “${prompt.title}”?`,
			content: prompt.is_global ?
			    ['It is everybody’s: nobody has it any more then.'] : [],
			verb: 'Delete',
			danger: true,
			act: async () => {
				await api('DELETE', `/api/prompts/${prompt.id}`);
				await this.refresh();
			},
		});
	}

	private draw(): void {
		const found = this.matching(slug(this.wanted));

		this.rows.replaceChildren(...found.map((prompt) => this.row(prompt)),
		    ...(found.length ? [] : [h('li', { class: 'note' },
		        this.list.length ? 'No prompt is called so.' :
		            'Prompts that you write often belong here: save one ' +
		            'with New.')]));
	}

	private row(prompt: Prompt): HTMLElement {
		const { title, content } = prompt;
		const mine = !prompt.is_global || this.listener.isAdmin();
		const act = (work: () => Promise<void>) => () =>
			this.listener.act(work());

		return h('li', { class: 'with-acts' },
		    h('button', {
			    type: 'button', class: 'entry', title: 'Put it into the message',
			    on: { click: () => this.listener.use(content) },
		    }, h('span', { class: 'hit-title' }, title),
		    h('span', {}, content.length > EXCERPT ?
		        `${content.slice(0, EXCERPT)} …` : content),
		    prompt.is_global && h('small', { class: 'mono' }, 'everybody’s')),
		    ...(mine ? [
			    iconButton('edit', `Change “${title}”`,
			        act(() => this.edit(prompt))),
			    iconButton('trash', `Delete “${title}”`,
			        act(() => this.remove(prompt))),
		    ] : []));
	}
}
