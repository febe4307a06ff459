/*
 * A slash at the start of the message and the first letters of a prompt's
 * name: the prompts that are meant, over the message box.
 */
import { byId, h } from '../lib/dom';
import type { Prompt } from '../lib/types';
import { type Prompts, slug } from './prompts';

const MOST = 6;

export class Completion {
	private readonly box = byId('message', HTMLTextAreaElement);
	private readonly list = byId('completion', HTMLElement);
	private found: Prompt[] = [];
	private at = 0;

	constructor(private readonly prompts: Prompts,
	    private readonly use: (text: string) => void,
	    private readonly act: (work: Promise<unknown>) => void) {
		this.box.addEventListener('input', () => this.look());
		this.box.addEventListener('blur', () => this.close());
		/* Before the composer takes Enter for "send". */
		this.box.form?.addEventListener('keydown',
		    (event) => this.key(event), { capture: true });
	}

	private look(): void {
		const typed = /^\/(\S*)$/.exec(this.box.value)?.[1];

		this.found = typed === undefined ? [] :
		    this.prompts.matching(typed).slice(0, MOST);
		this.at = 0;
		this.draw();
		if (typed !== undefined)
			this.act(this.prompts.need().then((isNew) => {
				if (isNew)
					this.look();
			}));
	}

	private close(): void {
		this.found = [];
		this.draw();
	}

	private choose(prompt: Prompt): void {
		this.close();
		this.box.value = '';
		this.use(prompt.content);
	}

	private key(event: KeyboardEvent): void {
		const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
		const chosen = this.found[this.at];

		if (!chosen || event.isComposing || event.target !== this.box)
			return;
		if (step !== undefined) {
			this.at = (this.at + step + this.found.length) %
			    this.found.length;
			this.draw();
		} else if (event.key === 'Enter' || event.key === 'Tab') {
			this.choose(chosen);
		} else if (event.key === 'Escape') {
			this.close();
		} else {
			return;
		}
		event.preventDefault();
		event.stopPropagation();
	}

	private draw(): void {
		this.list.hidden = this.found.length === 0;
		this.list.replaceChildren(...this.found.map((prompt, i) =>
		    h('div', {
			    id: `completion-${i}`, role: 'option',
			    'aria-selected': String(i === this.at),
			    on: {
				    /* The box keeps the focus. */
				    pointerdown: (event) => {
					    event.preventDefault();
					    this.choose(prompt);
				    },
			    },
		    }, h('b', { class: 'mono' }, `/${slug(prompt.title)}`),
		    h('span', {}, prompt.content))));
		if (this.found.length)
			this.box.setAttribute('aria-activedescendant',
			    `completion-${this.at}`);
		else
			this.box.removeAttribute('aria-activedescendant');
	}
}
