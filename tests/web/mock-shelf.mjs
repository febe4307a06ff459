/* The stand-in's routes for what orders conversations and finds them: groups,
 * tags, search, deleting many at once. */
import { Refusal } from './mock-routes.mjs';

const done = { status: 'success' };

const escape = (text) => text.replace(/[&<>"']/g, (c) => ({
	'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\'': '&#39;',
})[c]);

const mine = (mock, user) => [...mock.conversations.values()]
	.filter((c) => c.owner === user.user_id);

const row = (c) => ({ ...c, owner: undefined, messages: undefined });

function groups(mock, id, { req, body, user }) {
	const own = mock.groups.filter((g) => g.owner === user.user_id);
	const at = mock.groups.findIndex((g) => g.id === id &&
	    g.owner === user.user_id);

	if (req.method === 'GET')
		return own.map(({ id: gid, title }) => ({ id: gid, title }));
	if (req.method === 'POST') {
		const group = {
			id: `g${mock.nextId++}`, title: body.title,
			owner: user.user_id,
		};

		mock.groups.push(group);
		return { id: group.id, title: group.title };
	}
	if (at < 0)
		throw new Refusal(404, 'Not found');
	if (req.method === 'PUT') {
		mock.groups[at].title = body.title;
		return { id, title: body.title };
	}
	mock.groups.splice(at, 1);
	for (const c of mine(mock, user))
		if (c.group_id === id)
			c.group_id = null;
	return done;
}

function search(mock, { url, user }) {
	const want = (name) => url.searchParams.get(name);
	const q = want('q').toLowerCase();
	const hits = mine(mock, user)
		.filter((c) => !want('tag') || c.tags.includes(want('tag')))
		.flatMap((c) => c.messages
			.filter((m) => m.content.toLowerCase().includes(q) &&
			    (!want('role') || m.role === want('role')))
			.map((m) => {
				const at = m.content.toLowerCase().indexOf(q);
				const part = (from, to) =>
					escape(m.content.slice(from, to));

				return {
					id: m.id, session_id: c.id, session_title: c.title,
					role: m.role, timestamp: m.timestamp,
					model: m.model, snippet: part(0, at) + '<mark>' +
					    part(at, at + q.length) + '</mark>' +
					    part(at + q.length),
				};
			}));
	const from = Number(want('offset') ?? 0);

	mock.searches.push(url.search);
	if (mock.searchFails)
		throw new Refusal(409, 'The search index is being rebuilt');
	return hits.slice(from, from + Number(want('limit')));
}

/** The reply, or undefined for a path that is not of these. */
export function shelfRoute(mock, path, args) {
	const { req, body, user } = args;
	const parts = path.split('/').slice(2).map(decodeURIComponent);
	const [kind, id, what, name] = parts;

	if (kind === 'groups')
		return groups(mock, id, args);
	if (path === '/api/search')
		return search(mock, args);
	if (path === '/api/sessions/group') {
		mock.owned(user, body.session_id).group_id = body.group_id;
		return done;
	}
	if (path === '/api/bulk-delete') {
		for (const one of body.ids)
			mock.owned(user, one);
		for (const one of body.ids)
			mock.conversations.delete(one);
		return done;
	}
	if (kind === 'tags' && id === undefined) {
		const counts = new Map();

		for (const tag of mine(mock, user).flatMap((c) => c.tags))
			counts.set(tag, 1 + (counts.get(tag) ?? 0));
		return [...counts].sort().map(([tag, count]) => ({ tag, count }));
	}
	if (kind === 'tags' && what === 'sessions')
		return mine(mock, user).filter((c) => c.tags.includes(id)).map(row);
	if (kind === 'sessions' && what === 'tags') {
		const c = mock.owned(user, id);

		c.tags = c.tags.filter((tag) => tag !== (name ?? body.tag));
		if (req.method === 'POST')
			c.tags.push(body.tag);
		return c.tags;
	}
	return undefined;
}
