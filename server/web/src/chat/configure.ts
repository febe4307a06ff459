/*
 * The dialog of one conversation: its model, temperature and system prompt,
 * and the options that this browser sends with every message.
 */
import { api, explain } from '../lib/api';
import { ask } from '../lib/dialog';
import { h } from '../lib/dom';
import { field } from '../lib/field';
import { offerTemplates } from '../lib/templates';
import { toast } from '../lib/toast';
import type { Wish } from './chat';
import { path } from './conversations';
import { keepOptions, type Options, OPTIONS, readOptions } from './options';

interface Config {
	model: string | null;
	system_prompt: string | null;
	temperature: number | null;
}

function number(name: string, value: number | null | undefined, min: number,
    max: number, step: number | 'any'): HTMLInputElement {
	return h('input', {
		name, type: 'number', min, max, step, value: value ?? '',
		autocomplete: 'off',
	});
}

/* Empty is no choice. */
function read(input: HTMLInputElement, label: string): number | null {
	if (!input.validity.valid)
		throw new Error(`${label}: a number from ${input.min} to ` +
		    `${input.max}.`);
	return input.value === '' ? null : Number(input.value);
}

/**
 * Asks what a conversation is to have of its own; a new one (null) takes it
 * along with its first message.  Resolves to its model when it was saved:
 * null for the person's usual one.
 */
export async function configure(id: string | null, wish: Wish,
    keep: (wish: Wish) => void): Promise<string | null | undefined> {
	const at = id === null ? '' : `/api/session/${path(id)}/config`;
	const now: Config = id === null ? {
		model: wish.model ?? null,
		system_prompt: wish.system_prompt ?? null,
		temperature: null,
	} : await api<Config>('GET', at);
	const names = h('datalist', { id: 'model-names' });
	const model = h('input', {
		name: 'model', list: 'model-names', maxlength: 200,
		value: now.model ?? '', autocomplete: 'off', spellcheck: 'false',
	});
	const temperature = number('temperature', now.temperature, 0, 2, 'any');
	const prompt = h('textarea', {
		class: 'input', name: 'system_prompt', rows: 4,
	}, now.system_prompt ?? '');
	const template = h('select', { 'aria-label': 'Template' },
	    h('option', { value: '' }, 'Begin from a template'));
	const options = readOptions();
	const inputs = OPTIONS.map(({ name, label, min, max, step }) => ({
		name, label, input: number(name, options[name], min, max, step),
	}));
	let chosen: string | null = null;

	api<string[]>('GET', '/api/provider/models')
		.then((list) => names.replaceChildren(...list.map((value) =>
		    h('option', { value }))))
		.catch(() => undefined);	/* a name can be typed all the same */
	offerTemplates(template, prompt, (error) => toast(explain(error)));
	const saved = await ask({
		title: 'This conversation',
		content: [
			field('Model', model, 'Empty: your usual one.'), names,
			...(id === null ? [] : [field('Temperature', temperature,
			    '0 to 2. Empty: as in your settings.')]),
			field('System prompt', prompt,
			    'Tells the model how to behave. Empty: yours.'),
			template,
			h('details', {}, h('summary', {}, 'More options'),
			    h('div', { class: 'options' },
			        ...inputs.map(({ label, input }) =>
			            field(label, input)),
			        h('p', { class: 'note' }, 'Sent with every message ' +
			            'from this browser. Empty: the model’s own.'))),
		],
		verb: 'Save',
		act: async () => {
			const kept: Options = {};

			for (const { name, label, input } of inputs) {
				const value = read(input, label);

				if (value !== null)
					kept[name] = value;
			}
			chosen = model.value.trim() || null;
			if (id === null)
				keep({
					...(wish.project_id ?
					    { project_id: wish.project_id } : {}),
					...(chosen ? { model: chosen } : {}),
					...(prompt.value.trim() ?
					    { system_prompt: prompt.value } : {}),
				});
			else
				await api('POST', at, {
					model: chosen ?? '',
					system_prompt: prompt.value,
					temperature: read(temperature, 'Temperature'),
				});
			keepOptions(kept);
		},
	});

	return saved ? chosen : undefined;
}
