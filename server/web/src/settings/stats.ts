/* What the person has asked and got: in all, by day, by model. */
import { api } from '../lib/api';
import { lineChart } from '../lib/chart';
import { byId, h } from '../lib/dom';
import { whole } from '../lib/numbers';
import type { Day, Stats } from '../lib/types';

/* The rest comes when it is asked for. */
const MODELS = 8;

function figures(stats: Stats): HTMLElement {
	return h('dl', { class: 'figures' }, ...([
		['Conversations', stats.session_count],
		['Messages', stats.message_count],
		['Tokens', stats.total_tokens],
	] as const).map(([name, count]) => h('div', {},
	    h('dt', {}, name), h('dd', {}, whole(count)))));
}

/* Their midnights are those of UTC, wherever the person is. */
function dayName({ date }: Day): string {
	return new Date(date).toLocaleDateString([], {
		day: 'numeric', month: 'short', timeZone: 'UTC',
	});
}

function table(label: string, heads: string[],
    body: HTMLElement): HTMLElement {
	return h('div', { class: 'scroll', tabindex: 0, role: 'region',
	    'aria-label': label }, h('table', {},
	    h('thead', {}, h('tr', {}, ...heads.map((head, i) =>
	        h('th', { scope: 'col', class: i ? 'num' : '' }, head)))),
	    body));
}

function row(name: string, ...counts: number[]): HTMLElement {
	return h('tr', {}, h('th', { scope: 'row' }, name),
	    ...counts.map((count) => h('td', { class: 'num' }, whole(count))));
}

function days(all: Day[]): HTMLElement[] {
	const chart = (what: string, of: 'messages' | 'tokens'):
	HTMLElement | null => all.some((day) => day[of] > 0) ?
	    lineChart(what, all.map((day) =>
	        ({ label: dayName(day), value: day[of] }))) : null;
	const charts = [chart('Messages a day', 'messages'),
	    chart('Tokens a day', 'tokens')].filter((one) => one !== null);
	const head = h('h3', {}, `The last ${all.length} days`);

	if (charts.length === 0)
		return [head, h('p', { class: 'note' }, 'Nothing in these days.')];
	return [head, h('div', { class: 'charts' }, ...charts),
	    h('details', {}, h('summary', {}, 'These days as a table'),
	        table('The last days', ['Day (UTC)', 'Messages', 'Tokens'],
	            h('tbody', {}, ...[...all].reverse().map((day) =>
	                row(dayName(day), day.messages, day.tokens)))))];
}

function models(all: Stats['models']): HTMLElement[] {
	const body = h('tbody', {});
	const show = (some: Stats['models']): void =>
		body.replaceChildren(...some.map(({ model, answers, tokens }) =>
		    row(model ?? 'no model named', answers, tokens)));
	const more = h('button', { type: 'button', class: 'btn' },
	    `Show all ${all.length} models`);
	const region = table('Answers by model',
	    ['Model', 'Answers', 'Tokens'], body);

	show(all.slice(0, MODELS));
	more.addEventListener('click', () => {
		show(all);
		more.parentElement?.remove();
		region.focus();
	});
	return all.length === 0 ? [] : [h('h3', {}, 'By model'), region,
	    ...(all.length > MODELS ? [h('div', { class: 'row' }, more)] : [])];
}

async function load(): Promise<void> {
	const stats = await api<Stats>('GET', '/api/stats');
	const el = byId('stats', HTMLElement);

	if (stats.message_count === 0)
		el.replaceChildren(h('p', { class: 'note' }, 'Nothing to count yet. ' +
		    'What you ask and what you get shows here. ',
		h('a', { href: '/' }, 'Ask something')));
	else
		el.replaceChildren(figures(stats), ...days(stats.days),
		    ...models(stats.models));
	el.removeAttribute('aria-busy');
}

export function statistics(failed: (error: unknown) => void): void {
	load().catch((error: unknown) => {
		byId('stats', HTMLElement).replaceChildren(h('p', { class: 'note' },
		    'The statistics could not be read. Load the page again.'));
		failed(error);
	});
}
