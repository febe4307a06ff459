/* The stand-in's routes for what a person keeps: prompts, profile, projects
 * and their documents. */
import { Refusal } from './mock-routes.mjs';

const done = { status: 'success' };

const TEMPLATES = [
	{ name: 'teacher', title: 'Patient teacher', content: 'Explain step by step.' },
	{ name: 'reviewer', title: 'Code reviewer', content: 'Review the code.' },
];

/* What a multipart body carries: names and contents of its files. */
export function files(req, raw) {
	const boundary = /boundary=(.+)$/.exec(req.headers['content-type'])?.[1];

	return raw.toString('latin1').split(`--${boundary}`).flatMap((part) => {
		const found = /name="(\w+)"; filename="([^"]*)"[^]*?\r\n\r\n([^]*)\r\n$/
			.exec(part);

		return found ? [{
			field: found[1],
			name: Buffer.from(found[2], 'latin1').toString(),
			bytes: Buffer.from(found[3], 'latin1'),
		}] : [];
	});
}

function prompts(mock, id, { req, body, user }) {
	const at = mock.prompts.findIndex((p) => p.id === id &&
	    (p.owner === user.user_id || user.role === 'admin'));
	const shown = (p) => ({ ...p, owner: undefined });

	if (req.method === 'GET')
		return mock.prompts.filter((p) => p.is_global ||
		    p.owner === user.user_id).map(shown);
	if (req.method === 'POST') {
		if (mock.prompts.some((p) => p.title === body.title))
			throw new Refusal(409, 'There is a prompt of that title already');
		mock.prompts.push({
			id: mock.nextId++, title: body.title, content: body.content,
			is_global: body.is_global ?? false, owner: user.user_id,
		});
		return shown(mock.prompts.at(-1));
	}
	if (at < 0)
		throw new Refusal(404, 'Not found');
	if (req.method === 'DELETE') {
		mock.prompts.splice(at, 1);
		return done;
	}
	Object.assign(mock.prompts[at], body);
	return shown(mock.prompts[at]);
}

/* A document is read a step further whenever somebody looks. */
function step(doc) {
	if (doc.status === 'reading') {
		doc.status = /locked/.test(doc.filename) ? 'failed' : 'ready';
		doc.reason = doc.status === 'failed' ?
		    'It wants a password. Save a copy without one.' : null;
		doc.chunks = doc.status === 'ready' ? 12 : 0;
	}
	if (doc.status === 'queued')
		doc.status = 'reading';
}

function projects(mock, [id, what, doc], { req, body, raw, user }) {
	const own = mock.projects.filter((p) => p.owner === user.user_id);
	const project = own.find((p) => p.id === id);
	const shown = ({ id: pid, title, description, documents }) => ({
		id: pid, title, description, documents: documents.length,
	});
	const add = (filename, size) => project.documents.unshift({
		id: mock.nextId++, filename, size, chunks: 0, pages: null,
		status: 'queued', reason: null,
	});

	if (id === undefined && req.method === 'GET')
		return own.map(shown);
	if (id === undefined) {
		const made = {
			id: `p${mock.nextId++}`, title: body.title,
			description: body.description || null, documents: [],
			owner: user.user_id,
		};

		mock.projects.push(made);
		return shown(made);
	}
	if (!project)
		throw new Refusal(404, 'Not found');
	if (what === undefined) {
		if (req.method === 'DELETE') {
			mock.projects = mock.projects.filter((p) => p !== project);
			return done;
		}
		return shown(Object.assign(project, body));
	}
	if (req.method === 'GET') {
		const now = structuredClone(project.documents);

		project.documents.forEach(step);
		return now;
	}
	if (req.method === 'DELETE') {
		project.documents = project.documents.filter((d) =>
		    d.id !== Number(doc));
		return done;
	}
	for (const { name, bytes } of files(req, raw)) {
		if (bytes.length === 0)
			throw new Refusal(400, 'The file is empty');
		add(name, bytes.length);
	}
	return project.documents;
}

function imported(mock, { url, raw, user }) {
	const dry = url.searchParams.get('dry_run') === '1';
	let titles;

	try {
		titles = JSON.parse(raw);
	} catch {
		throw new Refusal(400, 'That is no export of a program known here');
	}
	const here = (title) => [...mock.conversations.values()]
		.some((c) => c.title === title);
	const news = titles.filter((title) => !here(title));

	for (const title of dry ? [] : news)
		mock.addConversation(user.user_id, title);
	return {
		...done, dry_run: dry, format: 'chatgpt',
		counts: {
			conversations: { added: news.length,
			    present: titles.length - news.length, skipped: 0 },
			prompts: { added: 0, present: 0, skipped: 0 },
		},
		notes: [{ what: 'messages', reason: 'a picture is not in the file',
		    is_kept: true, count: 3 }],
	};
}

/* What everybody has asked and got, as of today. */
function stats(mock) {
	const days = Array.from({ length: 30 }, (_, i) => ({
		date: new Date(Date.now() - (29 - i) * 86_400_000).toISOString()
			.slice(0, 10),
		messages: 0, tokens: 0, ...mock.stats.days[29 - i],
	}));
	const sum = (name) => days.reduce((all, day) => all + day[name], 0);

	return {
		session_count: mock.stats.conversations,
		message_count: sum('messages'), total_tokens: sum('tokens'),
		models: mock.stats.models, days,
	};
}

/** The reply, or undefined for a path that is not of these. */
export function libraryRoute(mock, path, args) {
	const { req, body, raw, user } = args;
	const [kind, id] = path.split('/').slice(2).map(decodeURIComponent);

	if (kind === 'projects')
		return projects(mock, path.split('/').slice(3), args);
	if (kind === 'prompts')
		return prompts(mock, Number(id), args);
	if (path === '/api/urlscrape') {
		if (/127\.0/.test(body.url))
			throw new Refusal(403, 'That address is not on the public net');
		return { url: body.url, content: '# Dry gardens', type: 'html' };
	}
	if (path === '/api/stats')
		return stats(mock);
	if (path === '/api/import/data')
		return imported(mock, args);
	if (path === '/api/chat/upload') {
		const [file] = files(req, raw);

		if (!file.bytes.subarray(0, 4).equals(Buffer.from('%PDF')))
			throw new Refusal(415, 'That is no kind of file that is read here');
		return {
			filename: file.name, size: file.bytes.length,
			content: `The text of ${file.name}.`,
		};
	}
	if (path === '/api/config')
		return { system_prompt: null, templates: TEMPLATES };
	if (path === '/api/profile') {
		if (req.method === 'PUT')
			Object.assign(user, body);
		return { ...user, password: undefined };
	}
	if (path === '/api/profile/pic') {
		if (req.method === 'DELETE') {
			user.profile_pic = null;
			return done;
		}
		const [file] = files(req, raw);

		if (!file.bytes.subarray(1, 4).equals(Buffer.from('PNG')))
			throw new Refusal(415, 'That is no picture');
		user.profile_pic =
		    `data:image/png;base64,${file.bytes.toString('base64')}`;
		return { profile_pic: user.profile_pic };
	}
	return undefined;
}
