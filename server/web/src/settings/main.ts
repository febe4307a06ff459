/* The own account: model, sign-in sessions, password, data, deletion. */
import { api, explain, signOut } from '../lib/api';
import { ask } from '../lib/dialog';
import { byId, control, h } from '../lib/dom';
import { themeButton } from '../lib/theme';
import { timeElement } from '../lib/time';
import { toast } from '../lib/toast';
import { toolList } from '../lib/tool-list';
import type { SignIn } from '../lib/types';
import { browserName } from './agent';
import { importButton } from './data';
import { modelForm } from './model';
import { profileForm } from './profile';
import { statistics } from './stats';

const problem = byId('problem', HTMLElement);
const list = byId('sessions', HTMLElement);
const form = byId('password', HTMLFormElement);

function failed(error: unknown): void {
	problem.textContent = explain(error);
	problem.scrollIntoView({ block: 'center' });
}

async function end(session: SignIn): Promise<void> {
	await api('DELETE', `/api/profile/sessions/${session.id}`);
	await loadSessions();
	toast('That session has ended.');
}

function row(session: SignIn): HTMLElement {
	const name = browserName(session.agent);

	return h('li', {},
	    h('div', { class: 'about' },
	        h('span', {}, name),
	        h('small', { class: 'note' },
	            session.address ?? 'unknown address', ' · since ',
	            timeElement(session.created_at))),
	    session.current ?
	        h('span', { class: 'state' }, 'this browser') :
	        h('button', {
		        type: 'button', class: 'btn',
		        'aria-label': `Sign out ${name}, ${session.address ?? ''}`,
		        on: { click: () => void end(session).catch(failed) },
	        }, 'Sign out'));
}

async function loadSessions(): Promise<void> {
	const { sessions } = await api<{ sessions: SignIn[] }>('GET',
	    '/api/profile/sessions');

	list.replaceChildren(...sessions.map(row));
}

function value(name: string): string {
	return control(form, name, HTMLInputElement).value;
}

async function changePassword(): Promise<void> {
	if (value('new_password') !== value('confirm_new_password'))
		throw new Error('The two passwords differ.');
	await api('POST', '/api/profile/password', {
		current_password: value('current_password'),
		new_password: value('new_password'),
		confirm_new_password: value('confirm_new_password'),
	});
	form.reset();
	await loadSessions();
	toast('The password is changed.');
}

async function deleteAccount(): Promise<void> {
	const password = h('input', {
		id: 'delete-password', type: 'password',
		autocomplete: 'current-password', required: true,
	});

	await ask({
		title: 'Delete the account?',
		content: [
			'The account and all its conversations are deleted for good.',
			h('div', { class: 'field' },
			    h('label', { for: 'delete-password' }, 'Password'), password),
		],
		verb: 'Delete everything',
		danger: true,
		act: async () => {
			await api('POST', '/api/account/delete',
			    { password: password.value });
			sessionStorage.clear();
			location.assign('/login');
		},
	});
}

/* What went wrong before is over once the person acts again. */
document.addEventListener('click', () => {
	problem.textContent = '';
}, { capture: true });
form.addEventListener('submit', (event) => {
	const button = form.querySelector('button');

	event.preventDefault();
	if (button)
		button.disabled = true;
	changePassword().catch(failed).finally(() => {
		if (button)
			button.disabled = false;
	});
});
byId('delete', HTMLElement).addEventListener('click',
    () => void deleteAccount());
byId('sign-out', HTMLElement).addEventListener('click',
    () => void signOut().catch(failed));
themeButton(byId('theme', HTMLElement));
profileForm(failed);
importButton(failed);
modelForm(failed);
toolList('user', failed);
statistics(failed);
loadSessions().catch(failed);
