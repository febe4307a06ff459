/*
 * The composer: draft, growth, attachments, Enter, Send and Stop, a message
 * under correction, and the two notices.
 */
import { byId, icon } from '../lib/dom';
import type { Question } from '../lib/types';
import { Attachments } from './attachments';

export interface ComposerListener {
	/** `edited` is the message that the question replaces. */
	send(question: Question, edited: number | null): void;
	stop(): void;
	/** That message is under correction, or none. */
	editing(id: number | null): void;
}

function draftKey(conversation: string | null): string {
	return `draft:${conversation ?? 'new'}`;
}

export class Composer {
	private readonly form = byId('composer', HTMLFormElement);
	private readonly box = byId('message', HTMLTextAreaElement);
	private readonly button = byId('send', HTMLButtonElement);
	private readonly attachButton = byId('attach', HTMLButtonElement);
	private readonly picker = byId('attach-file', HTMLInputElement);
	private readonly editNote = byId('editing', HTMLElement);
	private readonly trouble = byId('problem', HTMLElement);
	private readonly blockedNote = byId('blocked', HTMLElement);
	private readonly speedNote = byId('speed', HTMLElement);
	private readonly attachments = new Attachments(() => this.changed(),
	    (sentence) => this.problem(sentence));
	/** What is being written and attached elsewhere meanwhile. */
	private readonly kept = new Map<string | null,
	    Pick<Question, 'images' | 'file'>>();
	private conversation: string | null = null;
	private edited: number | null = null;
	private isRunning = false;
	private countdown = 0;

	constructor(private readonly listener: ComposerListener) {
		this.form.addEventListener('submit', (event) => {
			event.preventDefault();
			this.submit();
		});
		this.box.addEventListener('keydown', (event) => this.key(event));
		this.box.addEventListener('input', () => this.changed());
		this.attachButton.addEventListener('click',
		    () => this.picker.click());
		this.picker.addEventListener('change', () => {
			this.attach(this.picker.files);
			this.picker.value = '';
		});
		byId('edit-cancel', HTMLElement)
			.addEventListener('click', () => this.cancelEdit());
		this.takeDrops(byId('main', HTMLElement));
		addEventListener('resize', () => this.grow());
		this.changed();
	}

	/** Switches to a conversation's own draft. */
	use(conversation: string | null): void {
		this.leave();
		this.conversation = conversation;
		this.box.value = sessionStorage.getItem(draftKey(conversation)) ?? '';
		this.attachments.put(this.kept.get(conversation) ??
		    { images: [], file: null });
		this.problem('');
	}

	/** A new chat got its id: what is being written goes with it. */
	adopt(conversation: string): void {
		sessionStorage.removeItem(draftKey(null));
		this.kept.delete(null);
		this.conversation = conversation;
		this.changed();
	}

	/** Puts words (back) for the person to edit and send. */
	put(text: string): void {
		this.box.value = this.box.value && text ?
		    `${text}\n${this.box.value}` : text || this.box.value;
		this.changed();
		this.box.focus();
	}

	/** Puts a whole question back, with what went with it. */
	putBack(question: Question, edited: number | null): void {
		if (edited !== null)
			return this.edit(question, edited);
		this.put(question.text);
		if (this.attachments.count === 0)
			this.attachments.put(question);
	}

	/** Takes a message in to be corrected; the draft waits. */
	edit(question: Question, id: number): void {
		this.leave();
		this.edited = id;
		this.editNote.hidden = false;
		this.listener.editing(id);
		this.box.value = question.text;
		this.attachments.put(question);
		this.problem('');
		this.box.focus();
	}

	focus(): void {
		this.box.focus();
	}

	/** The page knows who writes and where: it takes messages now. */
	ready(): void {
		this.box.disabled = false;
		this.attachButton.disabled = false;
	}

	running(yes: boolean): void {
		const label = yes ? 'Stop' : 'Send';

		this.isRunning = yes;
		this.button.setAttribute('aria-label', label);
		this.button.title = label;
		this.button.replaceChildren(icon(yes ? 'stop' : 'send'));
		this.changed();
	}

