/* The JSON routes of the stand-in: for a signed-in user, and for an admin.
 * Each returns the reply, or undefined for a path it does not know. */
export class Refusal extends Error {
	constructor(status, message, headers = {}) {
		super(message);
		this.status = status;
		this.headers = headers;
	}
}

export const HOUR = 3600;	/* seconds */

const PROVIDERS = [
	['offline', 'Offline search', null, false, []],
	['ollama', 'Ollama', 'http://localhost:11434', false, []],
	['openai', 'OpenAI', 'https://api.openai.example/v1', true, ['gpt-5']],
	['anthropic', 'Anthropic', 'https://api.anthropic.example', true, []],
].map(([name, title, base_url, wants_key, models]) => ({
	name, title, base_url, wants_key, models, is_local: !wants_key,
	help: `${title}, explained`,
}));

/* What every server has. */
export function builtins() {
	return ['current_time', 'web_search', 'read_file'].map((name) => ({
		id: name, name, description: `${name}, explained.`,
		definition: { name, parameters: { type: 'object' } },
		kind: 'builtin', is_global: true, enabled: true,
		asks_first: name === 'web_search',
		available: name !== 'read_file',
	}));
}

function toolsRoute(mock, id, { req, body }) {
	const at = mock.tools.findIndex((tool) => tool.id === id);

	if (req.method === 'GET')
		return mock.tools;
	if (req.method === 'POST') {
		const inner = body.definition?.function ?? body.definition ?? {};

		if (!/^[\w-]{1,64}$/.test(inner.name ?? ''))
			throw new Refusal(400, 'A tool needs a name');
		if (mock.tools.some(({ name }) => name === inner.name))
			throw new Refusal(409, 'There is a tool of that name already');
		const tool = {
			id: `t${mock.nextId++}`, name: inner.name,
			description: inner.description ?? null,
			definition: body.definition,
			kind: inner.endpoint ? 'http' : 'bare',
			is_global: body.is_global ?? false, enabled: true,
			asks_first: body.asks_first ?? false, available: true,
		};

		mock.tools.push(tool);
		return tool;
	}
	if (at < 0)
		throw new Refusal(404, 'Not found');
	if (req.method === 'DELETE') {
		mock.tools.splice(at, 1);
		return { status: 'success' };
	}
	for (const name of ['enabled', 'asks_first'])
		mock.tools[at][name] = body[name] ?? mock.tools[at][name];
	return mock.tools[at];
}

/* The choices in force for somebody (null: everybody), and their origins. */
export function chosen(mock, who) {
	const layers = [['user', who === null ? {} : mock.choices.get(who) ?? {}],
	    ['instance', mock.choices.get(null) ?? {}]];
	const first = (name) => layers.find(([, layer]) => layer[name]) ??
	    ['default', {}];
	const own = mock.choices.get(who) ?? {};
	const [origin, { provider }] = first('provider');

	return {
		provider: provider ?? 'offline', provider_origin: origin,
		model: first('model')[1].model ?? null,
		model_origin: first('model')[0],
		base_url: first('base_url')[1].base_url ??
		    PROVIDERS.find(({ name }) => name === provider)?.base_url ?? null,
		base_url_origin: first('base_url')[0],
		temperature: own.temperature ?? null,
		context_tokens: own.context_tokens ?? null,
		auto_title: own.auto_title ?? null,
		system_prompt: own.system_prompt ?? null,
		api_key_set: Boolean(own.api_key),
		api_key_last4: own.api_key?.length >= 12 ?
		    own.api_key.slice(-4) : null,
		providers: PROVIDERS,
	};
}

/* A choice of another provider forgets what belonged to the old one. */
function choose(mock, who, change) {
	const old = mock.choices.get(who) ?? {};
	const isOther = change.provider !== undefined &&
	    change.provider !== (old.provider ?? '');

	mock.choices.set(who, {
		...(isOther ? { temperature: old.temperature } : old), ...change,
	});
	return chosen(mock, who);
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

		const to = from + Number(url.searchParams.get('limit') ?? 200);

		return {
			page: mine.slice(from, to).map(row),
			next: to < mine.length ? mine[to - 1].id : null,
		};
	}
	if (path === '/api/provider/config')
		return { ...mock.provider, api_key_set: false };
	if (path === '/api/tools' || path.startsWith('/api/tools/'))
		return toolsRoute(mock, path.split('/')[3], { req, body });
	if (path === '/api/provider/models')
		return mock.models;
	if (path === '/api/user/settings')
		return req.method === 'GET' ? chosen(mock, user.user_id) :
		    choose(mock, user.user_id, body);
	if (path === '/api/profile/sessions')
		return { sessions: [] };
	if (kind === 'session' && path.endsWith('/config')) {
		const c = mock.owned(user, id);
		const { model = c.model, system_prompt: prompt = c.system_prompt,
			temperature = c.temperature } = body;

		if (req.method === 'POST')
			Object.assign(c, {
				model: model || null, system_prompt: prompt || null,
				temperature,
			});
		return {
			model: c.model, system_prompt: c.system_prompt ?? null,
			temperature: c.temperature ?? null,
		};
	}
	if (path === '/api/export/db')
		return {
			attachment: 'SQLite format 3\0', filename: 'localneural.db',
		};
	if (kind === 'chat' && req.method === 'GET') {
		const c = mock.owned(user, id);
		const turn = mock.running.get(id);
		const partial = turn ? [{
			...mock.emptyAnswer(), id: turn.id,
			content: turn.journal, thinking: turn.thinking || null,
			tools: turn.tools,
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

/** What /api/admin/status says of a backup of that age; of none: null. */
export function backup(ageSeconds, maxAgeSeconds = 26 * HOUR) {
	const isStale = ageSeconds === null || ageSeconds > maxAgeSeconds;

	return {
		state: ageSeconds === null ? 'none' : isStale ? 'old' : 'fresh',
		is_stale: isStale, max_age_seconds: maxAgeSeconds,
		last: ageSeconds === null ? null : {
			name: 'localneural-20261124T030000Z.db.zst',
			created_at: '2026-11-24T03:00:00.000Z',
			age_seconds: ageSeconds, bytes: 1_234_567,
			is_encrypted: false, verified: 'full',
			verified_at: '2026-11-24T03:00:09.000Z',
		},
	};
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
	if (path === '/api/admin/status')
		return { now: new Date().toISOString(), backup: mock.backup };
	if (path === '/api/admin/settings') {
		if (req.method === 'POST') {
			const { allow_registration: open, ...change } = body;

			choose(mock, null, change);
			mock.registration = open ?? mock.registration;
		}
		return {
			allow_registration: mock.registration, ...chosen(mock, null),
		};
	}
	if (path === '/api/import/db') {
		if (!raw.subarray(0, 15).equals(
		    Buffer.from('SQLite format 3')))
			throw new Refusal(400, 'Invalid database file');
		return { ...done, users: 2, conversations: 5, messages: 40 };
	}
	return undefined;
}
