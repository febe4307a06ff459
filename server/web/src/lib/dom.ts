/* The only way this app makes elements: no markup is ever parsed here. */

type Child = Node | string | null | undefined | false;

export interface Props {
	class?: string;
	on?: { [type: string]: (event: Event) => void };
	[attribute: string]: unknown;
}

/** Makes an element; `true` sets an empty attribute, false and null none. */
export function h<K extends keyof HTMLElementTagNameMap>(
	tag: K, props: Props = {}, ...children: Child[]
): HTMLElementTagNameMap[K] {
	const el = document.createElement(tag);

	for (const [name, value] of Object.entries(props)) {
		if (value === undefined || value === null || value === false)
			continue;
		if (name === 'on') {
			for (const [type, run] of Object.entries(props.on ?? {}))
				el.addEventListener(type, run);
		} else {
			el.setAttribute(name, value === true ? '' : String(value));
		}
	}
	for (const child of children)
		if (child)
			el.append(child);
	return el;
}

const SVG = 'http://www.w3.org/2000/svg';

/** The same for the elements of a drawing. */
export function draw<K extends keyof SVGElementTagNameMap>(
	tag: K, attributes: Record<string, string | number> = {},
	...children: (Node | string)[]
): SVGElementTagNameMap[K] {
	const el = document.createElementNS(SVG, tag);

	for (const [name, value] of Object.entries(attributes))
		el.setAttribute(name, String(value));
	el.append(...children);
	return el;
}

/** An icon of the page's sprite (icons.svg). */
export function icon(name: string): SVGSVGElement {
	return draw('svg', { class: 'ico', 'aria-hidden': 'true' },
	    draw('use', { href: `#i-${name}` }));
}

export function iconButton(name: string, label: string,
    run: (event: Event) => void): HTMLButtonElement {
	return h('button', {
		type: 'button', class: 'icon', 'aria-label': label, title: label,
		on: { click: run },
	}, icon(name));
}

/**
 * Makes `draw`, which replaces what `el` holds, wait while something in it is
 * pressed: a click belongs to the element that is there at both ends of it, so
 * one that a redraw falls into would be lost.
 */
export function unpressed(el: HTMLElement, draw: () => void): () => void {
	let pressed = false;
	let stale = false;
	const release = () => {
		pressed = false;
	};
	/* The click comes right after this, and before any timer. */
	const redraw = () => setTimeout(() => {
		release();
		if (stale)
			draw();
		stale = false;
	});

	el.addEventListener('pointerdown', () => {
		pressed = true;
	});
	/* What the click itself changes is shown at once. */
	addEventListener('click', release, true);
	addEventListener('pointerup', redraw);
	addEventListener('pointercancel', redraw);
	return () => {
		stale = pressed;
		if (!stale)
			draw();
	};
}

/** An element the page promises to have. */
export function byId<T extends HTMLElement>(id: string,
    type: new () => T): T {
	const el = document.getElementById(id);

	if (!(el instanceof type))
		throw new Error(`the page has no ${id}`);
	return el;
}

/** The named control of a form. */
export function control<T extends Element>(form: HTMLFormElement, name: string,
    type: new () => T): T {
	const el = form.elements.namedItem(name);

	if (!(el instanceof type))
		throw new Error(`the form has no ${name}`);
	return el;
}