	speed(text: string): void {
		this.speedNote.textContent = text;
	}

	problem(sentence: string): void {
		clearInterval(this.countdown);
		this.trouble.textContent = sentence;
	}

	/** Counts down to when the server takes messages again. */
	limited(seconds: number): void {
		const tick = (): void => {
			if (seconds <= 0)
				return this.problem('');
			this.trouble.textContent =
			    `Too many requests. Try again in ${seconds} s.`;
			seconds--;
		};

		clearInterval(this.countdown);
		tick();
		this.countdown = window.setInterval(tick, 1000);
	}

	/** A blocked account reads; the sentence takes the composer's place. */
	blocked(sentence: string): void {
		this.blockedNote.textContent = sentence;
		this.blockedNote.hidden = false;
		this.form.hidden = true;
		byId('hint', HTMLElement).hidden = true;
		this.problem('');
	}

	/** True when Escape had something to close here. */
	escape(): boolean {
		if (this.edited === null)
			return false;
		this.cancelEdit();
		return true;
	}

	private key(event: KeyboardEvent): void {
		if (event.key !== 'Enter' || event.shiftKey || event.isComposing)
			return;
		event.preventDefault();
		if (!this.isRunning)
			this.submit();
	}

	private attach(files: Iterable<File> | null): void {
		if (!files || this.form.hidden)
			return;
		this.problem('');
		/* A copy: the picker's own list is emptied for the next time. */
		this.attachments.add([...files]);
	}

	/* Files dropped anywhere on the conversation, or pasted. */
	private takeDrops(main: HTMLElement): void {
		const has = (event: DragEvent): boolean =>
		    event.dataTransfer?.types.includes('Files') ?? false;

		main.addEventListener('dragover', (event) => {
			if (!has(event))
				return;
			event.preventDefault();
			this.form.classList.add('dropping');
		});
		for (const end of ['dragleave', 'drop'])
			main.addEventListener(end, () =>
			    this.form.classList.remove('dropping'));
		main.addEventListener('drop', (event) => {
			if (!has(event))
				return;
			event.preventDefault();
			this.attach(event.dataTransfer?.files ?? null);
			this.box.focus();
		});
		this.box.addEventListener('paste', (event) => {
			const files = event.clipboardData?.files;

			if (!files?.length)
				return;
			event.preventDefault();
			this.attach(files);
		});
	}

	private submit(): void {
		const question = {
			text: this.box.value.trim(), ...this.attachments.content(),
		};
		const { edited } = this;

		if (this.isRunning)
			return this.listener.stop();
		if (this.attachments.reading)
			return void this.attachments.reading.then((all) => {
				if (all)
					this.submit();
			});
		if (this.button.disabled)
			return;
		this.problem('');
		if (edited === null) {
			this.box.value = '';
			this.attachments.clear();
		} else {
			this.cancelEdit();
		}
		this.listener.send(question, edited);
	}

	/* The draft is what it was before. */
	private cancelEdit(): void {
		this.use(this.conversation);
		this.box.focus();
	}

	/* What is written here waits while something else is. */
	private leave(): void {
		if (this.edited === null && this.attachments.count)
			this.kept.set(this.conversation, this.attachments.content());
		else if (this.edited === null)
			this.kept.delete(this.conversation);
		if (this.edited !== null)
			this.listener.editing(null);
		this.edited = null;
		this.editNote.hidden = true;
	}

	private changed(): void {
		const key = draftKey(this.conversation);
		const isEmpty = !this.box.value.trim() &&
		    this.attachments.count === 0;

		if (this.edited === null && this.box.value)
			sessionStorage.setItem(key, this.box.value);
		else if (this.edited === null)
			sessionStorage.removeItem(key);
		this.button.disabled = !this.isRunning && isEmpty;
		this.grow();
	}

	private grow(): void {
		this.box.style.height = 'auto';
		this.box.style.height = `${this.box.scrollHeight}px`;
	}
}
