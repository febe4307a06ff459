/* What is shown beside a conversation: one thing at a time, closed by Escape
 * or its button. */
import { byId } from '../lib/dom';

const covering = matchMedia('(max-width: 1100px)');

export class Panel {
	private readonly el = byId('panel', HTMLElement);
	private readonly heading = byId('panel-h', HTMLElement);
	private readonly body = byId('panel-body', HTMLElement);
	private opener: HTMLElement | null = null;
	private shows = '';

	constructor() {
		byId('panel-close', HTMLElement)
			.addEventListener('click', () => this.close());
	}

	/** Opens it, or replaces what it shows; the focus goes there. */
	show(title: string, ...content: (Node | string)[]): void {
		if (this.el.hidden && document.activeElement instanceof HTMLElement)
			this.opener = document.activeElement;
		this.shows = title;
		this.heading.textContent = title;
		this.body.replaceChildren(...content);
		this.el.hidden = false;
		this.heading.focus();
	}

	/** Changes the content when that is still what it shows. */
	update(title: string, ...content: (Node | string)[]): void {
		if (!this.el.hidden && this.shows === title)
			this.body.replaceChildren(...content);
	}

	isShowing(title: string): boolean {
		return !this.el.hidden && this.shows === title;
	}

	close(): void {
		const inside = this.el.contains(document.activeElement);

		this.el.hidden = true;
		this.body.replaceChildren();
		if (inside && this.opener?.isConnected)
			this.opener.focus();
	}

	/** Closes it where it covers the conversation. */
	giveWay(): void {
		if (covering.matches)
			this.close();
	}

	/** True when Escape had something to close here. */
	escape(): boolean {
		if (this.el.hidden)
			return false;
		this.close();
		return true;
	}
}
