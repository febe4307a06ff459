/* The JSON routes of the stand-in: for a signed-in user, and for an admin.
 * Each returns the reply, or undefined for a path it does not know. */
export class Refusal extends Error {
	constructor(status, message, headers = {}) {
		super(message);
		this.status = status;
		this.headers = headers;
	}
}

export function userRoute(mock, path, { req, url, body, user }) {
	const [, kind, id] = /^\/api\/(\w+)\/(?:db|([\w-]+))/
		.exec(path) ?? [];
	const row = (c) => ({ ...c, owner: undefined, messages: undefined });

	if (path === '/api/history') {
		const mine = [...mock.conversations.values()]
			.filter((c) => c.owner === user.user_id)
			.sort((a, b) => Number(b.pinned) - Number(a.pinned) ||
			    b.updated_at.localeCompare(a.updated_at));
		const from = mine.findIndex((c) =>
		    c.id === url.searchParams.get('before')) + 1;

		return mine.slice(from,
		    from + Number(url.searchParams.get('limit') ?? 200))
			.map(row);
	}
	if (path === '/api/provider/config')
		return { ...mock.provider, api_key_set: false };
	if (path === '/api/export/db')
		return {
			attachment: 'SQLite format 3\0', filename: 'localneural.db',
		};
	if (kind === 'chat' && req.method === 'GET') {
		const c = mock.owned(user, id);
		const turn = mock.running.get(id);
		const partial = turn ? [{
			...mock.emptyAnswer(), id: turn.id,
			content: turn.journal,
		}] : [];

		return {
			messages: [...c.messages, ...partial], model: c.model,
			system_prompt: null, project_id: null,
		};
	}
	if (kind === 'sessions' && req.method === 'DELETE') {
		mock.conversations.delete(mock.owned(user, id).id);
		return { status: 'success' };
	}
	if (kind === 'rename') {
		mock.owned(user, id).title = body.title;
		return { status: 'success', title: body.title };
	}
	if (kind === 'pin')
		return { pinned: mock.owned(user, id).pinned = body.pinned };
	if (kind === 'archive')
		return {
			archived: mock.owned(user, id).archived = body.archived,
		};
	if (kind === 'export') {
		const c = mock.owned(user, id);

		return {
			attachment: c.messages.map((m) => m.content).join('\n\n'),
			filename: 'conversation.md',
		};
	}
	return undefined;
}

export function adminRoute(mock, path, { req, url, body, raw }) {
	const id = path.split('/')[4];
	const target = () => {
		const user = mock.users.find((u) => u.user_id === id);

		if (!user)
			throw new Refusal(404, 'Not found');
		return user;
	};
	const lastAdmin = (user) => {
		if (user.role === 'admin' && !mock.users.some((u) =>
		    u !== user && u.role === 'admin' && !u.blocked))
			throw new Refusal(409,
			    'The last active admin can’t be changed');
	};
	const done = { status: 'success' };

	if (path === '/api/admin/users' && req.method === 'GET') {
		const q = url.searchParams.get('q') ?? '';
		const found = mock.users.filter((u) =>
		    `${u.username} ${u.email}`.includes(q));
		const from = Number(url.searchParams.get('offset') ?? 0);

		return {
			users: found.slice(from, from + 100)
				.map((u) => ({ ...u, password: undefined })),
			total: found.length,
		};
	}
	if (path === '/api/admin/users') {
		if (mock.user(body.username))
			throw new Refusal(409, 'That name is taken');
		return { ...done, user_id: mock.addUser(body.username,
		    body.password, body.role, body.email ?? null).user_id };
	}
	if (path.endsWith('/role')) {
		if (body.role !== 'admin')
			lastAdmin(target());
		target().role = body.role;
		return done;
	}
	if (path.endsWith('/block')) {
		if (body.blocked)
			lastAdmin(target());
		if (body.revoke_sessions)
			mock.signOut(target());
		return { blocked: target().blocked = body.blocked };
	}
	if (path.endsWith('/password')) {
		target().password = body.password;
		return done;
	}
	if (path.endsWith('/sessions/revoke')) {
		mock.signOut(target());
		return done;
	}
	if (path.startsWith('/api/admin/users/') &&
	    req.method === 'DELETE') {
		lastAdmin(target());
		mock.users = mock.users.filter((u) => u.user_id !== id);
		return done;
	}
	if (path === '/api/admin/settings') {
		if (req.method === 'GET')
			return mock.settings;
		const { api_key: key, ...rest } = body;

		Object.assign(mock.settings, rest, key ?
		    { api_key_set: true, api_key_last4: key.slice(-4) } : {});
		return done;
	}
	if (path === '/api/import/db') {
		if (!raw.subarray(0, 15).equals(
		    Buffer.from('SQLite format 3')))
			throw new Refusal(400, 'Invalid database file');
		return { ...done, users: 2, conversations: 5, messages: 40 };
	}
	return undefined;
}
