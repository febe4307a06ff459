/*
 * What a person does to conversations from the list, the open one or not:
 * each act is a dialog or a request, and the list shows what came of it.
 */
import { ask } from '../lib/dialog';
import { h, iconButton } from '../lib/dom';
import { field } from '../lib/field';
import { openMenu } from '../lib/menu';
import { toast } from '../lib/toast';
import type { Conversation, Group } from '../lib/types';
import type { Conversations } from './conversations';
import { type Shelf, tagName } from './shelf';

export interface ActsListener {
	/** Reports what went wrong. */
	act(work: Promise<unknown>): void;
	/** These conversations are gone. */
	gone(ids: string[]): Promise<void>;
	/** Several are to be selected, beginning with this one. */
	pick(id: string): void;
}

function input(value: string, props: object = {}): HTMLInputElement {
	return h('input', {
		value, maxlength: 200, autocomplete: 'off', required: true, ...props,
	});
}

/* What stands in a field that may not be empty. */
function filled(box: HTMLInputElement, what: string): string {
	const value = box.value.trim();

	if (value === '')
		throw new Error(`Give it ${what}.`);
	return value;
}

export class Acts {
	constructor(private readonly conversations: Conversations,
	    private readonly shelf: Shelf,
	    private readonly listener: ActsListener) {
	}

	/** The menu of one conversation. */
	menu(row: Conversation, anchor: HTMLElement): void {
		const run = (work: () => Promise<unknown>) => () =>
			this.listener.act(work());
		const { conversations: all } = this;

		openMenu(anchor, row.title, [
			{ label: 'Rename', icon: 'edit', run: run(() =>
			    this.rename(row)) },
			{ label: row.pinned ? 'Unpin' : 'Pin', icon: 'pin',
			    run: run(() => all.pin(row.id, !row.pinned)) },
			{ label: 'Move to a group', icon: 'folder',
			    run: run(() => this.move(row)) },
			{ label: 'Tags', icon: 'tag', run: run(() => this.tag(row)) },
			{ label: row.archived ? 'Take out of the archive' : 'Archive',
			    icon: 'archive',
			    run: run(() => all.archive(row.id, !row.archived)) },
			{ label: 'Select several', icon: 'check',
			    run: () => this.listener.pick(row.id) },
			{ label: 'Delete', icon: 'trash', danger: true,
			    run: run(() => this.remove(row)) },
		]);
	}

	groupMenu(group: Group, anchor: HTMLElement): void {
		openMenu(anchor, group.title, [
			{ label: 'Rename', icon: 'edit', run: () =>
			    this.listener.act(this.renameGroup(group)) },
			{ label: 'Delete', icon: 'trash', danger: true, run: () =>
			    this.listener.act(this.removeGroup(group)) },
		]);
	}

	async createGroup(): Promise<void> {
		const title = input('');

		await ask({
			title: 'New group',
			content: [field('Title', title)],
			verb: 'Create',
			act: async () => {
				await this.shelf.createGroup(filled(title, 'a title'));
			},
		});
	}

	/** Asks which group a conversation belongs to. */
	async move(row: Conversation): Promise<void> {
		const fresh = input('', { required: false });
		const choice = (id: string, title: string): HTMLElement =>
		    h('label', { class: 'check' }, h('input', {
			    type: 'radio', name: 'group', value: id,
			    checked: (row.group_id ?? '') === id,
		    }), title);

		fresh.addEventListener('input', () => {
			for (const radio of fresh.form?.querySelectorAll<
			    HTMLInputElement>('[type="radio"]') ?? [])
				radio.checked = false;
		});
		await ask({
			title: `Move “${row.title}”`,
			content: [
				h('fieldset', { class: 'radios' },
				    h('legend', {}, 'To the group'), choice('', 'None'),
				    ...this.shelf.groups.map(({ id, title }) =>
				        choice(id, title))),
				field('Or to a new group', fresh),
			],
			verb: 'Move',
			act: async (form) => {
				const chosen = new FormData(form).get('group');
				const title = fresh.value.trim();
				const to = title ?
				    (await this.shelf.createGroup(title)).id :
				    typeof chosen === 'string' && chosen !== '' ?
				        chosen : null;

				await this.conversations.group(row.id, to);
			},
		});
	}

