/* What the sidebar lists: the person's conversations, a page at a time. */
import { api, apiPage } from '../lib/api';
import type { Conversation } from '../lib/types';

const PAGE = 100;
/* When there is a lot to go through; the most that the server gives. */
const LONG_PAGE = 1000;
/* Sorts after every other. */
const NO_TIME = '1970-01-01T00:00:00Z';

export class Conversations {
	readonly byId = new Map<string, Conversation>();
	/** There are older ones on the server. */
	more = false;
	private cursor: string | null = null;
	/** How many rows were read up to the cursor. */
	private reached = 0;
	private asked: Promise<void> | null = null;
	private older: Promise<void> | null = null;
	private turn: Promise<void> = Promise.resolve();

	constructor(private readonly changed: () => void) {
	}

	/** Reads the first page again; calls at the same time share one. */
	refresh(): Promise<void> {
		this.asked ??= this.inTurn(() => this.renew()).finally(() => {
			this.asked = null;
		});
		return this.asked;
	}

	/** Reads the next page. */
	loadMore(): Promise<void> {
		this.older ??= this.inTurn(() => this.next(PAGE)).finally(() => {
			this.older = null;
		});
		return this.older;
	}

	/** Reads those that have a tag, however old. */
	async tagged(tag: string): Promise<void> {
		let cursor: string | null = null;

		do {
			const page: Page = await read(`/api/tags/${path(tag)}/sessions`,
			    { limit: String(LONG_PAGE) }, cursor);

			this.put(page.body);
			cursor = page.next;
		} while (cursor !== null);
		this.changed();
	}

	/** Pages on until the conversation's row is there, if it exists. */
	async find(id: string): Promise<void> {
		while (!this.byId.has(id) && this.more)
			await this.inTurn(() => this.next(LONG_PAGE));
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

	/* One after the other: each begins where the last one ended. */
	private inTurn(work: () => Promise<void>): Promise<void> {
		const turn = this.turn.then(work);

		this.turn = turn.catch(() => undefined);
		return turn;
	}

	private async next(limit: number): Promise<void> {
		if (!this.more)
			return;
		const { body: rows, next } = await history(this.cursor, limit);

		this.put(rows);
		this.reached += rows.length;
		this.end(next);
		this.changed();
	}

	/* What was read beyond the first page is still right, unless something of
	 * it has gone or so much is new that there is a gap. */
	private async renew(): Promise<void> {
		const { body: rows, next } = await history(null, PAGE);
		const isJoined = rows.some(({ id }) => this.byId.has(id));

		if (next === null || !isJoined || this.lacks(rows))
			await this.renewAll(rows, next);
		else
			this.put(rows);
		this.changed();
	}

	/* As far as was read before. */
	private async renewAll(rows: Row[],
	    next: string | null): Promise<void> {
		while (next !== null && rows.length < this.reached) {
			const page: Page = await history(next,
			    Math.min(this.reached - rows.length, LONG_PAGE));

			rows.push(...page.body);
			next = page.next;
		}
		for (const row of this.byId.values())
			if (next === null || isBefore(row, rows.at(-1)))
				this.byId.delete(row.id);
		this.put(rows);
		this.reached = rows.length;
		this.end(next);
	}

	/* Whether one that would stand among these is not with them. */
	private lacks(rows: Row[]): boolean {
		const here = new Set(rows.map(({ id }) => id));

		return [...this.byId.values()].some((row) =>
		    !here.has(row.id) && isBefore(row, rows.at(-1)));
	}

	private put(rows: Row[]): void {
		for (const row of rows)
			this.byId.set(row.id,
			    { ...row, updated_at: row.updated_at ?? NO_TIME });
	}

	private end(next: string | null): void {
		this.cursor = next;
		this.more = next !== null;
	}
}

/* As the server sends it: what another program left may lack its time. */
type Row = Omit<Conversation, 'updated_at'> & { updated_at: string | null };

interface Page {
	body: Row[];
	next: string | null;
}

function read(address: string, query: Record<string, string>,
    before: string | null): Promise<Page> {
	return apiPage<Row>(`${address}?${new URLSearchParams({
		...query, ...(before === null ? {} : { before }),
	})}`);
}

function history(before: string | null, limit: number): Promise<Page> {
	return read('/api/history', { archived: '1', limit: String(limit) },
	    before);
}

/* In the order of the server: pinned ones first, then by time. */
function isBefore(row: Conversation, last: Row | undefined): boolean {
	return last === undefined || (row.pinned === last.pinned ?
	    row.updated_at > (last.updated_at ?? NO_TIME) : row.pinned);
}

export function path(id: string): string {
	return encodeURIComponent(id);
}
