/* Small things the admin's dialogs are made of. */
import { copy } from '../lib/clipboard';
import { h } from '../lib/dom';

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
