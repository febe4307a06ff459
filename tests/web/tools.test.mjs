/* The list of tools, on the page of the account and on the administrator's. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, afterEach, describe, it } from 'node:test';
import { assertAccessible, assertClean, assertCount, eventually,
    openBrowser, openPage } from './browser.mjs';
import { Mock } from './mock.mjs';

const GLOBAL = {
	id: 'g1', name: 'house_lights', description: 'Switch a lamp',
	definition: { name: 'house_lights' }, kind: 'bare', is_global: true,
	enabled: true, asks_first: false, available: true,
};

let browser;
let mock;
let page;

before(async () => {
	browser = await openBrowser();
});
after(() => browser.close());
beforeEach(async () => {
	mock = await new Mock().start();
	mock.tools.push({ ...GLOBAL });
	page = await openPage(browser, mock.url);
});
afterEach(async () => {
	assertClean(page);
	await page.context().close();
	await mock.stop();
});

async function open(name, path) {
	await page.context().addCookies([mock.cookie(name)]);
	await page.goto(`${mock.url}${path}`);
	await row('current_time').waitFor();
}

const row = (name) => page.locator('#tools li').filter({ hasText: name });
const button = (name) => page.getByRole('button', { name, exact: true });
const box = (name) => page.getByRole('checkbox', { name, exact: true });
const tool = (name) => mock.tools.find((t) => t.name === name);
const dialog = () => page.getByRole('dialog');
const set = async (name, change) => {
	const asked = page.waitForResponse((reply) =>
	    reply.request().method() === 'PUT');

	await box(name).click();
	assert.deepEqual((await asked).request().postDataJSON(), change);
};

describe('a person', () => {
	beforeEach(() => open('alice', '/settings'));

	it('sees what may be called, and what is not set up', async () => {
		await row('read_file').getByText('not set up on this server')
			.waitFor();
		await row('house_lights').getByText('everybody’s').waitFor();
		await eventually(async () =>
		    assert.ok(await box('Ask first: web_search').isChecked()));
		await eventually(async () =>
		    assert.ok(await box('Enabled: house_lights').isDisabled()));
		await assertCount(button('Delete house_lights'), 0);
		await assertCount(button('Delete current_time'), 0);
		await assertAccessible(page);
	});

	it('switches a built-in one for oneself only', async () => {
		await set('Ask first: current_time',
		    { asks_first: true, is_global: false });
		await set('Enabled: current_time',
		    { enabled: false, is_global: false });
		await page.reload();
		await row('current_time').waitFor();
		await eventually(async () =>
		    assert.ok(await box('Ask first: current_time').isChecked()));
		await eventually(async () =>
		    assert.equal(await box('Enabled: current_time').isChecked(), false));
	});

	it('adds one from its definition, and deletes it', async () => {
		await button('Add a tool').click();
		await assertAccessible(page);
		await dialog().getByLabel('Definition').fill('{');
		await dialog().getByRole('button', { name: 'Add' }).click();
		await dialog().getByText('The definition is not valid JSON.')
			.waitFor();
		await dialog().getByLabel('Definition').fill(JSON.stringify({
			name: 'weather', description: '<b>sun</b>',
			endpoint: { url: 'https://weather.example/{place}' },
		}));
		await dialog().getByRole('button', { name: 'Add' }).click();
		await row('weather').getByText('<b>sun</b>').waitFor();
		await row('weather').getByText('called over HTTP').waitFor();
		assert.deepEqual([tool('weather').asks_first,
		    tool('weather').is_global], [true, false]);
		await button('Delete weather').click();
		await dialog().getByRole('button', { name: 'Delete' }).click();
		await row('weather').waitFor({ state: 'detached' });
		assert.equal(tool('weather'), undefined);
	});

	it('is told why a change was refused, and sees what holds', async () => {
		await page.route('**/api/tools/*', (route) => route.fulfill({
			status: 403, contentType: 'application/json',
			body: '{"error":"Only an administrator may do that"}',
		}));
		await box('Ask first: web_search').click();
		await page.getByRole('alert')
			.getByText('Only an administrator may do that.').waitFor();
		await page.waitForFunction(() => document.querySelector(
		    '[aria-label="Ask first: web_search"]').checked);
	});
});

describe('an administrator', () => {
	beforeEach(() => open('admin', '/admin'));

	it('switches and adds tools for everybody', async () => {
		await set('Enabled: house_lights',
		    { enabled: false, is_global: true });
		await button('Add a tool').click();
		await dialog().getByText('Add a tool for everybody').waitFor();
		await dialog().getByRole('button', { name: 'Add' }).click();
		await row('weather').waitFor();
		assert.equal(tool('weather').is_global, true);
		await assertAccessible(page);
	});
});
