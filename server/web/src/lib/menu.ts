/* A menu that opens at a button: arrow keys move in it, Escape closes it. */
import { h, icon } from './dom';

export interface MenuItem {
	label: string;
	icon: string;
	danger?: boolean;
	run(): void;
}

const EDGE = 8;

/** Opens a menu; the anchor has the focus again when it closes. */
export function openMenu(anchor: HTMLElement, name: string,
    items: MenuItem[]): void {
	const buttons = items.map((item) => h('button', {
		type: 'button', role: 'menuitem', tabindex: -1,
		class: item.danger ? 'danger' : '',
		on: {
			click: () => {
				close(true);
				item.run();
			},
		},
	}, icon(item.icon), item.label));
	const menu = h('div', { class: 'menu-list', role: 'menu',
	    'aria-label': name }, ...buttons);
	let open = true;
	const close = (focus: boolean): void => {
		if (!open)
			return;
		open = false;
		menu.remove();
		anchor.setAttribute('aria-expanded', 'false');
		removeEventListener('resize', leave);
		document.removeEventListener('pointerdown', outside, true);
		document.removeEventListener('scroll', leave, true);
		if (focus && anchor.isConnected)
			anchor.focus();
	};
	const leave = (): void => close(false);
	const outside = (event: Event): void => {
		if (!menu.contains(event.target as Node))
			close(false);
	};

	menu.addEventListener('keydown', (event) => {
		const at = buttons.indexOf(
		    document.activeElement as HTMLButtonElement);
		const to = {
			ArrowDown: at + 1, ArrowUp: at - 1,
			Home: 0, End: buttons.length - 1,
		}[event.key];

		if (to !== undefined)
			buttons.at(to % buttons.length)?.focus();
		else if (event.key === 'Escape' || event.key === 'Tab')
			close(true);
		else
			return;
		event.preventDefault();
		event.stopPropagation();
	});
	anchor.setAttribute('aria-expanded', 'true');
	document.body.append(menu);
	place(menu, anchor.getBoundingClientRect());
	addEventListener('resize', leave);
	document.addEventListener('pointerdown', outside, true);
	document.addEventListener('scroll', leave, true);
	buttons[0]?.focus();
}

/* Under the anchor, or over it where there is no room. */
function place(menu: HTMLElement, at: DOMRect): void {
	const { width, height } = menu.getBoundingClientRect();
	const below = at.bottom + 4;

	menu.style.left = `${Math.max(EDGE,
	    Math.min(at.left, innerWidth - width - EDGE))}px`;
	menu.style.top = `${Math.max(EDGE, below + height + EDGE > innerHeight ?
	    at.top - height - 4 : below)}px`;
}
