/* Speaks a growing answer to a screen reader in whole sentences. */

const PAUSE = 1500;

export class Announcer {
	private spoken = 0;
	private text = '';
	private timer = 0;

	constructor(private readonly el: HTMLElement) {
	}

	grow(text: string): void {
		this.text = text;
		if (!this.timer)
			this.timer = window.setTimeout(() => this.speak(), PAUSE);
	}

	/** The answer ended: speaks what is left, sentence or not. */
	finish(text: string): void {
		clearTimeout(this.timer);
		this.timer = 0;
		this.text = text;
		this.speakTo(text.length);
		this.spoken = 0;
	}

	/** Says a sentence of the page at once. */
	say(sentence: string): void {
		this.el.textContent = sentence;
	}

	private speak(): void {
		const rest = this.text.slice(this.spoken);
		const end = Math.max(...['. ', '! ', '? ', '.\n', ':\n', '\n\n']
			.map((mark) => rest.lastIndexOf(mark)));

		this.timer = 0;
		if (end >= 0)
			this.speakTo(this.spoken + end + 1);
	}

	private speakTo(to: number): void {
		const part = this.text.slice(this.spoken, to).trim();

		this.spoken = to;
		if (part)
			this.say(part);
	}
}
