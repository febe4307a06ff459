/* Who the person is here: picture, name, e-mail address. */
import { api, upload } from '../lib/api';
import { byId, control } from '../lib/dom';
import { toast } from '../lib/toast';
import type { Me } from '../lib/types';

const MAX = 2 * 1024 * 1024;

export function profileForm(failed: (error: unknown) => void): void {
	const form = byId('profile', HTMLFormElement);
	const picture = byId('picture', HTMLImageElement);
	const initials = byId('initials', HTMLElement);
	const picker = byId('picture-file', HTMLInputElement);
	const remove = byId('picture-remove', HTMLButtonElement);
	const input = (name: string): HTMLInputElement =>
	    control(form, name, HTMLInputElement);
	const show = (me: Me): void => {
		input('username').value = me.username;
		input('email').value = me.email ?? '';
		input('full_name').value = me.full_name ?? '';
		face(me.username, me.profile_pic ?? null);
	};
	const face = (name: string, source: string | null): void => {
		initials.textContent = name.slice(0, 2).toUpperCase();
		picture.hidden = remove.hidden = source === null;
		initials.hidden = source !== null;
		if (source === null)
			picture.removeAttribute('src');
		else
			picture.src = source;
	};
	const save = async (): Promise<void> => {
		show(await api<Me>('PUT', '/api/profile', {
			username: input('username').value.trim(),
			email: input('email').value.trim(),
			full_name: input('full_name').value.trim(),
		}));
		toast('The profile is saved.');
	};
	const change = async (file: File): Promise<void> => {
		if (file.size > MAX)
			throw new Error('The picture may have at most 2 MiB.');
		const { profile_pic: source } = await upload<
		    { profile_pic: string }>('/api/profile/pic', 'pic', [file]);

		face(input('username').value, source);
		toast('The picture is saved.');
	};

	form.addEventListener('submit', (event) => {
		event.preventDefault();
		save().catch(failed);
	});
	byId('picture-choose', HTMLElement).addEventListener('click',
	    () => picker.click());
	picker.addEventListener('change', () => {
		const file = picker.files?.[0];

		if (file)
			change(file).catch(failed);
		picker.value = '';
	});
	remove.addEventListener('click', () => {
		api('DELETE', '/api/profile/pic').then(() => {
			face(input('username').value, null);
			toast('The picture is removed.');
			byId('picture-choose', HTMLElement).focus();
		}).catch(failed);
	});
	api<Me>('GET', '/api/profile').then(show).catch(failed);
}
