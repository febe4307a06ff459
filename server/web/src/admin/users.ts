/* The table of people and what an admin does to them. */
import { api } from '../lib/api';
import { ask } from '../lib/dialog';
import { byId, control, h } from '../lib/dom';
import { field } from '../lib/field';
import { timeElement } from '../lib/time';
import { toast } from '../lib/toast';
import type { Account } from '../lib/types';
import { clipboardButton, randomPassword } from './parts';

const PAGE = 100;

interface Page {
	users: Account[];
	total: number;
}

export class Users {
	private readonly body = byId('users', HTMLTableSectionElement);
	private readonly filter = byId('filter', HTMLInputElement);
	private readonly count = byId('count', HTMLElement);
	private readonly moreButton = byId('more-users', HTMLElement);
	private rows: Account[] = [];
	private total = 0;
	private asked = 0;
	private timer = 0;

	/** `failed` shows what went wrong. */
	constructor(private readonly failed: (error: unknown) => void) {
		this.filter.addEventListener('input', () => {
			clearTimeout(this.timer);
			this.timer = window.setTimeout(() => this.run(this.load()), 250);
		});
		this.moreButton.addEventListener('click',
		    () => this.run(this.load(this.rows.length)));
		byId('create', HTMLElement).addEventListener('click',
		    () => this.run(this.create()));
	}

	/** Reads from `offset`; 0 reads the table anew. */
	async load(offset = 0): Promise<void> {
		const mine = ++this.asked;
		const query = new URLSearchParams({
			q: this.filter.value.trim(),
			limit: String(PAGE), offset: String(offset),
		});
		const page = await api<Page>('GET', `/api/admin/users?${query}`);

		if (mine !== this.asked)
			return;
		this.rows = offset ? [...this.rows, ...page.users] : page.users;
		this.total = page.total;
		this.draw();
	}

	private run(work: Promise<void>): void {
		work.catch(this.failed);
	}

	private draw(): void {
		this.count.textContent = this.rows.length < this.total ?
		    `${this.rows.length} of ${this.total}` : `${this.total}`;
		this.moreButton.hidden = this.rows.length >= this.total;
		this.body.replaceChildren(...this.rows.map((row) => this.row(row)));
		if (this.rows.length === 0)
			this.body.append(h('tr', {}, h('td', {
				colspan: 7, class: 'note',
			}, 'Nobody matches.')));
	}

	private row(user: Account): HTMLElement {
		return h('tr', { 'data-user': user.username },
		    h('th', { scope: 'row' }, user.username),
		    h('td', {}, user.email ?? '—'),
		    h('td', {}, this.role(user)),
		    h('td', { class: 'state-cell' }, h('span', {
		        class: user.blocked ? 'state blocked' : 'state',
		    }, user.blocked ? 'blocked' : 'active')),
		    h('td', { class: 'when' }, timeElement(user.created_at)),
		    h('td', { class: 'when' }, timeElement(user.last_login_at)),
		    h('td', { class: 'acts-cell' }, h('div', { class: 'row' },
		        this.button(user.blocked ? 'Unblock' : 'Block', user,
		            () => user.blocked ? this.unblock(user) :
		                this.block(user)),
		        this.button('Reset password', user,
		            () => this.password(user)),
		        this.button('Delete', user, () => this.remove(user)))));
	}

	private button(verb: string, user: Account,
	    run: () => Promise<void>): HTMLElement {
		return h('button', {
			type: 'button', class: 'btn',
			'aria-label': `${verb} ${user.username}`,
			on: { click: () => this.run(run()) },
		}, verb);
	}

	private role(user: Account): HTMLElement {
		const select = h('select', { 'aria-label': `Role of ${user.username}` },
		    ...['user', 'admin'].map((role) => h('option', {
		        value: role, selected: role === user.role,
		    }, role)));

		select.addEventListener('change', () => {
			const role = select.value;

			select.value = user.role;
			this.run(this.setRole(user, role));
		});
		return select;
	}

