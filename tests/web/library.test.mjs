/* What a person keeps: prompts, and the profile. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, afterEach, describe, it } from 'node:test';
import { assertAccessible, assertClean, openBrowser, openPage, send } from
    './browser.mjs';
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
