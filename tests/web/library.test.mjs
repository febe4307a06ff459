/* What a person keeps: prompts, projects with documents, and the profile. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, afterEach, describe, it } from 'node:test';
import { assertAccessible, assertClean, assertCount, assertText, openBrowser,
    openPage, send } from './browser.mjs';
import { Mock } from './mock.mjs';

const PIXEL = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADU' +
    'lEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');

let alice;
let browser;
let mock;
let page;

before(async () => {
	browser = await openBrowser();
});
after(() => browser.close());
beforeEach(async () => {
	mock = await new Mock().start();
	alice = mock.user('alice');
	mock.prompts.push(
	    { id: 71, title: 'Weekly report', content: 'Five points, please.',
		is_global: false, owner: alice.user_id },
	    { id: 72, title: 'House style', content: 'Write plainly.',
		is_global: true, owner: null });
	page = await openPage(browser, mock.url);
	await page.context().addCookies([mock.cookie('alice')]);
});
afterEach(async () => {
	await page.context().close();
	await mock.stop();
	assertClean(page);
});

const button = (name) => page.getByRole('button', { name, exact: true });
const dialog = () => page.getByRole('dialog');
const message = () => page.getByRole('textbox',
    { name: 'Message', disabled: false });
const says = (text) => page.waitForFunction((wanted) =>
    document.querySelector('#message').value === wanted, text);

describe('the prompt library', () => {
	const panel = () => page.locator('#panel');

	beforeEach(async () => {
		await page.goto(mock.url);
		await message().waitFor();
		await button('Prompts').click();
		await panel().getByText('Weekly report').waitFor();
	});

	it('puts a prompt into the message', async () => {
		await panel().getByRole('button', { name: /^House style/ }).click();
		await says('Write plainly.');
		assert.equal(await panel()
			.getByRole('button', { name: /“House style”/ }).count(), 0);
		await assertAccessible(page);
	});

	it('keeps what is written, changes it and deletes it', async () => {
		await button('New').click();
		await dialog().getByLabel('Title').fill('Weekly report');
		await dialog().getByLabel('Text').fill('Another.');
		await dialog().getByRole('button', { name: 'Save' }).click();
		await dialog().getByText('There is a prompt of that title already.')
			.waitFor();
		await dialog().getByLabel('Title').fill('Letter');
		await assertAccessible(page);
		await dialog().getByRole('button', { name: 'Save' }).click();
		await button('Change “Letter”').click();
		await dialog().getByLabel('Text').fill('Dear all,');
		await dialog().getByRole('button', { name: 'Save' }).click();
		await panel().getByText('Dear all,').waitFor();
		await button('Delete “Letter”').click();
		await dialog().getByRole('button', { name: 'Delete' }).click();
		await panel().getByText('Dear all,').waitFor({ state: 'detached' });
		await panel().getByLabel('Filter the prompts').fill('nothing');
		await panel().getByText('No prompt is called so.').waitFor();
	});

	it('is found by a slash, and Enter takes what is chosen', async () => {
		await message().pressSequentially('/');
		await page.getByRole('option').nth(1).waitFor();
		await assertAccessible(page);
		await message().pressSequentially('rep');
		await page.getByRole('option', { name: /house/ })
			.waitFor({ state: 'detached' });
		await page.keyboard.press('Enter');
		await says('Five points, please.');
		assert.equal(mock.frames.length, 0);
		await send(page, '/nothing like it');
		await page.getByText('You said: /nothing like it').waitFor();
	});

	it('gives an empty chat its starters', async () => {
		await button('New chat').click();
		await page.locator('.starters')
			.getByRole('button', { name: 'Weekly report' }).click();
		await says('Five points, please.');
	});
});

describe('the profile', () => {
	beforeEach(async () => {
		await page.goto(`${mock.url}/settings`);
		await page.waitForFunction(() =>
		    document.querySelector('#profile-username').value === 'alice');
	});

	it('has a name and an address that can be changed', async () => {
		await page.getByLabel('Full name').fill('Alice Example');
		await page.getByLabel('E-mail').fill('a@example.org');
		await button('Save the profile').click();
		await page.getByText('The profile is saved.').waitFor();
		assert.deepEqual([alice.full_name, alice.email],
		    ['Alice Example', 'a@example.org']);
	});

	it('has a picture, which is shown and taken back', async () => {
		const choose = (name, buffer) => page.getByLabel('Picture file')
			.setInputFiles({ name, mimeType: 'image/png', buffer });
		const picture = page.getByRole('img', { name: 'Your picture' });

		await choose('notes.png', Buffer.from('no picture at all'));
		await page.getByText('That is no picture.').waitFor();
		await choose('big.png', Buffer.alloc(2 * 1024 * 1024 + 1));
		await page.getByText('at most 2 MiB').waitFor();
		await choose('me.png', PIXEL);
		await picture.waitFor();
		await assertAccessible(page);
		await page.goto(mock.url);
		await page.locator('#initials img').waitFor();
		await page.goto(`${mock.url}/settings`);
		await button('Remove the picture').click();
		await picture.waitFor({ state: 'hidden' });
		assert.equal(alice.profile_pic, null);
	});

	it('begins a system prompt from a template', async () => {
		await page.getByRole('combobox', { name: 'Template' })
			.selectOption({ label: 'Patient teacher' });
		assert.equal(await page.getByLabel('System prompt').inputValue(),
		    'Explain step by step.');
	});
});

describe('the own data', () => {
	const choose = (content) => page.getByLabel('File to import')
		.setInputFiles({ name: 'conversations.json',
		    mimeType: 'application/json', buffer: Buffer.from(content) });
	const titles = () => [...mock.conversations.values()]
		.map(({ title }) => title);

	it('is brought along from a file, once', async () => {
		const file = JSON.stringify(['Rome', 'Paris']);

		await page.goto(`${mock.url}/settings`);
		await choose('nonsense');
		await page.getByText('That is no export of a program known here.')
			.waitFor();
		await choose(file);
		await dialog().getByText('It is an export of ChatGPT.').waitFor();
		await dialog().getByRole('row', { name: 'conversations 2 0 0' })
			.waitFor();
		await dialog().getByText('a picture is not in the file (3 times)')
			.waitFor();
		await assertAccessible(page);
		assert.deepEqual(titles(), []);
		await dialog().getByRole('button', { name: 'Import' }).click();
		await dialog().getByText('The data is imported').waitFor();
		assert.deepEqual(titles(), ['Rome', 'Paris']);
		await dialog().getByRole('button', { name: 'Done' }).click();
		await choose(file);
		await dialog().getByText('There is nothing new in the file').waitFor();
	});
});

describe('a project', () => {
	const side = () => page.getByRole('navigation');
	const documents = () => page.locator('.documents li');
	const project = () => mock.projects[0];

	beforeEach(async () => {
		mock.projects.push({
			id: 'thesis', title: 'Thesis', description: 'Dry gardens.',
			owner: alice.user_id, documents: [],
		});
		mock.answer = () => [{ text: 'Rarely [1].' }, { sources: [
			{ n: 1, document_id: 5, filename: 'notes.pdf', page: 12 },
		] }];
		await page.goto(mock.url);
		await side().getByRole('link', { name: /Thesis/ }).click();
		await page.getByText('No documents yet.').waitFor();
	});

	it('is made, changed and deleted', async () => {
		await button('Actions for the list').click();
		await page.getByRole('menuitem', { name: 'New project' }).click();
		await dialog().getByLabel('Title').fill('House');
		await assertAccessible(page);
		await dialog().getByRole('button', { name: 'Create' }).click();
		await page.getByRole('heading', { level: 2, name: 'House' }).waitFor();
		await button('Edit').click();
		await dialog().getByLabel('Title').fill('House manual');
		await dialog().getByRole('button', { name: 'Save' }).click();
		await side().getByRole('link', { name: /House manual/ }).waitFor();
		await button('Delete').click();
		await dialog().getByText('Delete the project “House manual”?')
			.waitFor();
		await dialog().getByRole('button', { name: 'Delete the project' })
			.click();
		await side().getByRole('link', { name: /House manual/ })
			.waitFor({ state: 'detached' });
		await message().waitFor();
	});

	it('reads documents and says of each what became of it', async () => {
		await page.getByLabel('Documents to add').setInputFiles([
			{ name: 'notes.pdf', mimeType: 'application/pdf',
			    buffer: Buffer.alloc(1_200_000, 'x') },
			{ name: 'locked.pdf', mimeType: 'application/pdf',
			    buffer: Buffer.from('%PDF') },
			{ name: 'empty.txt', mimeType: 'text/plain',
			    buffer: Buffer.alloc(0) },
		]);
		await documents().filter({ hasText: 'empty.txt' })
			.getByText('The file is empty.').waitFor();
		await documents().filter({ hasText: 'notes.pdf' })
			.getByText('ready').waitFor();
		await documents().getByText('1.2 MB · 12 passages').waitFor();
		await documents().filter({ hasText: 'locked.pdf' })
			.getByText('It wants a password.').waitFor();
		await assertAccessible(page);
		await button('Forget empty.txt').click();
		await button('Delete locked.pdf').click();
		await dialog().getByRole('button', { name: 'Delete' }).click();
		await documents().filter({ hasText: 'locked.pdf' })
			.waitFor({ state: 'detached' });
		assert.equal(project().documents.length, 1);
	});

	it('shows at once what another tab adds and deletes', async () => {
		const row = documents().filter({ hasText: 'elsewhere.txt' });
		const tell = (document) => mock.tell(mock.user('alice'), {
			type: 'document', project_id: project().id,
			document_id: 9001, document,
		});

		tell({ id: 9001, filename: 'elsewhere.txt', size: 10, chunks: 1,
			pages: null, status: 'ready', reason: null });
		await row.getByText('ready').waitFor();
		tell(null);
		await row.waitFor({ state: 'detached' });
	});

	it('reads a web page by its address', async () => {
		const add = async (url) => {
			await dialog().getByLabel('Address').fill(url);
			await dialog().getByRole('button', { name: 'Add' }).click();
		};

		await button('Add a web page').click();
		await add('nonsense');
		await dialog().getByText('That is no address of a web page.')
			.waitFor();
		await add('http://127.0.0.1/');
		await dialog().getByText('not on the public net').waitFor();
		await add('https://gardens.example/dry');
		await documents().getByText('gardens.example dry.md').waitFor();
	});

	it('has chats whose answers name their sources', async () => {
		await button('New chat in this project').click();
		await page.getByRole('heading', { name: 'Ask about Thesis' })
			.waitFor();
		await send(page, 'How often?');
		await page.getByRole('list', { name: 'Sources' })
			.getByText('notes.pdf · p. 12').waitFor();
		assert.equal(mock.frames[0].project_id, 'thesis');
		await assertAccessible(page);
		await page.reload();
		await page.getByText('notes.pdf · p. 12').waitFor();
		await side().getByRole('link', { name: /Thesis/ }).click();
		await page.locator('#page')
			.getByRole('link', { name: 'How often?' }).click();
		await page.getByText('notes.pdf · p. 12').waitFor();
	});

	it('of somebody else does not exist', async () => {
		await page.goto(`${mock.url}/#/projects/unknown`);
		await page.getByText('This project does not exist (any more).')
			.waitFor();
	});
});

describe('the statistics', () => {
	const section = () => page.getByRole('region', { name: 'Statistics' });
	const rows = (table) => section().getByRole('region', { name: table })
		.locator('tbody tr');

	it('draw the last days, say them in words and list them', async () => {
		mock.stats.conversations = 1234;
		mock.stats.days = [{ messages: 2, tokens: 90 },
			{ messages: 40, tokens: 5000 }];
		await page.setViewportSize({ width: 390, height: 800 });
		await page.goto(`${mock.url}/settings`);
		await section().getByText('1,234', { exact: true }).waitFor();
		await section().getByRole('img', {
			name: /^Messages a day, .*: 42 in all, at most 40, on /,
		}).waitFor();
		await section().getByRole('img', { name: /^Tokens a day, .*5,090/ })
			.waitFor();
		await section().getByText('These days as a table').focus();
		await page.keyboard.press('Enter');
		await assertCount(rows('The last days'), 30);
		await assertText(rows('The last days').first().locator('td').first(),
		    '2');
		await assertAccessible(page);
		assert.equal(await page.evaluate(() =>
		    document.documentElement.scrollWidth), 390);
	});

	it('list the first models, and all on demand', async () => {
		mock.stats.days[29] = { messages: 2, tokens: 0 };
		mock.stats.models = Array.from({ length: 11 }, (_, i) =>
		    ({ model: i ? `model-${i}` : null, answers: 1, tokens: 99 - i }));
		await page.goto(`${mock.url}/settings`);
		await assertCount(rows('Answers by model'), 8);
		await rows('Answers by model').first().getByText('no model named').waitFor();
		assert.equal(await section().getByRole('img').count(), 1);
		await button('Show all 11 models').press('Enter');
		await assertCount(rows('Answers by model'), 11);
		await button('Show all 11 models').waitFor({ state: 'detached' });
	});
});
