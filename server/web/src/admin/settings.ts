/* The settings everyone shares. */
import { api } from '../lib/api';
import { byId, control, h } from '../lib/dom';
import { toast } from '../lib/toast';
import type { Settings } from '../lib/types';

const PROVIDERS: [string, string][] = [
	['offline', 'offline (no model)'],
	['ollama', 'Ollama'],
	['openai', 'OpenAI or compatible'],
	['anthropic', 'Anthropic'],
	['gemini', 'Google Gemini'],
];

const form = byId('settings', HTMLFormElement);
const flag = control(form, 'allow_registration', HTMLInputElement);
const provider = control(form, 'provider', HTMLSelectElement);
const model = control(form, 'model', HTMLInputElement);
const baseUrl = control(form, 'base_url', HTMLInputElement);
const apiKey = control(form, 'api_key', HTMLInputElement);
const prompt = control(form, 'system_prompt', HTMLTextAreaElement);

export async function loadSettings(): Promise<void> {
	fill(await api<Settings>('GET', '/api/admin/settings'));
}

function fill(settings: Settings): void {
	const known = PROVIDERS.some(([name]) => name === settings.provider);

	provider.replaceChildren(...PROVIDERS.map(([value, label]) =>
	    h('option', { value }, label)));
	if (!known)
		provider.append(h('option', {}, settings.provider));
	provider.value = settings.provider;
	flag.checked = settings.allow_registration;
	model.value = settings.model ?? '';
	baseUrl.value = settings.base_url ?? '';
	prompt.value = settings.system_prompt ?? '';
	apiKey.value = '';
	byId('key-note', HTMLElement).textContent = settings.api_key_set ?
	    `A key is set${settings.api_key_last4 ?
	        ` (ends in ${settings.api_key_last4})` : ''}. ` +
	    'Leave this empty to keep it.' : 'No key is set.';
}

async function save(): Promise<void> {
	await api('POST', '/api/admin/settings', {
		allow_registration: flag.checked,
		provider: provider.value,
		model: model.value.trim(),
		base_url: baseUrl.value.trim(),
		system_prompt: prompt.value,
		...(apiKey.value ? { api_key: apiKey.value } : {}),
	});
	await loadSettings();
	toast('The settings are saved.');
}

export function settingsForm(failed: (error: unknown) => void): void {
	form.addEventListener('submit', (event) => {
		event.preventDefault();
		save().catch(failed);
	});
}
