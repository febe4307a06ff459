/* What the sidebar lists: the person's conversations, a page at a time. */
import { api, apiPage } from '../lib/api';
import type { Conversation } from '../lib/types';

const PAGE = 100;

export class Conversations {
	readonly byId = new Map<string, Conversation>();
	/** There are older ones on the server. */
	more = false;
	private cursor: string | null = null;
	private asked: Promise<void> | null = null;
	private older: Promise<void> | null = null;

	constructor(private readonly changed: () => void) {
	}

	/** Loads the first page again; calls at the same time share one. */
	refresh(): Promise<void> {
		this.asked ??= this.page(null).finally(() => {
			this.asked = null;
		});
		return this.asked;
	}

	loadMore(): Promise<void> {
		this.older ??= this.page(this.cursor).finally(() => {
			this.older = null;
		});
		return this.older;
	}

	/** Reads those that have a tag, however old. */
	async tagged(tag: string): Promise<void> {
		const rows = await api<Conversation[]>('GET',
		    `/api/tags/${path(tag)}/sessions`);

		for (const row of rows)
			this.byId.set(row.id, row);
		this.changed();
	}

	/** Pages on until the conversation's row is there, if it exists. */
	async find(id: string): Promise<void> {
		while (!this.byId.has(id) && this.more)
			await this.loadMore();
	}

	/** A new conversation: only id and title are known yet. */
	add(id: string, title: string): void {
		if (this.byId.has(id))
			return;
		this.byId.set(id, {
			id, title, model: null, archived: false, pinned: false,
			total_tokens: 0, updated_at: new Date().toISOString(),
		});
		this.changed();
	}

	update(id: string, change: Partial<Conversation>): void {
		const row = this.byId.get(id);

		if (!row)
			return;
		this.byId.set(id, { ...row, ...change });
		this.changed();
	}

	/** Something was said there just now. */
	touch(id: string): void {
		this.update(id, { updated_at: new Date().toISOString() });
		if (!this.byId.has(id))
			void this.refresh().catch(() => undefined);
	}

	async rename(id: string, title: string): Promise<void> {
		await api('POST', `/api/rename/${path(id)}`, { title });
		this.update(id, { title });
	}

	async pin(id: string, pinned: boolean): Promise<void> {
		await api('POST', `/api/pin/${path(id)}`, { pinned });
		this.update(id, { pinned });
	}

	async archive(id: string, archived: boolean): Promise<void> {
		await api('POST', `/api/archive/${path(id)}`, { archived });
		this.update(id, { archived });
	}

	/** Moves it into a group, or (null) out of any. */
	async group(id: string, group: string | null): Promise<void> {
		await api('POST', '/api/sessions/group',
		    { session_id: id, group_id: group });
		this.update(id, { group_id: group });
	}

	async addTag(id: string, tag: string): Promise<void> {
		const { tags } = await api<{ tags: string[] }>('POST',
		    `/api/sessions/${path(id)}/tags`, { tag });

		this.update(id, { tags });
	}

	async removeTag(id: string, tag: string): Promise<void> {
		const { tags } = await api<{ tags: string[] }>('DELETE',
		    `/api/sessions/${path(id)}/tags/${path(tag)}`);

		this.update(id, { tags });
	}

	async remove(id: string): Promise<void> {
		await api('DELETE', `/api/sessions/${path(id)}`);
		this.byId.delete(id);
		this.changed();
	}

	/** All of them, or none. */
	async removeAll(ids: string[]): Promise<void> {
		await api('POST', '/api/bulk-delete', { ids });
		for (const id of ids)
			this.byId.delete(id);
		this.changed();
	}

	private async page(before: string | null): Promise<void> {
		const query = new URLSearchParams({
			archived: '1', limit: String(PAGE),
			...(before === null ? {} : { before }),
		});
		const { body: rows, next } = await apiPage<Conversation>(
		    `/api/history?${query}`);

		/* Older pages that were read stay; a first page without a next one
		 * is all there is. */
		if (before === null && next === null)
			this.byId.clear();
		for (const row of rows)
			this.byId.set(row.id, row);
		/* What is older than the pages that were read is still to come. */
		if (before !== null || this.cursor === null || next === null) {
			this.cursor = next;
			this.more = next !== null;
		}
		this.changed();
	}
}

export function path(id: string): string {
	return encodeURIComponent(id);
}
