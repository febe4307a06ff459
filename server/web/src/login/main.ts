/* The login page: sign in, create an account, ask for a reset link. */
import { api, ApiError, explain } from '../lib/api';
import { byId, control } from '../lib/dom';
import { themeButton } from '../lib/theme';

const HEADINGS: Record<string, string> = {
	login: 'Sign in',
	register: 'Create an account',
	forgot: 'Forgotten password',
};
const problem = byId('problem', HTMLElement);
const done = byId('done', HTMLElement);
const heading = byId('heading', HTMLElement);

function value(form: HTMLFormElement, name: string): string {
	return control(form, name, HTMLInputElement).value;
}

function show(name: string): void {
	for (const id of Object.keys(HEADINGS))
		byId(id, HTMLFormElement).hidden = id !== name;
	for (const link of document.querySelectorAll<HTMLElement>('[data-show]'))
		link.hidden = link.dataset['show'] === name;
	heading.textContent = HEADINGS[name] ?? '';
	problem.textContent = '';
	done.textContent = '';
	byId(name, HTMLFormElement).querySelector('input')?.focus();
}

/* Runs a form's request once at a time and shows the server's sentence. */
function onSubmit(id: string, run: (form: HTMLFormElement) => Promise<void>): void {
	const form = byId(id, HTMLFormElement);
	const button = form.querySelector('button');

	form.addEventListener('submit', (event) => {
		event.preventDefault();
		problem.textContent = '';
		done.textContent = '';
		if (!form.checkValidity()) {
			const first = form.querySelector<HTMLInputElement>(':invalid');

			problem.textContent = first?.validationMessage ?? '';
			first?.focus();
			return;
		}
		if (button)
			button.disabled = true;
		run(form).catch((error: unknown) => {
			problem.textContent = explain(error);
			if (error instanceof ApiError && error.field) {
				const at = form.elements.namedItem(error.field);

				if (at instanceof HTMLInputElement)
					at.focus();
			}
		}).finally(() => {
			if (button)
				button.disabled = false;
		});
	});
}

onSubmit('login', async (form) => {
	try {
		await api('POST', '/api/auth/login', {
			username: value(form, 'username'),
			password: value(form, 'password'),
		});
	} catch (error) {
		const password = control(form, 'password', HTMLInputElement);

		password.select();
		throw error;
	}
	location.assign('/');
});

onSubmit('register', async (form) => {
	const email = value(form, 'email').trim();
	const username = value(form, 'username');

	if (value(form, 'password') !== value(form, 'cpassword'))
		throw new Error('The two passwords differ.');
	await api('POST', '/api/auth/register', {
		username,
		password: value(form, 'password'),
		cpassword: value(form, 'cpassword'),
		...(email ? { email } : {}),
	});
	form.reset();
	show('login');
	control(byId('login', HTMLFormElement), 'username', HTMLInputElement)
		.value = username;
	/* The reply is the same for a taken name, so the sentence is too. */
	done.textContent = 'If the name and the e-mail were free, ' +
	    'the account is ready. Sign in.';
});

onSubmit('forgot', async (form) => {
	try {
		await api('POST', '/api/auth/forgot-password', {
			email: value(form, 'email'),
		});
	} catch (error) {
		/* 404 is the one answer there is, known address or not. */
		if (!(error instanceof ApiError) || error.status !== 404)
			throw error;
	}
	form.reset();
	done.textContent =
	    'If an account uses this address, a link has been sent.';
});

for (const link of document.querySelectorAll<HTMLElement>('[data-show]'))
	link.addEventListener('click', () => show(link.dataset['show'] ?? ''));
themeButton(byId('theme', HTMLElement));
byId('login', HTMLFormElement).querySelector('input')?.focus();
