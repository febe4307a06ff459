/* The administration page. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, afterEach, describe, it } from 'node:test';
import { assertAccessible, assertClean, assertCount, assertText,
    assertValue, eventually, openBrowser, openPage } from './browser.mjs';
import { backup, HOUR } from './mock-routes.mjs';
import { Mock } from './mock.mjs';

let browser;
let mock;
let page;

before(async () => {
	browser = await openBrowser();
});
after(() => browser.close());
beforeEach(async () => {
	mock = await new Mock().start();
	page = await openPage(browser, mock.url);
	await page.context().addCookies([mock.cookie('admin')]);
	await page.goto(`${mock.url}/admin`);
	await row('alice').waitFor();
});
afterEach(async () => {
	assertClean(page);
	await page.context().close();
	await mock.stop();
});

const row = (name) => page.locator(`[data-user="${name}"]`);
const click = (name) => page.getByRole('button', { name, exact: true })
	.click();
const dialog = () => page.getByRole('dialog');
const answer = (name) => dialog()
	.getByRole('button', { name, exact: true }).click();
const closed = () => dialog().waitFor({ state: 'detached' });

describe('people', () => {
	it('are listed with role and state, in both themes and on a phone',
	    async () => {
		await eventually(async () =>
		    assert.match(await row('alice').innerText(),
		    /alice\s+alice@example\.org/));
		for (const colorScheme of ['dark', 'light']) {
			await page.emulateMedia({ colorScheme });
			await assertAccessible(page);
		}
		await page.setViewportSize({ width: 390, height: 844 });
		await eventually(async () =>
		    assert.equal(await page.evaluate(() =>
		    document.documentElement.scrollWidth), 390));
		await assertAccessible(page);
	});

	it('are found by a part of the name', async () => {
		await page.getByRole('searchbox').fill('ali');
		await row('admin').waitFor({ state: 'detached' });
		await assertCount(row('alice'), 1);
		await page.getByRole('searchbox').fill('nobody');
		await page.getByText('Nobody matches.').waitFor();
	});

	it('are created with a password that is shown once', async () => {
		await click('Create a user');
		await dialog().getByLabel('Name').fill('bob');
		await assertAccessible(page);
		await answer('Create');
		await dialog().getByText('The password of bob').waitFor();
		await assertText(dialog().locator('.secret'),
		    mock.user('bob').password);
		assert.equal(mock.user('bob').password.length, 20);
		await answer('Done');
		await row('bob').waitFor();
		assert.doesNotMatch(await page.content(),
		    new RegExp(mock.user('bob').password));
	});

	it('keep their name: a taken one is refused in the dialog', async () => {
		await click('Create a user');
		await dialog().getByLabel('Name').fill('alice');
		await answer('Create');
		await dialog().getByText('That name is taken.').waitFor();
		await assertValue(dialog().getByLabel('Name'), 'alice');
	});

	it('are blocked after a question, and unblocked', async () => {
		await click('Block alice');
		await answer('Cancel');
		await closed();
		assert.equal(mock.user('alice').blocked, false);
		await click('Block alice');
		await answer('Block');
		await row('alice').getByText('blocked').waitFor();
		assert.ok(mock.user('alice').blocked);
		await click('Unblock alice');
		await row('alice').getByText('active').waitFor();
		assert.equal(mock.user('alice').blocked, false);
	});

	it('lose their sessions with the block only when asked', async () => {
		const alice = mock.user('alice');
		const signedIn = () => [...mock.logins.values()].includes(alice);

		mock.logins.set('a-session', alice);
		await click('Block alice');
		await answer('Block');
		await closed();
		assert.ok(signedIn());
		await click('Unblock alice');
		await click('Block alice');
		await dialog().getByLabel('Also end its sessions').check();
		await answer('Block');
		await closed();
		assert.equal(signedIn(), false);
	});

	it('get another role after a question', async () => {
		const select = page.getByLabel('Role of alice');

		await select.selectOption('admin');
		await dialog().getByText('Make alice an admin?').waitFor();
		await page.keyboard.press('Escape');
		await assertValue(select, 'user');
		await select.selectOption('admin');
		await answer('Change the role');
		await closed();
		assert.equal(mock.user('alice').role, 'admin');
	});

	it('get a random password that is shown once', async () => {
		await click('Reset password alice');
		await answer('Reset the password');
		await assertText(dialog().locator('.secret'),
		    mock.user('alice').password);
		assert.notEqual(mock.user('alice').password, 'alice-password');
	});

	it('are deleted only when their name is typed', async () => {
		await click('Delete alice');
		await dialog().getByLabel('Type alice to confirm').fill('alic');
		await answer('Delete');
		await dialog().getByText('The name does not match.').waitFor();
		assert.ok(mock.user('alice'));
		await dialog().getByLabel('Type alice to confirm').fill('alice');
		await answer('Delete');
		await row('alice').waitFor({ state: 'detached' });
		assert.equal(mock.user('alice'), undefined);
	});

	it('include a last admin whom nobody can lock out', async () => {
		await click('Block admin');
		await answer('Block');
		await dialog().getByText('The last active admin can’t be changed.')
			.waitFor();
		assert.equal(mock.user('admin').blocked, false);
	});
});

describe('settings', () => {
	it('are saved; a key is sent, never shown', async () => {
		const key = page.getByLabel('API key');

		await page.getByLabel('Anyone may create an account').check();
		await page.getByLabel('Provider').selectOption('anthropic');
		await page.getByText('No key is set; this provider needs one.')
			.waitFor();
		await page.getByLabel('Model').fill('some-model');
		await page.getByLabel('Context').fill('32768');
		await page.getByLabel('Titles').selectOption('By the model');
		await key.fill('sk-secret-1234');
		await click('Save the settings');
		await page.getByText('A key is set (ends in 1234).').waitFor();
		await assertValue(key, '');
		assert.equal(mock.choices.get(null).provider, 'anthropic');
		assert.equal(mock.choices.get(null).context_tokens, 32768);
		assert.equal(mock.choices.get(null).auto_title, true);
		assert.equal(mock.registration, true);
		await page.reload();
		await page.getByText('A key is set (ends in 1234).').waitFor();
		await assertValue(page.getByLabel('Model'), 'some-model');
		await assertAccessible(page);
		await click('Clear');
		await page.getByText('No key is set; this provider needs one.')
			.waitFor();
		assert.equal(mock.choices.get(null).model, 'some-model');
	});
});

describe('the last verified backup', () => {
	const box = () => page.locator('#backup');
	const isRed = () => eventually(async () =>
	    assert.equal(await box().getAttribute('class'), 'backup stale'));
	const isCalm = () => eventually(async () =>
	    assert.equal(await box().getAttribute('class'), 'backup'));
	const asked = () => mock.requests.filter((r) =>
	    r === 'GET /api/admin/status').length;

	/* The page's clock is ours: a minute takes no time. */
	async function reopen() {
		await page.clock.install();
		await page.goto(`${mock.url}/admin`);
		await box().locator('strong').waitFor();
	}

	it('is shown with age, size and how it was verified', async () => {
		await box().getByText('is 3 hours old.').waitFor();
		await assertText(box().locator('code'), 'localneural-' +
		    '20261124T030000Z.db.zst · 1.2 MB · verified: full');
		await isCalm();
	});

	it('turns red by itself when it gets too old, and calm again after ' +
	    'the next one', async () => {
		await reopen();
		await isCalm();
		mock.backup = backup(27 * HOUR);
		await page.clock.runFor(61_000);
		await box().getByText('27 hours old, older than 26 hours.')
			.waitFor();
		await isRed();
		await assertAccessible(page);
		mock.backup = backup(60);
		await page.clock.runFor(61_000);
		await box().getByText('is 1 minute old.').waitFor();
		await isCalm();
	});

	it('turns red even when nobody answers any more', async () => {
		mock.backup = backup(26 * HOUR - 30);
		await reopen();
		await isCalm();
		await page.route('**/api/admin/status', (route) =>
		    route.fulfill({ status: 429, json: { error: 'Busy' } }));
		await page.clock.runFor(61_000);
		await box().getByText('older than 26 hours.').waitFor();
		await box().getByText('Busy.').waitFor();
		await isRed();
	});

	it('is missed when there is none', async () => {
		mock.backup = backup(null);
		await reopen();
		await box().getByText('No backup was ever verified.').waitFor();
		await isRed();
	});

	it('is asked for again when the page is looked at again', async () => {
		await box().getByText('is 3 hours old.').waitFor();
		const before = asked();

		await page.evaluate(() =>
		    document.dispatchEvent(new Event('visibilitychange')));
		await eventually(async () => assert.equal(asked(), before + 1));
	});
});

