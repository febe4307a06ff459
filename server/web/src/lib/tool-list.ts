/* The tools a model may call: of a person, or those everybody has. */
import { api } from './api';
import { ask } from './dialog';
import { byId, h } from './dom';
import { field } from './field';
import { toast } from './toast';
import type { Tool } from './types';

const EXAMPLE = `{
  "name": "weather",
  "description": "The weather of a place",
  "parameters": {
    "type": "object",
    "properties": { "place": { "type": "string" } },
    "required": ["place"]
  },
  "endpoint": {
    "url": "https://weather.example/now?q={place}",
    "method": "GET"
  }
}`;

const KINDS: Record<Tool['kind'], string> = {
	builtin: 'built in',
	http: 'called over HTTP',
	bare: 'without an endpoint: a call ends in an error',
};

type Switch = 'enabled' | 'asks_first';

/** Fills the list of the page and makes its button work. */
export function toolList(level: 'user' | 'instance',
    failed: (error: unknown) => void): void {
	const list = byId('tools', HTMLElement);
	const shown = (tool: Tool): boolean => level === 'user' || tool.is_global;
	/* Everybody's own tools belong to the administrators. */
	const mayChange = (tool: Tool): boolean => level === 'instance' ||
	    !tool.is_global || tool.kind === 'builtin';
	const load = async (): Promise<void> => {
		const tools = await api<Tool[]>('GET', '/api/tools');

		list.replaceChildren(...tools.filter(shown).map(row));
	};
	const act = (work: Promise<void>): void => {
		work.catch((error: unknown) => {
			failed(error);
			return load();
		}).catch(failed);
	};
	const change = async (tool: Tool, name: Switch,
	    value: boolean): Promise<void> => {
		await api('PUT', path(tool), {
			[name]: value,
			...(level === 'instance' ? { is_global: true } :
			    tool.kind === 'builtin' ? { is_global: false } : {}),
		});
		await load();
	};
	const toggle = (tool: Tool, name: Switch, label: string): HTMLElement => {
		const box = h('input', {
			type: 'checkbox', 'aria-label': `${label}: ${tool.name}`,
			checked: tool[name], disabled: !mayChange(tool),
		});

		box.addEventListener('change',
		    () => act(change(tool, name, box.checked)));
		return h('label', { class: 'check' }, box, label);
	};
	const remove = async (tool: Tool): Promise<void> => {
		await ask({
			title: `Delete the tool ${tool.name}?`,
			content: ['Models can’t call it any more. ' +
			    'What it answered before stays in the conversations.'],
			verb: 'Delete',
			danger: true,
			act: async () => {
				await api('DELETE', path(tool));
				await load();
			},
		});
	};
	const row = (tool: Tool): HTMLElement => h('li', {},
	    h('div', { class: 'about' },
	        h('code', {}, tool.name),
	        h('small', { class: 'note' }, tool.description ?? ''),
	        h('small', { class: 'note' }, [
		        KINDS[tool.kind],
		        tool.is_global && level === 'user' && tool.kind !== 'builtin' ?
		            'everybody’s' : '',
		        tool.available ? '' : 'not set up on this server',
	        ].filter(Boolean).join(' · '))),
	    toggle(tool, 'enabled', 'Enabled'),
	    toggle(tool, 'asks_first', 'Ask first'),
	    tool.kind !== 'builtin' && mayChange(tool) && h('button', {
		    type: 'button', class: 'btn', 'aria-label': `Delete ${tool.name}`,
		    on: { click: () => act(remove(tool)) },
	    }, 'Delete'));
	const add = async (): Promise<void> => {
		const text = h('textarea', {
			class: 'input code', rows: 14, spellcheck: 'false',
		}, EXAMPLE);
		const asks = h('input', { type: 'checkbox', checked: true });
		const added = await ask({
			title: level === 'user' ? 'Add a tool' :
			    'Add a tool for everybody',
			content: [
				field('Definition', text, 'A function in JSON, as OpenAI ' +
				    'describes them, with an endpoint to call.'),
				h('label', { class: 'check' }, asks, 'Ask first'),
			],
			verb: 'Add',
			act: async () => {
				await api('POST', '/api/tools', {
					definition: parse(text.value),
					asks_first: asks.checked,
					...(level === 'instance' ? { is_global: true } : {}),
				});
				await load();
			},
		});

		if (added)
			toast('The tool is added.');
	};

	byId('tool-add', HTMLElement).addEventListener('click', () => act(add()));
	load().catch(failed);
}

function path(tool: Tool): string {
	return `/api/tools/${encodeURIComponent(tool.id)}`;
}

function parse(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		throw new Error('The definition is not valid JSON.');
	}
}
