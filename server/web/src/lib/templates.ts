/* The system prompts that come with the program, to begin from. */
import { api } from './api';
import { h } from './dom';

interface Template {
	name: string;
	title: string;
	content: string;
}

/** Makes a select put its choice into the text; empty lists hide it. */
export function offerTemplates(select: HTMLSelectElement,
    text: HTMLTextAreaElement, failed: (error: unknown) => void): void {
	let templates: Template[] = [];

	select.addEventListener('change', () => {
		const chosen = templates.find(({ name }) => name === select.value);

		if (chosen) {
			text.value = chosen.content;
			text.focus();
		}
		select.value = '';
	});
	api<{ templates: Template[] }>('GET', '/api/config')
		.then((config) => {
			({ templates } = config);
			select.replaceChildren(
			    h('option', { value: '' }, 'Begin from a template'),
			    ...templates.map(({ name, title }) =>
			        h('option', { value: name }, title)));
		})
		.catch(failed);
}
