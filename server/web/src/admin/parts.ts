/* Small things the admin's dialogs are made of. */
import { copy } from '../lib/clipboard';
import { h } from '../lib/dom';

let fields = 0;

/** A labelled control; the note describes it without being its name. */
export function field(label: string, input: HTMLElement,
    note?: string): HTMLElement {
	const id = `field-${++fields}`;

	input.id = id;
	if (note)
		input.setAttribute('aria-describedby', `${id}-note`);
	return h('div', { class: 'field' }, h('label', { for: id }, label), input,
	    note && h('small', { id: `${id}-note` }, note));
}

export function clipboardButton(text: string): HTMLElement {
	return h('button', {
		type: 'button', class: 'btn',
		on: { click: () => void copy(text) },
	}, 'Copy');
}

/* Nothing that is mistaken for another when read aloud or typed. */
const LETTERS = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';

/** 20 letters and digits, each drawn without bias: about 115 bits. */
export function randomPassword(): string {
	const limit = 256 - 256 % LETTERS.length;
	let out = '';

	while (out.length < 20)
		for (const byte of crypto.getRandomValues(new Uint8Array(32)))
			if (byte < limit && out.length < 20)
				out += LETTERS[byte % LETTERS.length];
	return out;
}
