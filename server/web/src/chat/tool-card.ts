/*
 * A tool run in an answer: one line that opens to what was asked and what
 * came of it.  All of it is the model's or a stranger's text, never markup.
 */
import { h } from '../lib/dom';
import type { ToolRun } from '../lib/types';

const STATES: Record<ToolRun['status'], string> = {
	asking: 'waiting for you',
	running: 'running',
	done: 'done',
	failed: 'failed',
	denied: 'not allowed',
};

/* JSON laid out for reading; anything else as it is. */
function pretty(value: unknown): string {
	if (value === null || value === undefined)
		return '';
	if (typeof value !== 'string')
		return JSON.stringify(value, null, 2);
	try {
		const parsed: unknown = JSON.parse(value);

		return parsed && typeof parsed === 'object' ?
		    JSON.stringify(parsed, null, 2) : value;
	} catch {
		return value;
	}
}

export class ToolCard {
	readonly el = h('div', { class: 'tool' });
	private readonly state = h('span', { class: 'state' });
	private readonly details: HTMLDetailsElement;
	private readonly parts = h('div', { class: 'run' });
	private readonly question = h('div', { class: 'decide' });

	constructor(private readonly name: string,
	    private readonly decide: (allow: boolean) => void) {
		this.details = h('details', {},
		    h('summary', {}, h('span', {}, name), this.state), this.parts);
		this.el.append(this.details, this.question);
	}

	show(run: ToolRun): void {
		const asks = run.status === 'asking';

		this.el.className = `tool is-${run.status}`;
		this.state.textContent = STATES[run.status] ?? run.status;
		this.parts.replaceChildren(
		    ...this.part('Arguments', pretty(run.arguments)),
		    ...this.part('Result', pretty(run.result)),
		    ...this.part('Error', pretty(run.error)));
		if (asks && !this.question.hasChildNodes())
			this.ask();
		else if (!asks)
			this.settle();
	}

	/** Nobody waits for an answer any more. */
	settle(): void {
		this.question.replaceChildren();
	}

	/* Whoever allows a call must have seen what it asks for. */
	private ask(): void {
		const button = (label: string, allow: boolean): HTMLElement =>
		    h('button', {
		        type: 'button', class: 'btn',
		        'aria-label': `${label} ${this.name}`,
		        on: {
		            click: () => {
			            for (const b of this.question
				            .querySelectorAll('button'))
				            b.disabled = true;
			            this.decide(allow);
		            },
		        },
		    }, label);

		this.details.open = true;
		this.question.replaceChildren(
		    h('span', {}, 'The model wants to use this tool.'),
		    button('Allow', true), button('Deny', false));
	}

	private part(title: string, text: string): Node[] {
		return text === '' ? [] : [
			h('h3', {}, title),
			h('pre', {
				tabindex: 0, role: 'group',
				'aria-label': `${title} of ${this.name}`,
			}, text),
		];
	}
}