describe('the database', () => {
	const choose = (text) => page.getByLabel('Import a database file')
		.setInputFiles({
			name: 'copy.db', mimeType: 'application/octet-stream',
			buffer: Buffer.from(text),
		});

	it('is downloaded', async () => {
		const download = page.waitForEvent('download');

		await page.getByRole('link', { name: 'Download the database' })
			.click();
		assert.equal((await download).suggestedFilename(),
		    'localneural.db');
	});

	it('is replaced after a dry run and a question', async () => {
		await choose('SQLite format 3\0 and so on');
		mock.requests.length = 0;
		await click('Check the file');
		await dialog().getByText('Replace the database with copy.db?')
			.waitFor();
		await eventually(async () =>
		    assert.deepEqual(await dialog().locator('td').allInnerTexts(),
		    ['2', '5', '40']));
		await assertAccessible(page);
		assert.equal(mock.requests.filter((r) =>
		    r === 'POST /api/import/db').length, 1);
		await answer('Replace the database');
		await dialog().getByText('The database is imported').waitFor();
		assert.equal(mock.requests.filter((r) =>
		    r === 'POST /api/import/db').length, 2);
	});

	it('is not touched by a file that is none', async () => {
		await choose('hello');
		await click('Check the file');
		await page.getByRole('alert').getByText('Invalid database file.')
			.waitFor();
		await assertCount(dialog(), 0);
	});
});
