/* One short sentence about what just happened, spoken and shown. */
import { byId } from './dom';

let timer = 0;

export function toast(text: string): void {
	const el = byId('toast', HTMLElement);

	clearTimeout(timer);
	el.textContent = text;
	timer = window.setTimeout(() => {
		el.textContent = '';
	}, 5000);
}
