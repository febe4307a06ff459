/* The bar over the log: title, model chip, and what to do with the whole. */
import { byId, h } from '../lib/dom';
import type { Conversation, Provider } from '../lib/types';

export interface BarListener {
	rename(title: string): void;
	pin(): void;
	archive(): void;
	group(): void;
	tag(): void;
	branches(): void;
	pins(): void;
	summarize(): void;
	compare(): void;
	remove(): void;
	/** Model and more of this conversation. */
	configure(): void;
}

/* Loopback, private networks, and names without a dot stay in the house. */
const LOCAL = /^(localhost|[^.:]+|.*\.local|127\..*|10\..*|192\.168\..*|172\.(1[6-9]|2\d|3[01])\..*|\[::1\]|\[f[cd].*)$/;

/** Where messages go: "offline", "local", or the host that reads them. */
export function place(provider: Provider): string {
	if (provider.provider === 'offline')
		return 'offline';
	if (!provider.base_url)
		return provider.provider === 'ollama' ? 'local' : provider.provider;
	try {
		const { hostname } = new URL(provider.base_url);

		return LOCAL.test(hostname) ? 'local' : hostname;
	} catch {
		return provider.provider;
	}
}

export class TopBar {
	private readonly title = byId('title', HTMLElement);
	private readonly pencil = byId('rename', HTMLElement);
	private readonly chip = byId('model', HTMLElement);
	private readonly more = byId('more', HTMLDetailsElement);
	private readonly exportLink = byId('export', HTMLAnchorElement);
	private readonly tree = byId('branches', HTMLElement);
	private readonly tags = byId('tags', HTMLElement);
	private conversation: Conversation | null = null;

	constructor(private readonly listener: BarListener) {
		this.pencil.addEventListener('click', () => this.edit());
		this.title.addEventListener('dblclick', () => this.edit());
		this.chip.addEventListener('click', () => listener.configure());
		this.item('pin', () => listener.pin());
		this.item('archive', () => listener.archive());
		this.tree.addEventListener('click', () => listener.branches());
		this.item('pins', () => listener.pins());
		this.item('summarize', () => listener.summarize());
		this.item('compare', () => listener.compare());
		this.item('group', () => listener.group());
		this.item('tag', () => listener.tag());
		this.item('delete', () => listener.remove());
		this.exportLink.addEventListener('click', () => this.fold());
		document.addEventListener('click', (event) => {
			if (!this.more.contains(event.target as Node))
				this.fold();
		});
	}

	/** Shows a conversation, or a page that has that title. */
	show(conversation: Conversation | null, page = 'New chat'): void {
		const id = conversation ? encodeURIComponent(conversation.id) : '';

		this.conversation = conversation;
		this.title.textContent = conversation?.title ?? page;
		this.title.title = this.title.textContent;
		document.title = conversation || page !== 'New chat' ?
		    `${this.title.textContent} · LocalNeural` : 'LocalNeural';
		this.tags.replaceChildren(...(conversation?.project_id ? [
			h('a', {
				class: 'chip', title: 'The project of this conversation',
				href: `#/projects/${encodeURIComponent(
				    conversation.project_id)}`,
			}, conversation.project_title ?? 'project'),
		] : []), ...(conversation?.tags ?? []).map((tag) =>
		    h('button', {
			    type: 'button', class: 'chip',
			    'aria-label': `Tag ${tag}: change the tags`,
			    on: { click: () => this.listener.tag() },
		    }, `#${tag}`)));
		this.pencil.hidden = this.more.hidden = this.tree.hidden =
		    !conversation;
		this.exportLink.href = `/api/export/${id}?format=md`;
		this.label('pin', conversation?.pinned ? 'Unpin' : 'Pin');
		this.label('archive', conversation?.archived ?
		    'Take out of the archive' : 'Archive');
	}

	model(model: string, provider: Provider | null): void {
		const where = provider ? place(provider) : '';
		const near = where === 'local' || where === 'offline';

		this.chip.hidden = !model && !where;
		this.chip.replaceChildren(
		    model && model !== where ? `${model} · ` : '',
		    h('b', { class: near ? '' : 'cloud' }, where));
		this.chip.title = `${near ? 'Messages stay in the house.' :
		    `Messages go to ${where}.`} Choose a model for this conversation.`;
	}

	/** True when Escape had something to close here. */
	escape(): boolean {
		if (!this.more.open)
			return false;
		this.fold();
		this.more.querySelector('summary')?.focus();
		return true;
	}

	private fold(): void {
		this.more.open = false;
	}

	private item(id: string, run: () => void): void {
		byId(id, HTMLElement).addEventListener('click', () => {
			this.fold();
			run();
		});
	}

	private label(id: string, text: string): void {
		const span = byId(id, HTMLElement).querySelector('span');

		if (span)
			span.textContent = text;
	}

	private edit(): void {
		const before = this.conversation?.title;
		let open = true;

		if (before === undefined || this.title.hidden)
			return;
		const box = h('input', {
			class: 'rename', value: before, maxlength: 200,
			'aria-label': 'Title', autocomplete: 'off',
		});
		const close = (save: boolean, focus: boolean): void => {
			const title = box.value.trim();

			if (!open)
				return;
			open = false;
			box.remove();
			this.title.hidden = this.pencil.hidden = false;
			if (focus)
				this.pencil.focus();
			if (save && title && title !== before)
				this.listener.rename(title);
		};

		this.title.hidden = this.pencil.hidden = true;
		this.title.after(box);
		box.select();
		box.addEventListener('keydown', (event) => {
			if (event.key === 'Enter' && !event.isComposing) {
				/* Or the pencil, focused next, takes it as a click. */
				event.preventDefault();
				close(true, true);
			}
			if (event.key === 'Escape') {
				event.stopPropagation();
				close(false, true);
			}
		});
		box.addEventListener('blur', () => close(true, false));
	}
}
