/* Import of a whole database: looked at first, then asked, then done. */
import { request } from '../lib/api';
import { ask } from '../lib/dialog';
import { byId, control, h } from '../lib/dom';

const form = byId('import', HTMLFormElement);
const button = form.querySelector('button');

async function send(file: File, dry: boolean): Promise<unknown> {
	const reply = await request('POST',
	    `/api/import/db${dry ? '?dry_run=1' : ''}`, file,
	    'application/octet-stream');

	return reply.json();
}

/* The summary as rows of name and number, whatever it counts. */
function rows(value: unknown, prefix = ''): [string, string][] {
	if (value === null || typeof value !== 'object')
		return [];
	return Object.entries(value).flatMap(([name, part]) => {
		const label = prefix + name.replaceAll('_', ' ');

		if (Array.isArray(part))
			return part.length ? [[label, String(part.length)]] : [];
		if (part !== null && typeof part === 'object')
			return rows(part, '');
		return part === null || name === 'status' ? [] :
		    [[label, String(part)]];
	});
}

function table(summary: unknown): HTMLElement {
	return h('div', { class: 'scroll' }, h('table', {}, h('tbody', {},
	    ...rows(summary).map(([name, count]) => h('tr', {},
	        h('th', { scope: 'row' }, name),
	        h('td', { class: 'num' }, count))))));
}

async function importFile(): Promise<void> {
	const file = control(form, 'file', HTMLInputElement).files?.[0];
	let result: unknown;

	if (!file)
		throw new Error('Choose a file first.');
	const summary = await send(file, true);
	const done = await ask({
		title: `Replace the database with ${file.name}?`,
		content: [table(summary),
		    'Everything on this server is replaced by what the file ' +
		    'holds. The database of now is kept as a snapshot, and your ' +
		    'own account can still sign in.'],
		verb: 'Replace the database',
		danger: true,
		act: async () => {
			result = await send(file, false);
		},
	});

	if (!done)
		return;
	form.reset();
	await ask({
		title: 'The database is imported',
		content: [table(result), 'Accounts may have to sign in again.'],
		verb: 'Done',
		single: true,
	});
	location.reload();
}

export function importForm(failed: (error: unknown) => void): void {
	form.addEventListener('submit', (event) => {
		event.preventDefault();
		if (button)
			button.disabled = true;
		importFile().catch(failed).finally(() => {
			if (button)
				button.disabled = false;
		});
	});
}
