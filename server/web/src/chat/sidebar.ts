/* The list of conversations: groups, filter, and a sheet on phones. */
import { byId, h } from '../lib/dom';
import { daysAgo } from '../lib/time';
import type { Conversation } from '../lib/types';

const narrow = matchMedia('(max-width: 760px)');

function group(conversation: Conversation): string {
	const days = daysAgo(conversation.updated_at);

	if (conversation.archived)
		return 'Archived';
	if (conversation.pinned)
		return 'Pinned';
	return days <= 0 ? 'Today' : days <= 7 ? 'Last week' : 'Older';
}

export class Sidebar {
	private readonly side = byId('side', HTMLElement);
	private readonly list = byId('list', HTMLElement);
	private readonly main = byId('main', HTMLElement);
	private readonly filter = byId('filter', HTMLInputElement);
	private readonly opener = byId('side-open', HTMLElement);
	private archivedOpen = false;
	private shown: Conversation[] = [];
	private current: string | null = null;
	private more = false;

	constructor(private readonly loadMore: () => void) {
		this.filter.addEventListener('input', () => this.draw());
		this.opener.addEventListener('click', () => this.open());
		byId('side-close', HTMLElement)
			.addEventListener('click', () => this.close());
		byId('shade', HTMLElement)
			.addEventListener('click', () => this.close());
		narrow.addEventListener('change', () => this.close());
		this.list.addEventListener('click', (event) => {
			if ((event.target as Element).closest('a'))
				this.close();
		});
	}

	show(conversations: Iterable<Conversation>, current: string | null,
	    more: boolean): void {
		this.shown = [...conversations].sort((a, b) =>
		    b.updated_at.localeCompare(a.updated_at));
		this.current = current;
		this.more = more;
		this.draw();
	}

	search(): void {
		this.open();
		this.filter.focus();
		this.filter.select();
	}

	/** True when Escape had something to close here. */
	escape(): boolean {
		if (this.side.classList.contains('open')) {
			this.close();
			return true;
		}
		if (this.filter.value) {
			this.filter.value = '';
			this.draw();
			return true;
		}
		return false;
	}

	open(): void {
		if (!narrow.matches || this.side.classList.contains('open'))
			return;
		this.side.classList.add('open');
		this.main.inert = true;
		this.opener.setAttribute('aria-expanded', 'true');
		byId('side-close', HTMLElement).focus();
	}

	close(): void {
		if (!this.side.classList.contains('open'))
			return;
		this.side.classList.remove('open');
		this.main.inert = false;
		this.opener.setAttribute('aria-expanded', 'false');
		this.opener.focus();
	}

	private draw(): void {
		const wanted = this.filter.value.trim().toLocaleLowerCase();
		const rows = this.shown.filter((row) =>
		    row.title.toLocaleLowerCase().includes(wanted));
		const parts: Node[] = [];

		for (const name of ['Pinned', 'Today', 'Last week', 'Older']) {
			const here = rows.filter((row) => group(row) === name);

			if (here.length)
				parts.push(h('h2', {}, name), this.links(here));
		}
		parts.push(...this.archived(rows.filter((row) => row.archived),
		    wanted !== ''));
		if (rows.length === 0)
			parts.push(h('p', { class: 'note' }, wanted ?
			    'No title matches.' : 'Your conversations appear here.'));
		if (this.more)
			parts.push(h('button', {
				type: 'button', class: 'btn',
				on: { click: () => this.loadMore() },
			}, 'Show older'));
		this.list.replaceChildren(...parts);
	}

	private archived(rows: Conversation[], forced: boolean): Node[] {
		if (rows.length === 0)
			return [];
		const fold = h('details', { open: forced || this.archivedOpen },
		    h('summary', {}, `Archived · ${rows.length}`),
		    this.links(rows));

		fold.addEventListener('toggle', () => {
			if (!forced)
				this.archivedOpen = fold.open;
		});
		return [fold];
	}

	private links(rows: Conversation[]): HTMLElement {
		return h('ul', {}, ...rows.map((row) => h('li', {},
		    h('a', {
		        href: `#${row.id}`,
		        title: `${row.title} · ` +
		            new Date(row.updated_at).toLocaleString(),
		        'aria-current': row.id === this.current && 'page',
		    }, h('span', {}, row.title)))));
	}
}