	private async setRole(user: Account, role: string): Promise<void> {
		await ask({
			title: `Make ${user.username} ${role === 'admin' ?
			    'an admin' : 'an ordinary user'}?`,
			content: ['This ends the sessions of that account: ' +
			    'it has to sign in again.'],
			verb: 'Change the role',
			act: async () => {
				await api('PUT', `/api/admin/users/${id(user)}/role`,
				    { role });
				await this.load();
			},
		});
	}

	private async block(user: Account): Promise<void> {
		const sessions = h('input', { type: 'checkbox', name: 'sessions' });

		await ask({
			title: `Block ${user.username}?`,
			content: ['A blocked account can read and export its own ' +
			    'data and nothing else. It takes effect at once.',
			    h('label', { class: 'check' }, sessions,
			        'Also end its sessions')],
			verb: 'Block',
			danger: true,
			act: async () => {
				await this.setBlocked(user, {
					blocked: true,
					revoke_sessions: sessions.checked,
				});
				await this.load();
			},
		});
	}

	private async unblock(user: Account): Promise<void> {
		await this.setBlocked(user, { blocked: false });
		await this.load();
		toast(`${user.username} is active again.`);
	}

	private async setBlocked(user: Account, change: {
		blocked: boolean; revoke_sessions?: boolean;
	}): Promise<void> {
		await api('POST', `/api/admin/user/${id(user)}/block`, change);
	}

	private async password(user: Account): Promise<void> {
		const password = randomPassword();
		const set = await ask({
			title: `Reset the password of ${user.username}?`,
			content: ['A random password is set and shown once. ' +
			    'All sessions of the account end.'],
			verb: 'Reset the password',
			danger: true,
			act: async () => {
				await api('POST', `/api/admin/user/${id(user)}/password`,
				    { password });
			},
		});

		if (set)
			await showSecret(`The new password of ${user.username}`,
			    password);
	}

	private async remove(user: Account): Promise<void> {
		const name = h('input', { name: 'name', autocomplete: 'off' });

		await ask({
			title: `Delete ${user.username}?`,
			content: ['The account and everything it owns is deleted. ' +
			    'This can’t be undone.',
			    field(`Type ${user.username} to confirm`, name)],
			verb: 'Delete',
			danger: true,
			act: async () => {
				if (name.value !== user.username)
					throw new Error('The name does not match.');
				await api('DELETE', `/api/admin/users/${id(user)}`);
				await this.load();
			},
		});
	}

	private async create(): Promise<void> {
		const password = randomPassword();
		let username = '';
		const made = await ask({
			title: 'Create a user',
			content: [
			    field('Name', h('input', {
			        name: 'username', autocomplete: 'off', maxlength: 64,
			    }), 'Letters, digits, dot, underscore, hyphen.'),
			    field('E-mail (optional)', h('input', {
			        name: 'email', inputmode: 'email', autocomplete: 'off',
			        maxlength: 254,
			    })),
			    field('Role', h('select', { name: 'role' },
			        h('option', {}, 'user'), h('option', {}, 'admin'))),
			    h('p', { class: 'note' },
			        'A random password is made and shown once.')],
			verb: 'Create',
			act: async (form) => {
				const email = control(form, 'email', HTMLInputElement)
					.value.trim();

				username = control(form, 'username', HTMLInputElement)
					.value.trim();
				await api('POST', '/api/admin/users', {
					username,
					password,
					role: control(form, 'role', HTMLSelectElement).value,
					...(email ? { email } : {}),
				});
				await this.load();
			},
		});

		if (made)
			await showSecret(`The password of ${username}`, password);
	}
}

async function showSecret(title: string, secret: string): Promise<void> {
	await ask({
		title,
		content: ['It is shown this once. Hand it over safely.',
		    h('p', { class: 'secret' }, secret), clipboardButton(secret)],
		verb: 'Done',
		single: true,
	});
}

function id(user: Account): string {
	return encodeURIComponent(user.user_id);
}
