/*
 * The page of a project, in the place of the conversation: its documents,
 * how far each of them is read, and its conversations.
 */
import { api, explain, send, upload } from '../lib/api';
import { ask } from '../lib/dialog';
import { byId, h, icon, iconButton } from '../lib/dom';
import { field } from '../lib/field';
import { bytes, joined } from '../lib/numbers';
import type { Conversation, Doc, Project } from '../lib/types';
import { path } from './conversations';
import type { Projects } from './projects';

export interface ProjectPageListener {
	act(work: Promise<unknown>): void;
	/** A new chat in this project. */
	chat(id: string): void;
	/** The project is gone. */
	gone(): void;
	conversations(): Iterable<Conversation>;
}

/* Of one document, as the server takes it. */
const MAX = 50 * 1024 * 1024;
const POLL = 2000;

const STATES: Record<Doc['status'], string> = {
	queued: 'waiting', reading: 'being read', ready: 'ready',
	failed: 'not read',
};

/** A file on its way, or one that did not arrive. */
interface Upload {
	name: string;
	/** 0 to 1. */
	part: number;
	problem: string;
}

export class ProjectPage {
	/** The project that the page shows, if it shows one. */
	id: string | null = null;
	private readonly main = byId('main', HTMLElement);
	private readonly el = byId('page', HTMLElement);
	private readonly list = h('ul', { class: 'documents' });
	private readonly picker = byId('document-file', HTMLInputElement);
	private readonly more = h('p', { class: 'note' });
	private documents: Doc[] | null = null;
	private uploads: Upload[] = [];
	private timer = 0;

	constructor(private readonly projects: Projects,
	    private readonly listener: ProjectPageListener) {
		this.picker.addEventListener('change', () => {
			this.add([...this.picker.files ?? []]);
			this.picker.value = '';
		});
		this.takeDrops();
	}

	/** Shows a project. */
	async open(id: string): Promise<void> {
		const load = this.id !== id;

		this.id = id;
		if (load) {
			this.documents = null;
			this.uploads = [];
		}
		this.main.classList.add('paged');
		this.el.hidden = false;
		if (!this.projects.find(id))
			await this.projects.refresh();
		if (this.id !== id)
			return;
		this.draw();
		if (this.projects.find(id))
			await this.read();
	}

	close(): void {
		clearTimeout(this.timer);
		this.id = null;
		this.el.hidden = true;
		this.main.classList.remove('paged');
	}

	/** A document is new, has another state, or is gone (null). */
	heard(project: string, id: number, doc: Doc | null): void {
		if (project !== this.id || this.documents === null)
			return;
		const rest = this.documents.filter((other) => other.id !== id);

		if (doc === null)
			this.documents = rest;
		else if (rest.length === this.documents.length)
			this.documents = [doc, ...rest];
		else
			this.documents = this.documents.map((other) =>
			    other.id === id ? doc : other);
		this.drawList();
		this.lookAgain();
	}

	private project(): Project | undefined {
		return this.id === null ? undefined : this.projects.find(this.id);
	}

	private draw(): void {
		const project = this.project();

		if (!project) {
			this.el.replaceChildren(h('p', { class: 'problem' },
			    'This project does not exist (any more).'));
			return;
		}
		const chats = [...this.listener.conversations()]
			.filter((row) => row.project_id === project.id)
			.sort((a, b) => b.updated_at.localeCompare(a.updated_at));
		const button = (name: string, label: string, run: () => void,
		    kind = ''): HTMLElement => h('button', {
			type: 'button', class: `btn ${kind}`, on: { click: run },
		}, icon(name), label);

		this.el.replaceChildren(
		    h('h2', { id: 'page-h' }, project.title),
		    project.description ? h('p', { class: 'lead' },
		        project.description) : '',
		    h('div', { class: 'row' },
		        button('plus', 'New chat in this project',
		            () => this.listener.chat(project.id), 'primary'),
		        button('edit', 'Edit', () => this.listener.act(
		            this.projects.edit(project).then(() => this.draw()))),
		        button('trash', 'Delete', () => this.listener.act(
		            this.projects.remove(project).then((gone) => {
			            if (gone)
				            this.listener.gone();
		            })), 'danger')),
		    h('h2', {}, 'Documents'),
		    h('p', { class: 'note' }, 'Answers in this project quote them. ' +
		        'PDF, DOCX, CSV, JSON, HTML, Markdown, source code and text, ' +
		        'up to 50 MiB each. Drop files anywhere on this page.'),
		    h('div', { class: 'row' },
		        button('attach', 'Add documents', () => this.picker.click()),
		        button('link', 'Add a web page', () =>
		            this.listener.act(this.addPage(project.id)))),
		    this.list, this.more,
		    h('h2', {}, 'Conversations'),
		    chats.length ? h('ul', { class: 'plain' }, ...chats.map((row) =>
		        h('li', {}, h('a', { class: 'entry', href: `#${row.id}` },
		            row.title)))) :
		        h('p', { class: 'note' }, 'None yet.'));
		this.drawList();
	}

	private drawList(): void {
		const { documents } = this;
		const focus = document.activeElement?.getAttribute('data-key');

		this.list.replaceChildren(
		    ...this.uploads.map((upload) => this.uploadRow(upload)),
		    ...(documents ?? []).map((doc) => this.row(doc)));
		this.list.hidden = !this.list.hasChildNodes();
		this.more.textContent = documents === null ? 'Reading the list …' :
		    documents.length || this.uploads.length ? '' :
		        'No documents yet.';
		this.more.hidden = this.more.textContent === '';
		if (focus)
			this.list.querySelector<HTMLElement>(
			    `[data-key="${CSS.escape(focus)}"]`)?.focus();
	}

