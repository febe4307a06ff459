/* The person's projects, and what is asked to make and change them. */
import { api } from '../lib/api';
import { ask } from '../lib/dialog';
import { h } from '../lib/dom';
import { field } from '../lib/field';
import type { Project } from '../lib/types';
import { path } from './conversations';

export class Projects {
	list: Project[] = [];

	constructor(private readonly changed: () => void) {
	}

	async refresh(): Promise<void> {
		this.list = await api<Project[]>('GET', '/api/projects');
		this.changed();
	}

	find(id: string): Project | undefined {
		return this.list.find((project) => project.id === id);
	}

	/** Asks for title and description: of a new one, or to change it.
	 * Resolves to its id, or null when nothing was saved. */
	async edit(project: Project | null): Promise<string | null> {
		const title = h('input', {
			value: project?.title ?? '', maxlength: 200, required: true,
			autocomplete: 'off',
		});
		const description = h('textarea', { class: 'input', rows: 4 },
		    project?.description ?? '');
		let id: string | null = null;

		await ask({
			title: project ? 'Change the project' : 'New project',
			content: [
				field('Title', title),
				field('Description', description,
				    'What it is about. Optional.'),
			],
			verb: project ? 'Save' : 'Create',
			act: async () => {
				const body = {
					title: title.value.trim(),
					description: description.value.trim(),
				};

				if (body.title === '')
					throw new Error('A project needs a title.');
				const saved = await api<Project>(
				    project ? 'PUT' : 'POST', project ?
				        `/api/projects/${path(project.id)}` :
				        '/api/projects', body);

				await this.refresh();
				id = saved.id;
			},
		});
		return id;
	}

	async remove(project: Project): Promise<boolean> {
		const count = project.documents;

		return ask({
			title: `Delete the project “${project.title}”?`,
			content: [(count === 0 ? '' : count === 1 ?
			    'Its document is deleted with it. ' :
			    `Its ${count} documents are deleted with it. `) +
			    'Its conversations stay. This can’t be undone.'],
			verb: 'Delete the project',
			danger: true,
			act: async () => {
				await api('DELETE', `/api/projects/${path(project.id)}`);
				await this.refresh();
			},
		});
	}
}
