/* The chat page: makes the parts and introduces them to each other. */
import { api, ApiError, explain, signOut } from '../lib/api';
import { byId, h } from '../lib/dom';
import { themeButton } from '../lib/theme';
import { toast } from '../lib/toast';
import type { Conversation, Me, Provider } from '../lib/types';
import { Acts } from './acts';
import { Announcer } from './announcer';
import { Chat } from './chat';
import { Compare } from './compare';
import { Completion } from './completion';
import { Composer } from './composer';
import { configure } from './configure';
import { Conversations } from './conversations';
import { Link, type LinkState } from './link';
import { LogView } from './log-view';
import { Panel } from './panel';
import { ProjectPage } from './project-page';
import { Projects } from './projects';
import { Prompts } from './prompts';
import { Shelf } from './shelf';
import { Sidebar } from './sidebar';
import { ThreadActs } from './thread-acts';
import { TopBar } from './top-bar';
import { welcome } from './welcome';

const BLOCKED = 'Your account has been blocked. Contact an administrator.';

let me: Me | null = null;
let provider: Provider | null = null;
/* The socket was open before: the next time it opens, it had dropped. */
let dropped = false;

const conversations = new Conversations(() => redraw());
const shelf = new Shelf(() => redraw(), () => conversations.more ||
    [...conversations.byId.values()].some((row) => row.tags?.length));
const projects = new Projects(() => redraw());
const acts = new Acts(conversations, shelf, {
	act: (work) => act(work),
	async gone(ids) {
		act(shelf.refresh());
		if (chat.current !== null && ids.includes(chat.current))
			await startNew();
	},
	pick: (id) => sidebar.pick(id),
});
const sidebar = new Sidebar({
	loadMore: () => act(conversations.loadMore()),
	conversation: (row, anchor) => acts.menu(row, anchor),
	group: (group, anchor) => acts.groupMenu(group, anchor),
	createGroup: () => act(acts.createGroup()),
	createProject: () => act(projects.edit(null).then((id) => {
		if (id !== null)
			location.hash = `/projects/${id}`;
	})),
	tagged: (tag) => act(conversations.tagged(tag)),
	removeAll: (ids) => acts.removeAll(ids),
}, shelf, projects);
const page = new ProjectPage(projects, {
	act: (work) => act(work),
	chat: (id) => act(startNew().then(() => {
		chat.wish = { project_id: id };
		log.show(welcomeTo(id));
		redraw();
	})),
	gone: () => act(startNew()),
	conversations: () => conversations.byId.values(),
});
const composer = new Composer({
	send: (question, edited) => chat.send(question, edited),
	stop: () => chat.stop(),
	editing: (id) => log.mark(id),
});
const log = new LogView(byId('log', HTMLElement), () => me?.username ?? 'you', {
	edit: (turn) => chat.edit(turn),
	regenerate: () => chat.regenerate(),
	goOn: () => chat.goOn(),
	decide: (call, allow) => chat.decide(call, allow),
	fork: (turn) => withCurrent((id) => threads.fork(id, turn)),
	pin: (turn) => act(threads.pin(turn)),
});
const panel = new Panel();
const threads = new ThreadActs(panel, log, conversations, act);
const prompts = new Prompts(panel, {
	use(text) {
		panel.giveWay();
		composer.put(text);
	},
	act: (work) => act(work),
	isAdmin: () => me?.role === 'admin',
});
const compare = new Compare(() => me?.username ?? 'you');
const bar = new TopBar({
	rename: (title) => withCurrent((id) => conversations.rename(id, title)),
	pin: () => withCurrent((id) =>
	    conversations.pin(id, !conversations.byId.get(id)?.pinned)),
	archive: () => withCurrent((id) =>
	    conversations.archive(id, !conversations.byId.get(id)?.archived)),
	group: () => withRow((row) => acts.move(row)),
	tag: () => withRow((row) => acts.tag(row)),
	branches: () => withCurrent((id) => threads.branches(id)),
	pins: () => threads.pins(),
	summarize: () => withCurrent((id) => threads.summary(id)),
	compare: () => withRow((row) =>
	    compare.choose(row, [...conversations.byId.values()])),
	remove: () => withRow((row) => acts.remove(row)),
	configure: () => act(configure(chat.current, chat.wish, (wish) => {
		chat.wish = wish;
	}).then((model) => {
		if (model !== undefined)
			showModel(model);
	})),
});
const chat = new Chat({
	log,
	composer,
	announcer: new Announcer(byId('announcer', HTMLElement)),
	opened(id) {
		page.close();
		const hash = id === null ? '' : `#${id}`;

		if (location.hash !== hash)
			history.replaceState(null, '', location.pathname + hash);
		threads.changed(id);
		redraw();
	},
	loaded: () => threads.loaded(),
	listed: relist,
	document: (project, id, doc) => page.heard(project, id, doc),
	model: showModel,
	empty: () => welcome(provider, me?.role === 'admin',
	    prompts.list.filter((prompt) => !prompt.is_global),
	    (text) => composer.put(text)),
}, conversations);
const link = new Link({
	event: (event) => chat.event(event),
	state: linkState,
	doubt: () => void whoAmI().catch(() => undefined),
});

async function readList(): Promise<void> {
	await conversations.refresh();
	await shelf.refresh();
}

/* Other tabs change the list as well; several changes are read as one. */
let relisting = 0;

function relist(): void {
	clearTimeout(relisting);
	relisting = window.setTimeout(() => {
		act(readList());
	}, 1000);
}

