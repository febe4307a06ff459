/* What a person does with what was said: branches, pins, a summary, another
 * conversation beside it. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, afterEach, describe, it } from 'node:test';
import { readFile } from 'node:fs/promises';
import { assertAccessible, assertClean, openBrowser, openPage, send } from
    './browser.mjs';
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
	const alice = mock.user('alice').user_id;

	mock.addConversation(alice, 'Irrigation', [
		['user', 'A pump?'], ['assistant', 'A *small* one.']]);
	mock.addConversation(alice, 'Garden plan', [
		['user', 'Water?'], ['assistant', 'Twice a week.'],
		['user', 'And in May?'], ['assistant', 'Once.'],
	]);
	page = await openPage(browser, mock.url);
	await page.context().addCookies([mock.cookie('alice')]);
	await page.goto(`${mock.url}/#${row('Garden plan').id}`);
	await log().getByText('Once.').waitFor();
});
afterEach(async () => {
	await page.context().close();
	await mock.stop();
	assertClean(page);
});

const button = (name) => page.getByRole('button', { name, exact: true });
const log = () => page.getByRole('log');
const panel = () => page.locator('#panel');
const row = (title) => [...mock.conversations.values()]
	.find((c) => c.title === title);
const title = () => page.getByRole('heading', { level: 1 });
const turn = (text) => log().getByRole('article')
	.filter({ hasText: text });

async function menu(name) {
	await page.getByLabel('More about this conversation').click();
	await page.locator('#more').getByText(name, { exact: true }).click();
}

describe('a fork', () => {
	it('is a conversation of its own, in one tree with the other',
	    async () => {
		await turn('Twice a week.').getByRole('button', { name: 'Fork here' })
			.click();
		await title().getByText('Garden plan (branch)').waitFor();
		await log().getByText('Once.').waitFor({ state: 'detached' });
		await log().getByText('Twice a week.').waitFor();
		await send(page, 'And in June?');
		await log().getByText('You said: And in June?').waitFor();
		assert.equal(row('Garden plan').messages.length, 4);
		await button('Branches').click();
		const here = panel().locator('[aria-current="page"]');

		await here.getByText('Garden plan (branch)').waitFor();
		await assertAccessible(page);
		await panel().getByRole('link', { name: 'Garden plan', exact: true })
			.click();
		await log().getByText('Once.').waitFor();
		await here.getByText('Garden plan', { exact: true }).waitFor();
		await page.keyboard.press('Escape');
		await panel().waitFor({ state: 'hidden' });
	});
});

describe('a message', () => {
	it('is pinned, found among the pinned ones, and let go', async () => {
		await turn('Twice a week.')
			.getByRole('button', { name: 'Pin this message' }).click();
		await turn('Twice a week.').locator('.who')
			.getByText('llama3.2').waitFor();
		await menu('Pinned messages');
		await panel().getByText('Twice a week.').click();
		await page.locator('.turn.revealed').waitFor();
		await assertAccessible(page);
		await page.reload();
		await menu('Pinned messages');
		await panel().getByText('Twice a week.').waitFor();
		await turn('Twice a week.')
			.getByRole('button', { name: 'Unpin this message' }).click();
		await panel().getByText('Nothing is pinned here yet.').waitFor();
	});

	it('is exported', async () => {
		const download = page.waitForEvent('download');

		await turn('Twice a week.')
			.getByRole('button', { name: 'Export this message' }).click();
		assert.equal(await readFile(await (await download).path(), 'utf8'),
		    'Twice a week.');
	});
});

describe('a summary', () => {
	it('stands in the panel, and is tried again when it failed', async () => {
		mock.summaryFails = true;
		await menu('Summarize');
		await panel().getByText('The provider did not answer.').waitFor();
		mock.summaryFails = false;
		await panel().getByRole('button', { name: 'Try again' }).click();
		await panel().locator('strong').getByText('water').waitFor();
		await assertAccessible(page);
	});
});

describe('another conversation', () => {
	it('is read beside the open one, under it on a phone', async () => {
		const beside = page.getByRole('region',
		    { name: 'The other conversation' });
		const box = (el) => el.boundingBox();

		await menu('Compare with another');
		await page.getByLabel('With').selectOption({ label: 'Irrigation' });
		await page.getByRole('dialog')
			.getByRole('button', { name: 'Compare' }).click();
		await beside.getByText('A small one.').waitFor();
		assert.equal(await beside.getByRole('button').count(), 0);
		assert.equal((await box(beside)).y >= (await box(log())).y, true);
		assert.ok((await box(beside)).x > (await box(log())).x);
		await assertAccessible(page);
		await page.setViewportSize({ width: 390, height: 844 });
		await page.waitForFunction(() => document.querySelector('#beside-log')
			.getBoundingClientRect().x === 0);
		assert.ok((await box(beside)).y > (await box(log())).y + 100);
		assert.equal(await page.evaluate(() =>
		    document.documentElement.scrollWidth), 390);
		await button('Close the comparison').click();
		await beside.waitFor({ state: 'hidden' });
	});
});

describe('another tab', () => {
	it('changes the list here as well', async () => {
		const links = page.getByRole('navigation');

		row('Irrigation').title = 'Pumps';
		mock.tell(mock.user('alice'), { type: 'history_changed' });
		await links.getByRole('link', { name: 'Pumps' }).waitFor();
	});
});
