/* Dark or light: the system's choice until the person makes one. */

type Theme = 'dark' | 'light';

const KEY = 'theme';
const system = matchMedia('(prefers-color-scheme: light)');

function chosen(): Theme | null {
	const value = localStorage.getItem(KEY);

	return value === 'dark' || value === 'light' ? value : null;
}

function apply(): void {
	document.documentElement.dataset['theme'] =
	    chosen() ?? (system.matches ? 'light' : 'dark');
}

/** Sets the theme now and whenever the system or another tab changes it. */
export function followTheme(): void {
	apply();
	system.addEventListener('change', apply);
	addEventListener('storage', apply);
}

/** Makes a button switch the theme. */
export function themeButton(button: HTMLElement): void {
	button.addEventListener('click', () => {
		const now = document.documentElement.dataset['theme'];

		localStorage.setItem(KEY, now === 'light' ? 'dark' : 'light');
		apply();
	});
}