	/** Adds tags to a conversation and takes them off. */
	async tag(row: Conversation): Promise<void> {
		const names = h('datalist', { id: 'tag-names' },
		    ...this.shelf.tags.map(({ tag }) => h('option', { value: tag })));
		const box = input('', { list: 'tag-names', required: false,
		    maxlength: 64, spellcheck: 'false' });
		const list = h('ul', { class: 'attached' });
		const draw = (): void => {
			const tags = this.conversations.byId.get(row.id)?.tags ?? [];

			list.hidden = tags.length === 0;
			list.replaceChildren(...tags.map((tag) => h('li', {},
			    h('span', {}, `#${tag}`),
			    iconButton('close', `Remove ${tag}`, () =>
			        this.listener.act(untag(tag))))));
		};
		const untag = async (tag: string): Promise<void> => {
			await this.conversations.removeTag(row.id, tag);
			await this.shelf.refresh();
			draw();
			box.focus();
		};
		const add = async (): Promise<void> => {
			const tag = tagName(box.value);

			if (tag === '')
				return;
			await this.conversations.addTag(row.id, tag);
			await this.shelf.refresh();
			box.value = '';
			draw();
		};
		const more = h('button', {
			type: 'button', class: 'btn',
			on: { click: () => this.listener.act(add()) },
		}, 'Add');

		box.addEventListener('keydown', (event) => {
			if (event.key !== 'Enter' || event.isComposing ||
			    box.value.trim() === '')
				return;
			event.preventDefault();
			more.click();
		});
		draw();
		await ask({
			title: `Tags of “${row.title}”`,
			content: [list, h('div', { class: 'beside' },
			    field('Add a tag', box), more), names],
			verb: 'Done',
			single: true,
			act: add,
		});
	}

	async removeAll(ids: string[]): Promise<boolean> {
		const count = ids.length === 1 ? '1 conversation' :
		    `${ids.length} conversations`;
		const done = await ask({
			title: `Delete ${count}?`,
			content: ['Their messages are deleted with them. ' +
			    'This can’t be undone.'],
			verb: `Delete ${count}`,
			danger: true,
			act: () => this.conversations.removeAll(ids),
		});

		if (done) {
			toast(`Deleted ${count}.`);
			await this.listener.gone(ids);
		}
		return done;
	}

	async remove(row: Conversation): Promise<void> {
		const gone = await ask({
			title: `Delete “${row.title}”?`,
			content: ['Its messages are deleted with it. ' +
			    'This can’t be undone.'],
			verb: 'Delete',
			danger: true,
			act: () => this.conversations.remove(row.id),
		});

		if (gone)
			await this.listener.gone([row.id]);
	}

	private async rename(row: Conversation): Promise<void> {
		const title = input(row.title);

		await ask({
			title: 'Rename the conversation',
			content: [field('Title', title)],
			verb: 'Rename',
			act: () => this.conversations.rename(row.id,
			    filled(title, 'a title')),
		});
	}

	private async renameGroup(group: Group): Promise<void> {
		const title = input(group.title);

		await ask({
			title: 'Rename the group',
			content: [field('Title', title)],
			verb: 'Rename',
			act: () => this.shelf.renameGroup(group.id,
			    filled(title, 'a title')),
		});
	}

	private async removeGroup(group: Group): Promise<void> {
		await ask({
			title: `Delete the group “${group.title}”?`,
			content: ['Its conversations stay; they are in no group ' +
			    'then.'],
			verb: 'Delete the group',
			danger: true,
			act: () => this.shelf.removeGroup(group.id),
		});
	}
}
