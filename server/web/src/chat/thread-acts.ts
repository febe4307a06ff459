/*
 * What a person does with the open conversation and its messages: branches,
 * pinned messages, a summary.  What it shows stands in the panel.
 */
import { api, explain } from '../lib/api';
import { copy } from '../lib/clipboard';
import { h, icon } from '../lib/dom';
import { toast } from '../lib/toast';
import { type Conversations, path } from './conversations';
import type { LogView, Turn } from './log-view';
import { MarkdownView } from './markdown-view';
import type { Panel } from './panel';
import { UserTurn } from './turn';

interface Branch {
	id: string;
	title: string;
	parent_id: string | null;
	depth: number;
}

interface Summary {
	summary: string;
	model?: string | null;
	/** Sentences of the conversation: no model is connected. */
	is_extract?: boolean;
}

const BRANCHES = 'Branches';
const PINS = 'Pinned messages';
const SUMMARY = 'Summary';
const EXCERPT = 160;

export class ThreadActs {
	constructor(private readonly panel: Panel, private readonly log: LogView,
	    private readonly conversations: Conversations,
	    private readonly act: (work: Promise<unknown>) => void) {
	}

	/** A new conversation of what was said up to and with that message. */
	async fork(id: string, turn: Turn): Promise<void> {
		if (turn.id === null)
			return;
		const { session_id: branch } = await api<{ session_id: string }>(
		    'POST', `/api/sessions/${path(id)}/fork`,
		    { message_id: turn.id });

		await this.conversations.refresh();
		location.hash = branch;
		toast('This is the new branch.');
	}

	async pin(turn: Turn): Promise<void> {
		if (turn.id === null)
			return;
		const { pinned } = await api<{ pinned: boolean }>('POST',
		    `/api/messages/${turn.id}/pin`, { pinned: !turn.pinned });

		turn.pin(pinned);
		if (this.panel.isShowing(PINS))
			this.panel.update(PINS, this.pinned());
	}

	/** The tree that a conversation belongs to. */
	async branches(id: string): Promise<void> {
		this.panel.show(BRANCHES, h('p', { class: 'note' }, 'Reading …'));
		await this.branchesOf(id);
	}

	pins(): void {
		this.panel.show(PINS, this.pinned());
	}

	async summary(id: string): Promise<void> {
		this.panel.show(SUMMARY, h('div', {
			class: 'bones', role: 'status', 'aria-label': 'Summarizing',
		}, h('i'), h('i'), h('i')));
		try {
			const { summary, model, is_extract: isExtract } =
			    await api<Summary>('POST', `/api/summarize/${path(id)}`, {});
			const body = h('div', { class: 'body prose' });

			new MarkdownView(body).flush(summary);
			this.panel.update(SUMMARY, body,
			    h('p', { class: 'note' }, isExtract ?
			        'No language model is connected.' :
			        model ? `By ${model}. It is not saved.` :
			            'It is not saved.'),
			    h('div', {}, h('button', {
				    type: 'button', class: 'btn',
				    on: { click: () => void copy(summary) },
			    }, icon('copy'), 'Copy')));
		} catch (error) {
			this.panel.update(SUMMARY, this.trouble(error,
			    () => this.summary(id)));
		}
	}

	/** The page shows another conversation now, or another version of it. */
	changed(id: string | null): void {
		if (this.panel.isShowing(BRANCHES) && id !== null)
			this.act(this.branchesOf(id));
		else if (this.panel.isShowing(SUMMARY) || (id === null &&
		    [BRANCHES, PINS].some((name) => this.panel.isShowing(name))))
			this.panel.close();
		this.panel.giveWay();
	}

	/** The messages of the page are loaded. */
	loaded(): void {
		this.panel.update(PINS, this.pinned());
	}

	private async branchesOf(id: string): Promise<void> {
		try {
			const list = await api<Branch[]>('GET',
			    `/api/sessions/${path(id)}/branches`);

			this.panel.update(BRANCHES, tree(list, id));
		} catch (error) {
			this.panel.update(BRANCHES, this.trouble(error,
			    () => this.branchesOf(id)));
		}
	}

	private trouble(error: unknown, again: () => Promise<void>): Node {
		return h('div', { class: 'stacked' },
		    h('p', { class: 'problem', role: 'alert' }, explain(error)),
		    h('div', {}, h('button', {
			    type: 'button', class: 'btn',
			    on: { click: () => this.act(again()) },
		    }, 'Try again')));
	}

	private pinned(): Node {
		const turns = this.log.turns.filter((turn) => turn.pinned);

		return turns.length === 0 ? h('p', { class: 'note' },
		    'Nothing is pinned here yet. A message has a pin among its ' +
		    'buttons.') :
		    h('ul', { class: 'plain' }, ...turns.map((turn) => h('li', {},
		        h('button', {
			        type: 'button', class: 'entry',
			        on: {
				        click: () => {
					        this.panel.giveWay();
					        this.log.reveal(turn.id ?? 0);
				        },
			        },
		        }, h('small', { class: 'mono' },
		            turn instanceof UserTurn ? 'you' : turn.model),
		        h('span', {}, excerpt(turn))))));
	}
}

function excerpt(turn: Turn): string {
	const text = turn instanceof UserTurn ? turn.question.text ||
	    turn.question.file?.filename || 'a picture' : turn.text;

	return text.length > EXCERPT ? `${text.slice(0, EXCERPT)} …` : text;
}

/* Nested lists: what a screen reader counts and the eye follows. */
function tree(list: Branch[], current: string): Node {
	const below = (parent: string | null): HTMLElement | null => {
		const here = list.filter((branch) => parent === null ?
		    !list.some(({ id }) => id === branch.parent_id) :
		    branch.parent_id === parent);

		return here.length === 0 ? null : h('ul', {}, ...here.map((branch) =>
		    h('li', {}, h('a', {
			    href: `#${path(branch.id)}`,
			    'aria-current': branch.id === current && 'page',
		    }, branch.title), below(branch.id))));
	};

	return h('div', { class: 'tree' }, below(null),
	    list.length < 2 && h('p', { class: 'note' },
	        'This conversation has no branches. Fork it at a message to try ' +
	        'another way from there.'));
}
