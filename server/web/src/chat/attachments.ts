/* Pictures, text files and documents that go with the next message. */
import { explain, upload } from '../lib/api';
import { byId, h, iconButton } from '../lib/dom';
import { pictureSource } from '../lib/picture';
import type { AttachedFile, Question } from '../lib/types';
import { joinFiles } from './attached-file';

type Attachment =
	| { kind: 'picture'; name: string; base64: string; source: string }
	| { kind: 'file'; name: string; file: AttachedFile };

const MIB = 1024 * 1024;
/* What the server takes: pictures of a message, text of its files, and all
 * of it as it goes over the wire. */
const PICTURES_MAX = 8;
const FILE_MAX = 5 * MIB;
const TOGETHER_MAX = 11 * MIB;

function weight(item: Attachment): number {
	return item.kind === 'picture' ? item.base64.length :
	    JSON.stringify(item.file.content).length;
}

async function base64(file: File): Promise<string> {
	const url = await new Promise<string>((resolve, reject) => {
		const reader = new FileReader();

		reader.addEventListener('load', () =>
		    resolve(String(reader.result)));
		reader.addEventListener('error', () => reject(reader.error));
		reader.readAsDataURL(file);
	});

	return url.slice(url.indexOf(',') + 1);
}

/* UTF-8 without NUL is text, whatever the file is called. */
async function text(file: File): Promise<string | null> {
	try {
		const content = new TextDecoder('utf-8', { fatal: true })
			.decode(await file.arrayBuffer());

		return content.includes('\0') ? null : content;
	} catch {
		return null;
	}
}

async function attachment(file: File): Promise<Attachment> {
	if (file.size > TOGETHER_MAX)
		throw new Error(`${file.name} is too large to attach.`);
	const data = await base64(file);
	const source = pictureSource(data);

	if (source !== null)
		return { kind: 'picture', name: file.name, base64: data, source };
	const content = await text(file) ?? await extracted(file);

	return {
		kind: 'file', name: file.name,
		file: { filename: file.name, content },
	};
}

/* The server reads what is no text as it is: PDF, DOCX. */
async function extracted(file: File): Promise<string> {
	if (file.size > FILE_MAX)
		throw new Error(`${file.name} is larger than 5 MiB. Put it into a ` +
		    'project: there it may have 50 MiB.');
	try {
		const { content } = await upload<{ content: string }>(
		    '/api/chat/upload', 'file', [file]);

		return content;
	} catch (error) {
		throw new Error(`${file.name}: ${explain(error)}`);
	}
}

export class Attachments {
	/** Files are on their way into the list; then, whether all came. */
	reading: Promise<boolean> | null = null;
	private items: Attachment[] = [];
	/** The file that is being read now. */
	private underway = '';
	private readonly list = byId('attached', HTMLElement);

	constructor(private readonly changed: () => void,
	    private readonly problem: (sentence: string) => void) {
	}

	get count(): number {
		return this.items.length;
	}

	/** Takes what it can; says of the first it cannot why. */
	add(files: File[]): void {
		const reading = (this.reading ?? Promise.resolve(true))
			.then(async (before) => {
				const now = await this.read(files);

				if (this.reading === reading)
					this.reading = null;
				return before && now;
			});

		this.reading = reading;
	}

	/** What goes out with the message. */
	content(): Pick<Question, 'images' | 'file'> {
		return {
			images: this.items.flatMap((item) =>
			    item.kind === 'picture' ? [item.base64] : []),
			file: joinFiles(this.items.flatMap((item) =>
			    item.kind === 'file' ? [item.file] : [])),
		};
	}

	/** Puts back what a message carried. */
	put({ images, file }: Pick<Question, 'images' | 'file'>): void {
		this.items = images.flatMap((data, i): Attachment[] => {
			const source = pictureSource(data);

			return source === null ? [] : [{
				kind: 'picture', name: `picture ${i + 1}`,
				base64: data, source,
			}];
		});
		if (file)
			this.items.push({ kind: 'file', name: file.filename, file });
		this.draw();
	}

	clear(): void {
		this.put({ images: [], file: null });
	}

	private async read(files: File[]): Promise<boolean> {
		let all = true;

		for (const file of files) {
			try {
				this.underway = file.name;
				this.draw();
				this.take(await attachment(file));
			} catch (error) {
				this.problem(error instanceof Error ?
				    error.message : `${file.name} can’t be read.`);
				all = false;
				break;
			}
		}
		this.underway = '';
		this.draw();
		return all;
	}

	private take(item: Attachment): void {
		const all = [...this.items, item];
		const bytes = all.reduce((sum, other) => sum +
		    (other.kind === 'file' ?
		        new Blob([other.file.content]).size : 0), 0);

		if (all.filter(({ kind }) => kind === 'picture').length >
		    PICTURES_MAX)
			throw new Error(
			    `At most ${PICTURES_MAX} pictures go with a message.`);
		if (bytes > FILE_MAX)
			throw new Error('At most 5 MiB of text files go with a message.');
		if (all.reduce((sum, other) => sum + weight(other), 0) >
		    TOGETHER_MAX)
			throw new Error(`${item.name} is too large to go with ` +
			    'this message: pictures and files may have about 8 MiB ' +
			    'together.');
		this.items = all;
	}

	private draw(): void {
		this.list.hidden = this.items.length === 0 && !this.underway;
		this.list.replaceChildren(...this.items.map((item) =>
		    h('li', { class: item.kind },
		        item.kind === 'picture' ?
		            h('img', { src: item.source, alt: item.name }) :
		            h('span', {}, item.name),
		        iconButton('close', `Remove ${item.name}`, () => {
			        this.items = this.items.filter((other) =>
			            other !== item);
			        this.draw();
		        }))),
		    ...(this.underway ? [h('li', { class: 'underway', role: 'status' },
		        h('span', {}, `Reading ${this.underway} …`))] : []));
		this.changed();
	}
}
