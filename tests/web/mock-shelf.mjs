/* The stand-in's routes for what orders conversations and finds them: groups,
 * tags, search, deleting many at once. */
import { Refusal } from './mock-routes.mjs';

const done = { status: 'success' };

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

				return {
					id: m.id, session_id: c.id, session_title: c.title,
					role: m.role, timestamp: m.timestamp,
					model: m.model, snippet: m.content,
					marks: [[at, at + q.length]],
				};
			}));
	const from = Number(want('offset') ?? 0);

	mock.searches.push(url.search);
	if (mock.searchFails)
		throw new Refusal(409, 'The search index is being rebuilt');
	return hits.slice(from, from + Number(want('limit')));
}

function fork(mock, c, last) {
	const at = c.messages.findIndex((m) => m.id === last);

	if (at < 0)
		throw new Refusal(404, 'Not found');
	const branch = mock.addConversation(c.owner, `${c.title} (branch)`, [],
	    { parent_id: c.id });

	branch.messages = c.messages.slice(0, at + 1).map((m) =>
	    ({ ...m, id: mock.nextId++ }));
	return { session_id: branch.id };
}

function branches(mock, c) {
	const all = [...mock.conversations.values()];
	const below = (one, depth) => [{
		id: one.id, title: one.title, parent_id: one.parent_id ?? null,
		depth,
	}, ...all.filter((other) => other.parent_id === one.id)
		.flatMap((other) => below(other, depth + 1))];
	let root = c;

	while (root.parent_id)
		root = mock.conversations.get(root.parent_id);
	return below(root, 0);
}

function message(mock, user, id, what, body) {
	const found = mine(mock, user).flatMap((c) => c.messages)
		.find((m) => m.id === id);

	if (!found)
		throw new Refusal(404, 'Not found');
	if (what === 'export')
		return { attachment: found.content, filename: 'message.md' };
	return { pinned: found.pinned = body.pinned ?? !found.pinned };
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
		return { ...done, tags: c.tags };
	}
	if (kind === 'sessions' && what === 'fork')
		return fork(mock, mock.owned(user, id), body.message_id);
	if (kind === 'sessions' && what === 'branches')
		return branches(mock, mock.owned(user, id));
	if (kind === 'messages')
		return message(mock, user, Number(id), what, body);
	if (kind === 'summarize') {
		mock.owned(user, id);
		if (mock.summaryFails)
			throw new Refusal(409, 'The provider did not answer');
		return {
			summary: 'They spoke of **water**.', model: 'llama3.2',
			is_extract: false,
		};
	}
	return undefined;
}
