/* The list of conversations, and a sheet on phones. */
import { byId, h, iconButton, unpressed } from '../lib/dom';
import { openMenu } from '../lib/menu';
import { daysAgo } from '../lib/time';
import type { Conversation, Group } from '../lib/types';
import { Search } from './search';
import type { Projects } from './projects';
import type { Shelf } from './shelf';

export interface SidebarListener {
	/** Older conversations are wanted; false when they did not come. */
	loadMore(): Promise<boolean>;
	/** The menu of one conversation, or of one group. */
	conversation(row: Conversation, anchor: HTMLElement): void;
	group(group: Group, anchor: HTMLElement): void;
	createGroup(): void;
	createProject(): void;
	/** Only conversations of that tag are wanted, or again all. */
	tagged(tag: string): void;
	/** A question first; then the selection is over. */
	removeAll(ids: string[]): Promise<boolean>;
}

const narrow = matchMedia('(max-width: 760px)');
const FOLDED = 'folded';
const CHIPS = 8;

function day(conversation: Conversation): string {
	const days = daysAgo(conversation.updated_at);

	return days <= 0 ? 'Today' : days <= 7 ? 'Last week' : 'Older';
}

export class Sidebar {
	private readonly side = byId('side', HTMLElement);
	private readonly list = byId('list', HTMLElement);
	private readonly main = byId('main', HTMLElement);
	private readonly box = byId('filter', HTMLInputElement);
	private readonly opener = byId('side-open', HTMLElement);
	private readonly pickBar = byId('picked', HTMLElement);
	private readonly search = new Search(() => this.look());
	private readonly folded = new Set<string>(
	    (localStorage.getItem(FOLDED) ?? 'archived').split(','));
	private shown: Conversation[] = [];
	private current: string | null = null;
	private more = false;
	/** Older ones are on their way. */
	private reading = false;
	private tag: string | null = null;
	private allTags = false;
	private readonly ends: IntersectionObserver;
	/** Those that are selected, while several are. */
	private picked: Set<string> | null = null;
	private readonly draw = unpressed(this.list, () => this.render());

	constructor(private readonly listener: SidebarListener,
	    private readonly shelf: Shelf,
	    private readonly projects: Projects) {
		this.box.addEventListener('input', () => this.look());
		this.box.addEventListener('keydown', (event) => this.key(event));
		this.list.addEventListener('keydown', (event) => this.move(event));
		this.list.addEventListener('contextmenu', (event) => {
			const more = (event.target as Element).closest('li')
				?.querySelector<HTMLElement>('.row-more');

			if (more) {
				event.preventDefault();
				more.click();
			}
		});
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
		const menu = byId('list-menu', HTMLElement);

		menu.addEventListener('click', () => openMenu(menu, 'The list', [
			{ label: 'New group', icon: 'folder',
			    run: () => listener.createGroup() },
			{ label: 'New project', icon: 'book',
			    run: () => listener.createProject() },
			{ label: 'Select several', icon: 'check',
			    run: () => this.pick() },
		]));
		this.ends = new IntersectionObserver((entries) => {
			if (entries.some((entry) => entry.isIntersecting))
				void this.readOlder();
		}, { root: this.list, rootMargin: '400px' });
	}

	show(conversations: Iterable<Conversation>, current: string | null,
	    more: boolean): void {
		this.shown = [...conversations].sort((a, b) =>
		    b.updated_at.localeCompare(a.updated_at));
		this.current = current;
		this.more = more;
		this.search.offer('tag', this.shelf.tags.map(({ tag }) =>
		    [tag, `#${tag}`]));
		this.search.offer('project_id', this.projects.list.map(
		    ({ id, title }) => [id, title]));
		if (this.tag !== null &&
		    !this.shelf.tags.some(({ tag }) => tag === this.tag))
			this.tag = null;
		this.draw();
	}

	/** Starts to select several, with that one. */
	pick(first?: string): void {
		this.picked = new Set(first === undefined ? [] : [first]);
		this.draw();
		this.list.querySelector<HTMLElement>(first === undefined ?
		    'input' : 'input:checked')?.focus();
	}

	focusSearch(): void {
		this.open();
		this.box.focus();
		this.box.select();
	}

