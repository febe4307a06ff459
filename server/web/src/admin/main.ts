/* The administration page. */
import { explain, signOut } from '../lib/api';
import { byId } from '../lib/dom';
import { themeButton } from '../lib/theme';
import { toolList } from '../lib/tool-list';
import { BackupState } from './backup';
import { importForm } from './database';
import { loadSettings, settingsForm } from './settings';
import { Users } from './users';

const problem = byId('problem', HTMLElement);

function failed(error: unknown): void {
	problem.textContent = explain(error);
	problem.scrollIntoView({ block: 'center' });
}

/* What went wrong before is over once the person acts again. */
document.addEventListener('click', () => {
	problem.textContent = '';
}, { capture: true });
themeButton(byId('theme', HTMLElement));
byId('sign-out', HTMLElement).addEventListener('click',
    () => void signOut().catch(failed));
settingsForm(failed);
importForm(failed);
toolList('instance', failed);
new BackupState().watch();
new Users(failed).load().catch(failed);
loadSettings().catch(failed);
