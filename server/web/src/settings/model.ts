/* Which model answers the person of this account. */
import { api } from '../lib/api';
import { byId, control } from '../lib/dom';
import { ModelForm } from '../lib/model-form';
import { offerTemplates } from '../lib/templates';
import { toast } from '../lib/toast';
import type { ModelSettings } from '../lib/types';

const PATH = '/api/user/settings';

export function modelForm(failed: (error: unknown) => void): void {
	const form = byId('settings', HTMLFormElement);
	const load = async (): Promise<void> =>
		fields.fill(await api<ModelSettings>('GET', PATH));
	const save = async (change: Record<string, unknown>,
	    done: string): Promise<void> => {
		await api('POST', PATH, change);
		await load();
		toast(done);
	};
	const fields = new ModelForm(form, 'user', () =>
	    void save({ api_key: '' }, 'The key is forgotten.').catch(failed));

	form.addEventListener('submit', (event) => {
		event.preventDefault();
		Promise.resolve()
			.then(() => save(fields.changes(), 'Saved.'))
			.catch(failed);
	});
	offerTemplates(byId('settings-template', HTMLSelectElement),
	    control(form, 'system_prompt', HTMLTextAreaElement), failed);
	load().catch(failed);
}
