/* Modal questions on <dialog>: it traps focus, Escape closes it. */
import { h } from './dom';
import { explain } from './api';

export interface Question {
	title: string;
	/** Sentences and fields between title and buttons. */
	content: (Node | string)[];
	/** The verb on the button that acts. */
	verb: string;
	danger?: boolean;
	/** No "Cancel": there is nothing to decide. */
	single?: boolean;
	/** Runs on the verb; a throw is shown and keeps the dialog open. */
	act?: (form: HTMLFormElement) => Promise<void> | void;
}

/** Asks; true when the person acted and the act succeeded. */
export function ask(question: Question): Promise<boolean> {
	const before = document.activeElement;
	const problem = h('p', { class: 'problem', role: 'alert' });
	const heading = h('h2', { id: 'dialog-title' }, question.title);
	const go = h('button', {
		type: 'submit',
		class: question.danger ? 'btn danger' : 'btn primary',
	}, question.verb);
	const cancel = h('button', { type: 'button', class: 'btn' }, 'Cancel');
	const form = h('form', { novalidate: true }, heading,
	    ...question.content.map((part) =>
	        typeof part === 'string' ? h('p', {}, part) : part),
	    problem,
	    h('div', { class: 'choices' }, !question.single && cancel, go));
	const dialog = h('dialog', { 'aria-labelledby': 'dialog-title' }, form);

	document.body.append(dialog);
	dialog.showModal();
	return new Promise((resolve) => {
		let acted = false;

		cancel.addEventListener('click', () => dialog.close());
		form.addEventListener('submit', (event) => {
			event.preventDefault();
			go.disabled = true;
			problem.textContent = '';
			Promise.resolve()
				.then(() => question.act?.(form))
				.then(() => {
					acted = true;
					dialog.close();
				})
				.catch((error: unknown) => {
					problem.textContent = explain(error);
				})
				.finally(() => {
					go.disabled = false;
				});
		});
		dialog.addEventListener('close', () => {
			dialog.remove();
			if (before instanceof HTMLElement && before.isConnected)
				before.focus();
			resolve(acted);
		});
	});
}
