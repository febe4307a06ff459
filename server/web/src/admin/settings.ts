/* The settings everyone shares. */
import { api } from '../lib/api';
import { byId, control } from '../lib/dom';
import { ModelForm } from '../lib/model-form';
import { toast } from '../lib/toast';
import type { Settings } from '../lib/types';

const form = byId('settings', HTMLFormElement);
const flag = control(form, 'allow_registration', HTMLInputElement);
let model: ModelForm | null = null;

export async function loadSettings(): Promise<void> {
	const settings = await api<Settings>('GET', '/api/admin/settings');

	flag.checked = settings.allow_registration;
	model?.fill(settings);
}

async function save(change: Record<string, unknown>,
    done: string): Promise<void> {
	await api('POST', '/api/admin/settings', change);
	await loadSettings();
	toast(done);
}

export function settingsForm(failed: (error: unknown) => void): void {
	const fields = new ModelForm(form, 'instance', () =>
	    void save({ api_key: '' }, 'The key is forgotten.').catch(failed));

	model = fields;
	form.addEventListener('submit', (event) => {
		event.preventDefault();
		Promise.resolve()
			.then(() => save({
				...fields.changes(), allow_registration: flag.checked,
			}, 'The settings are saved.'))
			.catch(failed);
	});
}