	/** True when Escape had something to close here. */
	escape(): boolean {
		if (this.search.escape())
			return true;
		if (this.picked) {
			this.unpick();
			return true;
		}
		if (this.side.classList.contains('open')) {
			this.close();
			return true;
		}
		if (this.box.value) {
			this.box.value = '';
			this.look();
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

	private look(): void {
		this.search.look(this.box.value.trim());
		this.draw();
	}

	/* What did not come is asked for again by the person, not by itself. */
	private async readOlder(): Promise<void> {
		const known = new Set(this.shown.map(({ id }) => id));
		const status = byId('found-status', HTMLElement);

		const hadFocus = isFocused('older');

		if (this.reading)
			return;
		this.reading = true;
		this.draw();
		const done = await this.listener.loadMore();

		this.reading = false;
		this.draw();
		this.ends.disconnect();
		if (!done)
			return;
		const fresh = this.shown.filter(({ id }) => !known.has(id)).length;

		status.textContent = fresh === 1 ?
		    '1 older conversation is listed.' :
		    `${fresh} older conversations are listed.`;
		if (hadFocus && (isFocused('older') ||
		    document.activeElement === document.body))
			[...this.list.querySelectorAll<HTMLElement>('li a[data-key]')]
				.find((el) => el.offsetParent &&
				    !known.has(el.dataset['key'] ?? ''))?.focus();
		this.watch();
	}

	/* The end of the list asks for more when it comes near. */
	private watch(): void {
		const end = this.list.querySelector('[data-key="older"]');

		this.ends.disconnect();
		if (end && !this.reading && this.box.value.trim() === '' &&
		    this.tag === null)
			this.ends.observe(end);
	}

	/* Enter opens what is found first, Down goes there. */
	private key(event: KeyboardEvent): void {
		const first = this.list.querySelector<HTMLElement>(
		    '.found a') ?? this.list.querySelector<HTMLElement>('li a');

		if (event.isComposing)
			return;
		if (event.key === 'ArrowDown') {
			event.preventDefault();
			this.list.querySelector<HTMLElement>('a, summary')?.focus();
		} else if (event.key === 'Enter' && this.box.value.trim()) {
			event.preventDefault();
			first?.click();
		}
	}

	/* Up and Down go through the list. */
	private move(event: KeyboardEvent): void {
		const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
		const stops = [...this.list.querySelectorAll<HTMLElement>(
		    'li a, summary, li input, [data-key="older"]')].filter((el) => el.offsetParent);
		const at = stops.indexOf(document.activeElement as HTMLElement);

		if (step === undefined || at < 0)
			return;
		event.preventDefault();
		(stops[at + step] ?? (step < 0 ? this.box : null))?.focus();
	}

	private render(): void {
		const wanted = this.box.value.trim().toLocaleLowerCase();
		const rows = this.shown.filter((row) =>
		    row.title.toLocaleLowerCase().includes(wanted) &&
		    (this.tag === null || row.tags?.includes(this.tag)));
		const open = rows.filter((row) => !row.archived);
		const groups = new Set(this.shelf.groups.map(({ id }) => id));
		const rest = open.filter((row) => !row.pinned &&
		    !groups.has(row.group_id ?? ''));
		const isFiltered = wanted !== '' || this.tag !== null;
		const focus = this.list.contains(document.activeElement) ?
		    document.activeElement?.getAttribute('data-key') : null;
		const older = this.more && h('button', {
			type: 'button', class: 'btn', 'data-key': 'older',
			'aria-disabled': this.reading && 'true',
			on: { click: () => void this.readOlder() },
		}, this.reading ? 'Reading older ones …' : 'Show older');

		this.list.replaceChildren(...[
			wanted === '' && this.tags(),
			...this.part('Pinned', open.filter((row) => row.pinned)),
			...this.shelf.groups.flatMap((group) => this.group(group,
			    open.filter((row) => !row.pinned &&
			        row.group_id === group.id), isFiltered)),
			...(isFiltered ? [] : this.projectLinks()),
			...['Today', 'Last week', 'Older'].flatMap((name) =>
			    this.part(name, rest.filter((row) => day(row) === name))),
			...this.archived(rows.filter((row) => row.archived),
			    isFiltered),
			rows.length === 0 && h('p', { class: 'note' },
			    isFiltered ? 'No title matches.' :
			        'Your conversations appear here.'),
			wanted !== '' && this.search.el,
			older,
		].filter((part): part is HTMLElement => Boolean(part)));
		this.watch();
		if (focus)
			this.list.querySelector<HTMLElement>(
			    `[data-key="${CSS.escape(focus)}"]`)
				?.focus({ preventScroll: true });
		this.drawPicked();
	}

	private tags(): HTMLElement | null {
		const all = this.shelf.tags;
		const few = this.allTags ? all : all.filter(({ tag }, i) =>
		    i < CHIPS || tag === this.tag);

		if (all.length === 0)
			return null;
		return h('div', { class: 'tags', role: 'group',
		    'aria-label': 'Only conversations with the tag' },
		    ...few.map(({ tag }) => h('button', {
			    type: 'button', class: 'chip', 'data-key': `#${tag}`,
			    'aria-pressed': String(tag === this.tag),
			    on: { click: () => this.only(tag) },
		    }, `#${tag}`)),
		    few.length < all.length && h('button', {
			    type: 'button', class: 'chip',
			    'aria-label': `Show all ${all.length} tags`,
			    on: {
				    click: () => {
					    this.allTags = true;
					    this.draw();
				    },
			    },
		    }, `+${all.length - few.length}`));
	}

	private only(tag: string): void {
		this.tag = this.tag === tag ? null : tag;
		if (this.tag !== null)
			this.listener.tagged(tag);
		this.draw();
	}

	private part(name: string, rows: Conversation[]): Node[] {
		return rows.length ? [h('h2', {}, name), this.rows(rows)] : [];
	}

	private group(group: Group, rows: Conversation[],
	    isFiltered: boolean): Node[] {
		if (isFiltered && rows.length === 0)
			return [];
		return [h('div', { class: 'group' },
		    this.fold(group.id, `${group.title} · ${rows.length}`,
		        isFiltered, rows.length ? this.rows(rows) :
		            h('p', { class: 'note' },
		                'Empty. Move conversations here by their menu.')),
		    more(`Actions for the group “${group.title}”`,
		        `menu ${group.id}`,
		        (anchor) => this.listener.group(group, anchor)))];
	}

	private projectLinks(): Node[] {
		const { list } = this.projects;

		return list.length === 0 ? [] : [h('h2', {}, 'Projects'),
		    h('ul', {}, ...list.map(({ id, title, documents: count }) =>
		        h('li', {}, h('a', {
			        href: `#/projects/${encodeURIComponent(id)}`,
			        'data-key': `project ${id}`, title,
			        'aria-current': id === this.current && 'page',
		        }, h('span', {}, title), h('small', { class: 'count' },
		            `· ${count}`, h('span', { class: 'unseen' },
		                count === 1 ? ' document' : ' documents'))))))];
	}

	private archived(rows: Conversation[], isFiltered: boolean): Node[] {
		return rows.length === 0 ? [] : [this.fold('archived',
		    `Archived · ${rows.length}`, isFiltered, this.rows(rows))];
	}

	private fold(key: string, label: string, forced: boolean,
	    content: HTMLElement): HTMLDetailsElement {
		const fold = h('details', {
			open: forced || !this.folded.has(key),
		}, h('summary', { 'data-key': key }, label), content);

		fold.addEventListener('toggle', () => {
			if (forced)
				return;
			if (fold.open)
				this.folded.delete(key);
			else
				this.folded.add(key);
			localStorage.setItem(FOLDED, [...this.folded].join(','));
		});
		return fold;
	}

	private rows(rows: Conversation[]): HTMLElement {
		return h('ul', {}, ...rows.map((row) => h('li', {},
		    ...(this.picked ? [this.checkbox(row, this.picked)] :
		        this.link(row)))));
	}

	private link(row: Conversation): Node[] {
		return [h('a', {
			href: `#${row.id}`, 'data-key': row.id,
			title: `${row.title} · ` +
			    new Date(row.updated_at).toLocaleString(),
			'aria-current': row.id === this.current && 'page',
		}, h('span', {}, row.title)),
		more(`Actions for “${row.title}”`, `menu ${row.id}`,
		    (anchor) => this.listener.conversation(row, anchor))];
	}

	private checkbox(row: Conversation, picked: Set<string>): Node {
		const box = h('input', {
			type: 'checkbox', 'data-key': row.id,
			checked: picked.has(row.id),
		});

		box.addEventListener('change', () => {
			if (box.checked)
				picked.add(row.id);
			else
				picked.delete(row.id);
			this.drawPicked();
		});
		return h('label', { class: 'check' }, box,
		    h('span', {}, row.title));
	}

	private drawPicked(): void {
		const { picked } = this;

		this.pickBar.hidden = !picked;
		if (!picked)
			return this.pickBar.replaceChildren();
		const focus = this.pickBar.contains(document.activeElement);

		this.pickBar.replaceChildren(
		    h('span', { role: 'status' }, `${picked.size} selected`),
		    h('button', {
			    type: 'button', class: 'btn danger',
			    disabled: picked.size === 0,
			    on: { click: () => void this.removePicked() },
		    }, 'Delete'),
		    h('button', {
			    type: 'button', class: 'btn',
			    on: { click: () => this.unpick() },
		    }, 'Cancel'));
		if (focus)
			this.pickBar.querySelector<HTMLElement>(
			    'button:enabled')?.focus();
	}

	private async removePicked(): Promise<void> {
		if (this.picked && await this.listener.removeAll([...this.picked]))
			this.unpick();
	}

	private unpick(): void {
		this.picked = null;
		this.draw();
		this.list.querySelector<HTMLElement>('li a')?.focus();
	}
}

function isFocused(key: string): boolean {
	return document.activeElement?.getAttribute('data-key') === key;
}

function more(label: string, key: string,
    open: (anchor: HTMLElement) => void): HTMLButtonElement {
	const button = iconButton('more', label, () => open(button));

	button.classList.add('row-more');
	button.title = '';
	button.dataset['key'] = key;
	button.setAttribute('aria-haspopup', 'menu');
	button.setAttribute('aria-expanded', 'false');
	return button;
}
