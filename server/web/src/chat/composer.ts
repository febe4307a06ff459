/* The composer: draft, growth, Enter, Send and Stop, and the two notices. */
import { byId, icon } from '../lib/dom';

export interface ComposerListener {
	send(text: string): void;
	stop(): void;
}

function draftKey(conversation: string | null): string {
	return `draft:${conversation ?? 'new'}`;
}

export class Composer {
	private readonly form = byId('composer', HTMLFormElement);
	private readonly box = byId('message', HTMLTextAreaElement);
	private readonly button = byId('send', HTMLButtonElement);
	private readonly trouble = byId('problem', HTMLElement);
	private readonly blockedNote = byId('blocked', HTMLElement);
	private readonly speedNote = byId('speed', HTMLElement);
	private conversation: string | null = null;
	private isRunning = false;
	private countdown = 0;

	constructor(private readonly listener: ComposerListener) {
		this.form.addEventListener('submit', (event) => {
			event.preventDefault();
			this.submit();
		});
		this.box.addEventListener('keydown', (event) => {
			if (event.key === 'Enter' && !event.shiftKey &&
			    !event.isComposing) {
				event.preventDefault();
				if (!this.isRunning)
					this.submit();
			}
		});
		this.box.addEventListener('input', () => this.changed());
		addEventListener('resize', () => this.grow());
		this.changed();
	}

	/** Switches to a conversation's own draft. */
	use(conversation: string | null): void {
		this.conversation = conversation;
		this.box.value = sessionStorage.getItem(draftKey(conversation)) ?? '';
		this.problem('');
		this.changed();
	}

	/** A new chat got its id: what is being written goes with it. */
	adopt(conversation: string): void {
		sessionStorage.removeItem(draftKey(null));
		this.conversation = conversation;
		this.changed();
	}

	/** Puts text (back) for the person to edit and send. */
	put(text: string): void {
		this.box.value = this.box.value ? `${text}\n${this.box.value}` : text;
		this.changed();
		this.box.focus();
	}

	focus(): void {
		this.box.focus();
	}

	/** The page knows who writes and where: it takes messages now. */
	ready(): void {
		this.box.disabled = false;
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

	private submit(): void {
		const text = this.box.value.trim();

		if (this.isRunning)
			return this.listener.stop();
		if (!text)
			return;
		this.problem('');
		this.box.value = '';
		this.changed();
		this.listener.send(text);
	}

	private changed(): void {
		const key = draftKey(this.conversation);

		if (this.box.value)
			sessionStorage.setItem(key, this.box.value);
		else
			sessionStorage.removeItem(key);
		this.button.disabled = !this.isRunning && !this.box.value.trim();
		this.grow();
	}

	private grow(): void {
		this.box.style.height = 'auto';
		this.box.style.height = `${this.box.scrollHeight}px`;
	}
}
