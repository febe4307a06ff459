/* Times come as ISO 8601 UTC; people see their own clock. */
import { h } from './dom';

const DAY = 86_400_000;

/** Whole days between the calendar day of `iso` and that of `now`. */
export function daysAgo(iso: string, now = new Date()): number {
	const then = new Date(iso);
	const a = Date.UTC(then.getFullYear(), then.getMonth(), then.getDate());
	const b = Date.UTC(now.getFullYear(), now.getMonth(), now.getDate());

	return Math.round((b - a) / DAY);
}

function relative(iso: string): string {
	const days = daysAgo(iso);
	const then = new Date(iso);

	if (Number.isNaN(days))
		return '';
	if (days <= 0)
		return then.toLocaleTimeString([], {
			hour: '2-digit', minute: '2-digit',
		});
	if (days === 1)
		return 'yesterday';
	if (days < 30)
		return `${days} days ago`;
	return then.toLocaleDateString();
}

/** A <time>: relative, the absolute moment on hover. */
export function timeElement(iso: string | null | undefined): HTMLElement {
	if (!iso)
		return h('span', { class: 'note' }, '—');
	return h('time', {
		datetime: iso,
		title: new Date(iso).toLocaleString(),
	}, relative(iso));
}
