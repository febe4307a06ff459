/* A second conversation beside the open one, only to read. */
import { api, explain } from '../lib/api';
import { ask } from '../lib/dialog';
import { byId, h } from '../lib/dom';
import { field } from '../lib/field';
import { joined, tokenCount } from '../lib/numbers';
import type { Conversation, Thread } from '../lib/types';
import { path } from './conversations';
import { LogView } from './log-view';

const nothing = (): void => undefined;

export class Compare {
	private readonly main = byId('main', HTMLElement);
	private readonly el = byId('beside', HTMLElement);
	private readonly heading = byId('beside-h', HTMLElement);
	private readonly numbers = byId('beside-sum', HTMLElement);
	private readonly log: LogView;

	constructor(name: () => string) {
		this.log = new LogView(byId('beside-log', HTMLElement), name, {
			edit: nothing, regenerate: nothing, goOn: nothing,
			decide: nothing, fork: nothing, pin: nothing,
		});
		byId('beside-close', HTMLElement)
			.addEventListener('click', () => this.close());
	}

	/** Asks which one, and shows it. */
	async choose(open: Conversation, all: Conversation[]): Promise<void> {
		const others = all.filter(({ id }) => id !== open.id)
			.sort((a, b) => b.updated_at.localeCompare(a.updated_at));
		const select = h('select', {}, ...others.map(({ id, title }) =>
		    h('option', { value: id }, title)));

		if (others.length === 0)
			throw new Error('There is no other conversation to compare ' +
			    'this one with.');
		const chosen = await ask({
			title: `Compare “${open.title}”`,
			content: [field('With', select)],
			verb: 'Compare',
		});
		const other = others.find(({ id }) => id === select.value);

		if (chosen && other)
			await this.show(other);
	}

	close(): void {
		this.el.hidden = true;
		this.main.classList.remove('comparing');
		this.log.clear();
	}

	/** True when Escape had something to close here. */
	escape(): boolean {
		if (this.el.hidden)
			return false;
		this.close();
		return true;
	}

	private async show(other: Conversation): Promise<void> {
		this.heading.textContent = other.title;
		this.numbers.textContent = '';
		this.el.hidden = false;
		this.main.classList.add('comparing');
		this.log.clear(true);
		this.heading.focus();
		try {
			const thread = await api<Thread>('GET',
			    `/api/chat/${path(other.id)}`);

			this.log.load(thread.messages);
			this.numbers.textContent = joined(thread.model ?? '',
			    `${thread.messages.length} messages`,
			    tokenCount(other.total_tokens));
		} catch (error) {
			this.log.show(h('p', { class: 'problem', role: 'alert' },
			    explain(error)));
		}
	}
}
