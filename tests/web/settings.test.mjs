/*
 * The page of the own account, against the real server: model, sign-in
 * sessions, password, deletion.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { startServer } from '../server/harness.mjs';
import { assertAccessible, assertClean, assertCount, assertText,
    assertValue, openBrowser, openPage, signIn } from './browser.mjs';

let browser;
let page;
let server;

before(async () => {
	browser = await openBrowser();
	server = await startServer({ users: [
		{ username: 'alice' }, { username: 'bruno' }, { username: 'carla' },
		{ username: 'dora' }, { username: 'erik' },
	] });
});
after(async () => {
	await browser.close();
	await server.stop();
});
beforeEach(async () => {
	page = await openPage(browser, server.url);
});
afterEach(async () => {
	assertClean(page);
	await page.context().close();
});

async function enter(name) {
	await signIn(page, server.url, name, server.passwords[name]);
	await page.getByRole('link', { name: new RegExp(`^${name}`) }).click();
	await page.getByRole('heading', { name: 'Your account' }).waitFor();
	await page.getByText('this browser').waitFor();
}

const button = (name) => page.getByRole('button', { name, exact: true });
const status = async (client) => (await client.get('/api/auth/me')).status;

describe('the account page', () => {
	it('lists where one is signed in and ends a session', async () => {
		const other = await server.login('alice');

		await enter('alice');
		const rows = page.getByRole('list',
		    { name: 'Where you are signed in' }).getByRole('listitem');

		await assertCount(rows, 2);
		await rows.filter({ hasText: 'Chrome on Linux' }).waitFor();
		await assertAccessible(page);
		await rows.filter({ hasText: other.address })
			.getByRole('button', { name: /^Sign out/ }).click();
		await page.getByText('That session has ended.').waitFor();
		await assertCount(rows, 1);
		assert.equal(await status(other), 401);
	});

	it('changes the password and signs out everywhere else', async () => {
		const other = await server.login('bruno');
		const fill = async (current, wanted, again = wanted) => {
			await page.getByLabel('Current password').fill(current);
			await page.getByLabel('New password', { exact: true }).fill(wanted);
			await page.getByLabel('New password again').fill(again);
			await button('Change the password').click();
		};

		await enter('bruno');
		await fill('not-the-password', 'Brunos-new-1');
		await page.getByText('The current password is wrong.').waitFor();
		await fill(server.passwords.bruno, 'Brunos-new-1', 'Brunos-new-2');
		await page.getByText('The two passwords differ.').waitFor();
		assert.equal(await status(other), 200);
		await fill(server.passwords.bruno, 'Brunos-new-1');
		await page.getByText('The password is changed.').waitFor();
		assert.equal(await status(other), 401);
		await server.login('bruno', 'Brunos-new-1');
	});

	it('chooses a provider, whose key is never shown, and takes it back',
	    async () => {
		const settings = async () => (await client.get('/api/user/settings'))
			.json;
		const label = (name) => page.getByLabel(name, { exact: true });
		const save = async () => {
			await button('Save').click();
			await page.getByText('Saved.', { exact: true }).waitFor();
		};
		const client = await server.login('dora');

		await enter('dora');
		await label('Provider').selectOption('groq');
		await label('Model').fill('a-model');
		await label('Temperature').fill('0.3');
		await label('System prompt').fill('Be brief.');
		await label('API key').fill('gsk-canary-0123456789');
		await save();
		await page.reload();
		await page.getByText('A key is set (ends in 6789).').waitFor();
		await assertValue(label('Model'), 'a-model');
		assert.doesNotMatch(await page.content(), /canary/);
		const own = await settings();

		assert.equal(own.provider, 'groq');
		assert.equal(own.provider_origin, 'user');
		assert.equal(own.temperature, 0.3);
		assert.doesNotMatch(JSON.stringify(own), /canary/);
		await button('Clear').click();
		await page.getByText('No key is set; this provider needs one.')
			.waitFor();
		await label('Base URL').fill('http://192.0.2.7:8080/v1');
		await button('Save').click();
		await page.locator('#problem:not(:empty)').waitFor();
		await label('Provider').selectOption('');
		await save();
		const { provider_origin: origin, api_key_set: has } = await settings();

		assert.deepEqual([origin, has], ['default', false]);
	});

	it('counts what one asked and got', async () => {
		const client = await server.login('erik');
		const statistics = page.getByRole('region', { name: 'Statistics' });

		await enter('erik');
		await statistics.getByText('Nothing to count yet.').waitFor();
		await client.post('/api/chat/stream',
		    { prompt: 'How do I make a backup?' });
		await page.reload();
		await assertText(statistics.locator('dl'),
		    /^Conversations\s+1\s+Messages\s+2\s+Tokens\s+\d/);
		await statistics.getByRole('img', { name: /^Messages a day, .*: 2 in/ })
			.waitFor();
		await statistics.getByRole('region', { name: 'Answers by model' })
			.getByRole('row', { name: / 1 [0-9]/ }).waitFor();
		await assertAccessible(page);
	});

	it('deletes the account after asking for the password', async () => {
		await enter('carla');
		await button('Delete the account').click();
		const dialog = page.getByRole('dialog');

		await dialog.getByLabel('Password').fill('not-the-password');
		await dialog.getByRole('button', { name: 'Delete everything' }).click();
		await dialog.getByText('The password is wrong.').waitFor();
		await assertAccessible(page);
		await dialog.getByLabel('Password').fill(server.passwords.carla);
		await dialog.getByRole('button', { name: 'Delete everything' }).click();
		await page.waitForURL('**/login');
		assert.equal((await server.client().login('carla',
		    server.passwords.carla)).status, 401);
	});
});
