/* The page behind a reset link: /reset-password/<token>. */
import { api, explain } from '../lib/api';
import { byId, control } from '../lib/dom';
import { themeButton } from '../lib/theme';

const form = byId('reset', HTMLFormElement);
const problem = byId('problem', HTMLElement);
const done = byId('done', HTMLElement);
const token = decodeURIComponent(location.pathname.split('/')[2] ?? '');

async function save(): Promise<void> {
	const password = control(form, 'password', HTMLInputElement).value;
	const cpassword = control(form, 'cpassword', HTMLInputElement).value;

	if (password !== cpassword)
		throw new Error('The two passwords differ.');
	await api('POST', '/api/auth/reset-password',
	    { token, password, cpassword });
	form.hidden = true;
	done.textContent = 'The password is saved. Sign in with it.';
}

function explainReset(error: unknown): string {
	const text = explain(error);

	return text.startsWith('Invalid or expired reset token') ?
	    'This link has expired or was used already. ' +
	    'Ask for a new one on the sign-in page.' : text;
}

form.addEventListener('submit', (event) => {
	const button = form.querySelector('button');

	event.preventDefault();
	problem.textContent = '';
	if (button)
		button.disabled = true;
	save().catch((error: unknown) => {
		problem.textContent = explainReset(error);
	}).finally(() => {
		if (button)
			button.disabled = false;
	});
});
themeButton(byId('theme', HTMLElement));
form.querySelector('input')?.focus();