function redraw(): void {
	const count = conversations.byId.size;
	const tokens = [...conversations.byId.values()]
		.reduce((sum, row) => sum + (row.total_tokens || 0), 0);

	const project = page.id ?? (chat.current === null ?
	    chat.wish.project_id : undefined);

	sidebar.show(conversations.byId.values(), page.id ?? chat.current,
	    conversations.more);
	bar.show(page.id !== null || chat.current === null ? null :
	    conversations.byId.get(chat.current) ?? null,
	project === undefined ? undefined :
	    page.id !== null ? 'Project' :
	        `New chat in ${projects.find(project)?.title ?? 'a project'}`);
	const sum = byId('me-sum', HTMLElement);

	sum.textContent = `${count}${conversations.more ? '+' : ''} ` +
	    (count === 1 ? 'chat' : 'chats');
	sum.title = `${tokens} tokens`;
}

function showModel(name: string | null): void {
	chat.modelName = name || provider?.model || provider?.provider || '';
	bar.model(chat.modelName, provider);
}

/* Acts of the person end in a change on the page (true) or in a sentence. */
function act(work: Promise<unknown>): Promise<boolean> {
	return work.then(() => true, (error: unknown) => {
		if (error instanceof ApiError && error.blocked)
			composer.blocked(BLOCKED);
		toast(explain(error));
		return false;
	});
}

function withCurrent(run: (id: string) => Promise<void>): void {
	if (chat.current !== null)
		act(run(chat.current));
}

function withRow(run: (row: Conversation) => Promise<void>): void {
	const row = conversations.byId.get(chat.current ?? '');

	if (row)
		act(run(row));
}

function welcomeTo(id: string): HTMLElement {
	const project = projects.find(id);
	const count = project?.documents ?? 0;

	return h('div', { class: 'welcome' },
	    h('h2', {}, `Ask about ${project?.title ?? 'this project'}`),
	    h('p', {}, count === 0 ?
	        'It has no documents yet; answers quote them when there are.' :
	        `Answers quote its ${count === 1 ? 'document' :
	            `${count} documents`} and say where.`));
}

async function startNew(): Promise<void> {
	await chat.open(null);
	sidebar.close();
	composer.focus();
}

function linkState(state: LinkState): void {
	byId('wire', HTMLElement).textContent =
	    state === 'waiting' ? 'The connection dropped. Reconnecting …' :
	    state === 'refused' ? 'No live connection: answers come by plain HTTP.' :
	    '';
	if (state !== 'open')
		return;
	chat.connected(dropped);
	if (dropped)
		act(readList());
	dropped = true;
}

/* #CONVERSATION, #CONVERSATION/MESSAGE to see that message, or
 * #/projects/PROJECT. */
function route(): void {
	const [id, message, project] = location.hash.slice(1).split('/')
		.map(decodeURIComponent);

	if (id === '' && message === 'projects' && project) {
		panel.close();
		act(page.open(project));
		redraw();
		return;
	}
	page.close();
	redraw();
	act(chat.open(id || null).then(() => {
		if (message)
			log.reveal(Number(message));
	}));
}

async function whoAmI(): Promise<void> {
	try {
		me = await api<Me>('GET', '/api/auth/me');
	} catch (error) {
		if (error instanceof ApiError && error.status === 401)
			location.assign('/login');
		throw error;
	}
	byId('me-name', HTMLElement).textContent = me.username;
	showFace(me);
	byId('admin-link', HTMLElement).hidden = me.role !== 'admin';
	if (me.blocked)
		composer.blocked(BLOCKED);
}

function showFace({ username, profile_pic: source }: Me): void {
	byId('initials', HTMLElement).replaceChildren(source ?
	    h('img', { src: source, alt: '' }) :
	    username.slice(0, 2).toUpperCase());
}

async function readProvider(): Promise<void> {
	provider = await api<Provider>('GET', '/api/provider/config');
	showModel(null);
}

function keys(event: KeyboardEvent): void {
	const ctrl = (event.ctrlKey || event.metaKey) && !event.altKey &&
	    !event.shiftKey;

	if (ctrl && event.key.toLowerCase() === 'k') {
		event.preventDefault();
		sidebar.focusSearch();
	} else if (ctrl && event.key.toLowerCase() === 'j') {
		event.preventDefault();
		act(startNew());
	} else if (event.key === 'Escape' && !document.querySelector('dialog')) {
		if (!bar.escape() && !sidebar.escape() && !composer.escape() &&
		    !panel.escape())
			compare.escape();
	}
}

async function start(): Promise<void> {
	await whoAmI();
	const read = await Promise.allSettled([
		readList(), projects.refresh(), readProvider(),
	]);

	for (const result of read)
		if (result.status === 'rejected')
			toast(explain(result.reason));
	route();
	addEventListener('hashchange', route);
	link.connect();
	composer.ready();
	/* Whoever has begun elsewhere while the page loaded stays there. */
	if (document.activeElement === document.body)
		composer.focus();
}

chat.use(link);
new Completion(prompts, (text) => composer.put(text), act);
byId('prompts', HTMLElement).addEventListener('click', () => prompts.open());
themeButton(byId('theme', HTMLElement));
byId('new', HTMLElement).addEventListener('click', () => act(startNew()));
byId('sign-out', HTMLElement).addEventListener('click', () => act(signOut()));
byId('skip', HTMLElement).addEventListener('click', (event) => {
	event.preventDefault();
	composer.focus();
});
document.addEventListener('keydown', keys);
start().catch((error: unknown) => {
	log.show(h('p', { class: 'problem', role: 'alert' }, explain(error)));
});