	private row(doc: Doc): HTMLElement {
		const remove = iconButton('trash', `Delete ${doc.filename}`,
		    () => this.listener.act(this.remove(doc)));

		remove.dataset['key'] = `doc-${doc.id}`;
		return h('li', {},
		    h('div', { class: 'about' },
		        h('span', {}, doc.filename),
		        doc.status === 'failed' && doc.reason ?
		            h('small', { class: 'why' }, doc.reason) :
		            h('small', { class: 'mono' }, joined(bytes(doc.size),
		                counted(doc.pages, 'page'),
		                counted(doc.chunks, 'passage')))),
		    h('span', { class: `state is-${doc.status}` },
		        STATES[doc.status]), remove);
	}

	private uploadRow(upload: Upload): HTMLElement {
		return h('li', {},
		    h('div', { class: 'about' }, h('span', {}, upload.name),
		        upload.problem ? h('small', { class: 'why', role: 'alert' },
		            upload.problem) :
		            h('progress', { max: 1, value: upload.part,
		                'aria-label': `Upload of ${upload.name}` })),
		    h('span', { class: `state is-${upload.problem ? 'failed' :
		        'reading'}` }, upload.problem ? 'not added' : 'on its way'),
		    upload.problem ? iconButton('close', `Forget ${upload.name}`,
		        () => {
			        this.uploads = this.uploads.filter((other) =>
			            other !== upload);
			        this.drawList();
		        }) : null);
	}

	/* Later, while something in the list is on the move: how far it is. */
	private lookAgain(): void {
		clearTimeout(this.timer);
		if (this.documents?.some(({ status }) => status === 'queued' ||
		    status === 'reading'))
			this.timer = window.setTimeout(() => void this.read(), POLL);
	}

	/* Reads the list, and again while something in it is on the move. */
	private async read(): Promise<void> {
		const { id } = this;

		clearTimeout(this.timer);
		if (id === null)
			return;
		try {
			const documents = await api<Doc[]>('GET',
			    `/api/projects/${path(id)}/documents`);

			if (this.id !== id)
				return;
			const before = this.documents?.length;

			this.documents = documents;
			this.drawList();
			if (before !== undefined && before !== documents.length)
				void this.projects.refresh().catch(() => undefined);
			this.lookAgain();
		} catch (error) {
			if (this.id === id) {
				this.more.hidden = false;
				this.more.textContent = explain(error);
			}
		}
	}

	/* One request for each file, so that each has its own fate. */
	private add(files: File[]): void {
		const { id } = this;

		if (id !== null)
			for (const file of files)
				void this.send(id, file);
	}

	private async send(id: string, file: File): Promise<void> {
		const upload: Upload = { name: file.name, part: 0, problem: '' };

		this.uploads.push(upload);
		this.drawList();
		try {
			if (file.size > MAX)
				throw new Error('It is larger than 50 MiB.');
			await send(`/api/projects/${path(id)}/documents`, 'files',
			    file, (part) => {
				    upload.part = part;
				    this.list.querySelectorAll('progress')
					    [this.uploads.filter(({ problem }) => !problem)
						    .indexOf(upload)]
					    ?.setAttribute('value', String(part));
			    });
			this.uploads = this.uploads.filter((other) => other !== upload);
		} catch (error) {
			upload.problem = explain(error);
		}
		if (this.id === id)
			await this.read();
		this.drawList();
	}

	private async addPage(id: string): Promise<void> {
		const url = h('input', {
			type: 'url', required: true, inputmode: 'url',
			placeholder: 'https://', autocomplete: 'off',
		});

		await ask({
			title: 'Add a web page',
			content: [field('Address', url,
			    'The server reads it once and keeps its text.')],
			verb: 'Add',
			act: async () => {
				if (!url.validity.valid)
					throw new Error('That is no address of a web page.');
				const page = await api<{ url: string; content: string }>(
				    'POST', '/api/urlscrape', { url: url.value.trim() });

				await upload(`/api/projects/${path(id)}/documents`, 'files',
				    [new File([page.content], pageName(page.url))]);
			},
		});
		if (this.id === id)
			await this.read();
	}

	private async remove(doc: Doc): Promise<void> {
		const { id } = this;

		await ask({
			title: `Delete “${doc.filename}”?`,
			content: ['Answers don’t find it any more. What was quoted ' +
			    'from it stays in the conversations.'],
			verb: 'Delete',
			danger: true,
			act: async () => {
				await api('DELETE', `/api/projects/${path(id ?? '')}` +
				    `/documents/${doc.id}`);
			},
		});
		await this.read();
	}

	private takeDrops(): void {
		const has = (event: DragEvent): boolean => !this.el.hidden &&
		    (event.dataTransfer?.types.includes('Files') ?? false);

		this.el.addEventListener('dragover', (event) => {
			if (!has(event))
				return;
			event.preventDefault();
			event.stopPropagation();
			this.el.classList.add('dropping');
		});
		for (const end of ['dragleave', 'drop'])
			this.el.addEventListener(end, () =>
			    this.el.classList.remove('dropping'));
		this.el.addEventListener('drop', (event) => {
			if (!has(event))
				return;
			event.preventDefault();
			event.stopPropagation();
			this.add([...event.dataTransfer?.files ?? []]);
		});
	}
}

/* What the text of a page is called: its address without the scheme. */
function pageName(address: string): string {
	const { hostname, pathname } = new URL(address);

	return `${(hostname + pathname).replace(/\/+$/, '')
		.replaceAll('/', ' ')}.md`;
}

function counted(count: number | null | undefined, what: string): string {
	return !count ? '' : `${count} ${what}${count === 1 ? '' : 's'}`;
}
