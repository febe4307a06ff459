/* What a person brings along: the file is looked at, then asked, then taken. */
import { request } from '../lib/api';
import { ask } from '../lib/dialog';
import { byId, h } from '../lib/dom';
import { toast } from '../lib/toast';

interface Count {
	added: number;
	/** Here already. */
	present: number;
	skipped: number;
}

interface Report {
	format: string;
	counts: Record<string, Count>;
	notes: { what: string; reason: string; is_kept: boolean;
	    count: number }[];
}

const FORMATS: Record<string, string> = {
	localneural: 'an export of LocalNeural',
	chatgpt: 'an export of ChatGPT',
	open_webui: 'an export of Open WebUI',
	legacy: 'an export of the earlier LocalNeural',
};

async function send(file: File, dry: boolean): Promise<Report> {
	const reply = await request('POST',
	    `/api/import/data${dry ? '?dry_run=1' : ''}`, file,
	    'application/json');

	return await reply.json() as Report;
}

/* One row for each kind of thing that the file has. */
function table({ counts, notes }: Report): HTMLElement {
	const rows = Object.entries(counts).filter(([, count]) =>
	    count.added + count.present + count.skipped > 0);
	const cell = (count: number): HTMLElement =>
	    h('td', { class: 'num' }, String(count));

	return h('div', { class: 'report' },
	    h('div', { class: 'scroll', tabindex: 0, role: 'region',
	        'aria-label': 'What the file has' }, h('table', {},
	        h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'What'),
	            ...['new', 'here already', 'left out'].map((title) =>
	                h('th', { scope: 'col' }, title)))),
	        h('tbody', {}, ...rows.map(([what, count]) => h('tr', {},
	            h('th', { scope: 'row' }, what.replaceAll('_', ' ')),
	            cell(count.added), cell(count.present),
	            cell(count.skipped)))))),
	    notes.length > 0 && h('ul', { class: 'findings' },
	        ...notes.map(({ what, reason, count }) => h('li', {},
	            `${what.replaceAll('_', ' ')}: ${reason}` +
	            (count > 1 ? ` (${count} times)` : '')))));
}

async function bring(file: File): Promise<void> {
	toast('Looking at the file …');
	const found = await send(file, true);
	const news = Object.values(found.counts)
		.reduce((sum, { added }) => sum + added, 0);
	let result = found;

	toast('');
	if (news === 0) {
		await ask({
			title: 'There is nothing new in the file',
			content: [table(found)],
			verb: 'Close',
			single: true,
		});
		return;
	}
	const done = await ask({
		title: `Bring along what is in ${file.name}?`,
		content: [
			`It is ${FORMATS[found.format] ?? 'an export'}. What is ` +
			    'here already stays as it is.',
			table(found),
		],
		verb: 'Import',
		act: async () => {
			result = await send(file, false);
		},
	});

	if (done)
		await ask({
			title: 'The data is imported',
			content: [table(result)],
			verb: 'Done',
			single: true,
		});
}

export function importButton(failed: (error: unknown) => void): void {
	const picker = byId('data-file', HTMLInputElement);
	const button = byId('data-import', HTMLButtonElement);

	button.addEventListener('click', () => picker.click());
	picker.addEventListener('change', () => {
		const file = picker.files?.[0];

		picker.value = '';
		if (!file)
			return;
		button.disabled = true;
		bring(file).catch(failed).finally(() => {
			button.disabled = false;
		});
	});
}
