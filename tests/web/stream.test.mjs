/* The chat page when something fails: nothing is lost, everything is said. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, afterEach, describe, it } from 'node:test';
import { answered, assertAccessible, assertClean, assertCount,
    assertText, assertValue, eventually, openBrowser, openPage, send } from
    './browser.mjs';
import { Mock } from './mock.mjs';

const LONG = Array.from({ length: 120 }, (_, i) => `wörd${i}`).join(' ');

let browser;
let mock;
let page;

before(async () => {
	browser = await openBrowser();
});
after(() => browser.close());
beforeEach(async () => {
	mock = await new Mock({ pace: 25, answer: () => LONG }).start();
	page = await openPage(browser, mock.url);
	await page.context().addCookies([mock.cookie('alice')]);
	await page.goto(mock.url);
	await page.getByRole('textbox', { name: 'Message', disabled: false })
		.waitFor();
});
afterEach(async () => {
	assertClean(page);
	await page.context().close();
	await mock.stop();
});

const begun = () => page.locator('.prose').getByText('wörd').first()
	.waitFor();
const box = () => page.getByRole('textbox', { name: 'Message' });

describe('a dropped connection', () => {
	it('is shown, comes back, and the answer misses nothing', async () => {
		await send(page, 'Go');
		await begun();
		mock.refuseSockets = true;
		mock.dropSockets();
		await page.getByText('The connection dropped. Reconnecting …')
			.waitFor();
		await assertAccessible(page);
		mock.refuseSockets = false;
		assert.equal(await answered(page), LONG);
		await assertText(page.locator('#wire'), '');
	});

	it('that outlives the answer still ends with all of it', async () => {
		await send(page, 'Go');
		await begun();
		mock.refuseSockets = true;
		mock.dropSockets();
		while (mock.running.size)
			await new Promise((done) => setTimeout(done, 50));
		mock.refuseSockets = false;
		assert.equal(await answered(page), LONG);
	});

	it('does not hide why the answer failed', async () => {
		mock.answer = () => [{ text: LONG },
		    { fail: 'The provider is overloaded' }];
		await send(page, 'Go');
		await begun();
		mock.dropSockets();
		await page.getByText('The provider is overloaded.').waitFor();
		await page.getByRole('button', { name: 'Try again' }).waitFor();
		assert.equal(await answered(page), LONG);
		await page.getByText('The provider is overloaded.').waitFor();
	});

	it('leaves no hole where chunks were lost', async () => {
		await send(page, 'Go');
		await begun();
		mock.skipChunks = 3;
		assert.equal(await answered(page), LONG);
	});
});

describe('a reload in the middle of an answer', () => {
	it('joins it again', async () => {
		await send(page, 'Go');
		await begun();
		await page.reload();
		await begun();
		assert.equal(await answered(page), LONG);
		await assertCount(page.getByRole('article'), 2);
	});
});

describe('a network that eats WebSockets', () => {
	it('gets its answers over plain HTTP', async () => {
		mock.refuseSockets = true;
		mock.dropSockets();
		await page.reload();
		await page.getByText('No live connection').waitFor();
		await send(page, 'Go');
		assert.equal(await answered(page), LONG);
		assert.ok(mock.requests.includes('POST /api/chat/stream'));
	});

	it('is used for what is too large for a frame, too', async () => {
		const large = 'x'.repeat(70_000);

		await send(page, large);
		assert.equal(await answered(page), LONG);
		assert.equal([...mock.conversations.values()][0].messages[0]
			.content, large);
	});
});

describe('a refused message', () => {
	it('goes back to its writer when the account is blocked', async () => {
		mock.user('alice').blocked = true;
		await send(page, 'Anybody there?');
		await page.getByText('Your account has been blocked.').waitFor();
		await eventually(async () =>
		    assert.equal(await box().isVisible(), false));
		await assertCount(page.getByRole('article'), 0);
		assert.equal(mock.conversations.size, 0);
		await assertAccessible(page);
		await page.reload();
		await page.getByText('Your account has been blocked. ' +
		    'Contact an administrator.').waitFor();
	});

	it('is not lost when the provider fails before the first word',
	    async () => {
		mock.turn = async (user, frame, own) => own({
			type: 'error', error: 'The model server does not answer.',
		});
		await send(page, 'Dear diary');
		await page.getByText('The model server does not answer.').waitFor();
		await assertValue(box(), 'Dear diary');
	});

	it('counts down to the end of a rate limit', async () => {
		await page.route('**/api/chat/stream', (route) => route.fulfill({
			status: 429, headers: { 'Retry-After': '3' },
			contentType: 'application/json',
			body: '{"error":"Too many requests"}',
		}));
		await send(page, 'y'.repeat(70_000));
		await page.getByText('Too many requests. Try again in 3 s.')
			.waitFor();
		await page.getByText('Too many requests').waitFor(
		    { state: 'hidden' });
		await eventually(async () =>
		    assert.equal((await box().inputValue()).length, 70_000));
	});
});

describe('a session that ended', () => {
	it('leads back to the login page', async () => {
		mock.logins.clear();
		await page.getByRole('button', { name: 'New chat' }).click();
		mock.dropSockets();
		await page.waitForURL(`${mock.url}/login`);
	});
});
