/* A control with its label, for forms that are made by hand. */
import { h } from './dom';

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
