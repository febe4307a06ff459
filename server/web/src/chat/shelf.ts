/* What orders the list: the person's groups and tags. */
import { api } from '../lib/api';
import type { Group, Tag } from '../lib/types';
import { path } from './conversations';

export class Shelf {
	groups: Group[] = [];
	tags: Tag[] = [];

	/** `tagged` says whether there may be any tag: what is not there need
	 * not be asked for. */
	constructor(private readonly changed: () => void,
	    private readonly tagged: () => boolean) {
	}

	async refresh(): Promise<void> {
		const [groups, tags] = await Promise.all([
			api<Group[]>('GET', '/api/groups'),
			this.tagged() ? api<Tag[]>('GET', '/api/tags') : [],
		]);

		this.groups = groups;
		this.tags = tags;
		this.changed();
	}

	async createGroup(title: string): Promise<Group> {
		const group = await api<Group>('POST', '/api/groups', { title });

		this.groups.push(group);
		this.changed();
		return group;
	}

	async renameGroup(id: string, title: string): Promise<void> {
		await api('PUT', `/api/groups/${path(id)}`, { title });
		await this.refresh();
	}

	async removeGroup(id: string): Promise<void> {
		await api('DELETE', `/api/groups/${path(id)}`);
		await this.refresh();
	}

	/** Takes a tag off every conversation. */
	async removeTag(tag: string): Promise<void> {
		await api('DELETE', `/api/tags/${path(tag)}`);
		await this.refresh();
	}
}

/** A tag as the server writes it. */
export function tagName(text: string): string {
	return text.trim().toLowerCase().replace(/^#/, '').replace(/\s+/g, '-');
}
