/*
 * Markdown of an answer to safe nodes.  An answer is hostile text: raw HTML
 * in it is shown, not obeyed; a picture becomes a link, as fetching it would
 * tell a stranger what was asked; what the sanitizer does not know is gone.
 */
import DOMPurify from 'dompurify';
import { Marked, type Token, type TokensList } from 'marked';
import { copy } from './clipboard';
import { h } from './dom';

/* Where a heading of an answer stands in the page. */
const levels = new WeakMap<Token, number>();

const marked = new Marked({
	gfm: true,
	breaks: false,
	renderer: {
		heading(token): string {
			const tag = levels.has(token) ? `h${levels.get(token)}` : 'p';

			return `<${tag}>${this.parser.parseInline(token.tokens)}</${tag}>`;
		},
		html({ text }): string {
			return escape(text);
		},
		image({ href, text }): string {
			return `<a href="${escape(href)}">${escape(text || href)}</a>`;
		},
	},
});

function escape(text: string): string {
	return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

const RULES = {
	ALLOWED_TAGS: ['a', 'p', 'br', 'strong', 'em', 'del', 'code', 'pre', 'ul',
	    'ol', 'li', 'blockquote', 'hr', 'h3', 'h4', 'h5', 'h6',
	    'table', 'thead', 'tbody', 'tr', 'th', 'td', 'input'],
	ALLOWED_ATTR: ['href', 'title', 'start', 'class', 'type', 'checked',
	    'disabled'],
	ALLOWED_URI_REGEXP: /^(?:https?:|mailto:)/i,
	ALLOW_DATA_ATTR: false,
	ALLOW_ARIA_ATTR: false,
	RETURN_DOM_FRAGMENT: true as const,
};

export interface Block {
	token: Token;
	/** Changes when the block has to be made again. */
	key: string;
}

export interface Blocks {
	list: Block[];
	/** Link definitions of the whole text. */
	links: TokensList['links'];
}

/**
 * The top-level blocks of a text.  A turn has a heading of level 2, so those
 * of an answer begin at 3 and skip none, whatever the model wrote.
 */
export function blocks(text: string): Blocks {
	const tokens = marked.lexer(text);
	const open: number[] = [];

	return {
		links: tokens.links,
		list: tokens.map((token) => {
			if (token.type !== 'heading')
				return { token, key: token.raw };
			while ((open.at(-1) ?? 0) >= token['depth'])
				open.pop();
			open.push(token['depth']);
			levels.set(token, Math.min(6, 2 + open.length));
			return { token, key: `${open.length} ${token.raw}` };
		}),
	};
}

/** One block as nodes that may be put into the page. */
export function renderBlock(token: Token,
    links: TokensList['links']): Node[] {
	const list = Object.assign([token], { links });
	const safe = DOMPurify.sanitize(marked.parser(list), RULES);

	for (const link of safe.querySelectorAll('a'))
		outbound(link);
	for (const pre of safe.querySelectorAll('pre'))
		pre.replaceWith(codeBlock(pre));
	for (const table of safe.querySelectorAll('table'))
		scrollable(table);
	for (const box of safe.querySelectorAll('input'))
		tick(box);
	return [...safe.childNodes].filter((node) =>
	    node instanceof Element || node.textContent?.trim());
}

function outbound(link: HTMLAnchorElement): void {
	if (!link.hasAttribute('href'))
		return link.replaceWith(...link.childNodes);
	link.target = '_blank';
	link.rel = 'noreferrer noopener';
}

function codeBlock(pre: HTMLPreElement): HTMLElement {
	const code = pre.querySelector('code');
	const language = /language-([\w+#.-]+)/.exec(code?.className ?? '')?.[1];
	const text = (code ?? pre).textContent?.replace(/\n$/, '') ?? '';
	const button = h('button', {
		type: 'button', 'aria-label': 'Copy code',
		on: { click: () => void copy(text) },
	}, 'copy');

	return h('div', { class: 'block' },
	    h('header', {}, h('span', {}, language ?? 'text'), button),
	    h('pre', {
	        tabindex: 0, role: 'region',
	        'aria-label': `Code, ${language ?? 'text'}`,
	    }, h('code', {}, text)));
}

function scrollable(table: HTMLTableElement): void {
	const frame = h('div', {
		class: 'wide-table', tabindex: 0, role: 'region',
		'aria-label': 'Table',
	});

	table.replaceWith(frame);
	frame.append(table);
}

/* A task list's box shows a state; any other input has no place here. */
function tick(box: HTMLInputElement): void {
	if (box.type !== 'checkbox')
		return box.remove();
	box.disabled = true;
	box.setAttribute('aria-label', box.checked ? 'done' : 'open');
}
