/* The list: search, groups, tags, several at once, and its older pages. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, afterEach, describe, it } from 'node:test';
import { until } from '../server/harness.mjs';
import { assertAccessible, assertClean, openBrowser, openPage } from
    './browser.mjs';
import { Mock } from './mock.mjs';

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
	alice = mock.user('alice').user_id;
	mock.addConversation(alice, 'Garden plan', [
		['user', 'Where do tomatoes grow?'],
		['assistant', 'Tomatoes & <b>basil</b> like the south wall.'],
	], { tags: ['garden'] });
	mock.addConversation(alice, 'Bread', [['user', 'Rye or wheat?']],
	    { tags: ['kitchen'] });
	mock.addConversation(mock.user('admin').user_id, 'Tomatoes of others',
	    [['user', 'tomatoes']]);
	page = await openPage(browser, mock.url);
	await page.context().addCookies([mock.cookie('alice')]);
	await page.goto(mock.url);
	await list().getByRole('link', { name: 'Bread' }).waitFor();
});
afterEach(async () => {
	await page.context().close();
	await mock.stop();
	assertClean(page);
});

const button = (name) => page.getByRole('button', { name, exact: true });
const dialog = () => page.getByRole('dialog');
const list = () => page.getByRole('navigation');
const link = (name) => list().getByRole('link', { name });
const row = (title) => [...mock.conversations.values()]
	.find((c) => c.title === title);

async function menu(title, item) {
	await link(title).first().focus();
	await button(`Actions for “${title}”`).press('Enter');
	await page.getByRole('menuitem', { name: item }).click();
}

describe('search', () => {
	it('finds messages while one types, and Enter opens the first', async () => {
		await page.keyboard.press('Control+k');
		await page.keyboard.type('tomatoes');
		const hits = list().locator('.hit');

		await hits.nth(1).waitFor();
		assert.equal(await hits.count(), 2);
		assert.deepEqual(await list().locator('mark').allInnerTexts(),
		    ['tomatoes', 'Tomatoes']);
		await list().getByText('Tomatoes & <b>basil</b> like').waitFor();
		await assertAccessible(page);
		await page.keyboard.press('Enter');
		await page.locator('.turn.revealed')
			.getByText('Where do tomatoes grow?').waitFor();
		assert.match(page.url(), new RegExp(row('Garden plan').id));
	});

	it('is narrowed by filters', async () => {
		await page.keyboard.press('Control+k');
		await page.keyboard.type('tomatoes');
		await list().locator('.hit').nth(1).waitFor();
		await button('Narrow the search').click();
		await page.getByRole('combobox', { name: 'Said by' })
			.selectOption('assistant');
		await until(async () => await list().locator('.hit').count() === 1);
		await assertAccessible(page);
		await page.getByRole('combobox', { name: 'Tag' })
			.selectOption('kitchen');
		await list().getByText('No message has these words under').waitFor();
		assert.match(mock.searches.at(-1), /tag=kitchen&role=assistant/);
		await button('Clear').click();
		await list().locator('.hit').nth(1).waitFor();
	});

	it('says what to do when nothing is found or the search fails', async () => {
		await page.keyboard.press('Control+k');
		await page.keyboard.type('zebra');
		await list().getByText('No message has these words. Try fewer')
			.waitFor();
		mock.searchFails = true;
		await page.keyboard.type('s');
		await list().getByText('The search index is being rebuilt.')
			.waitFor();
		mock.searchFails = false;
		await button('Try again').click();
		await list().getByText('No message has these words.').waitFor();
	});
});

describe('groups', () => {
	it('are made, filled, renamed and deleted by keyboard', async () => {
		await menu('Bread', 'Move to a group');
		await dialog().getByLabel('Or to a new group').fill('Kitchen');
		await assertAccessible(page);
		await page.keyboard.press('Enter');
		await list().getByText('Kitchen · 1').waitFor();
		assert.equal(row('Bread').group_id, mock.groups[0].id);
		await menu('Garden plan', 'Move to a group');
		await dialog().getByLabel('Kitchen').check();
		await dialog().getByRole('button', { name: 'Move' }).click();
		await list().getByText('Kitchen · 2').waitFor();
		await button('Actions for the group “Kitchen”').press('Enter');
		await page.keyboard.press('Enter');
		await dialog().getByLabel('Title').fill('House');
		await page.keyboard.press('Enter');
		await list().getByText('House · 2').waitFor();
		await button('Actions for the group “House”').press('Enter');
		await page.keyboard.press('ArrowUp');
		await page.keyboard.press('Enter');
		await dialog().getByText('Its conversations stay').waitFor();
		await dialog().getByRole('button', { name: 'Delete the group' })
			.click();
		await list().getByText('House · 2').waitFor({ state: 'detached' });
		await link('Bread').waitFor();
		assert.equal(row('Bread').group_id, null);
	});
});

describe('tags', () => {
	it('are added and taken off, and show only what has them', async () => {
		await menu('Bread', 'Tags');
		await dialog().getByLabel('Add a tag').fill(' Slow Food ');
		await page.keyboard.press('Enter');
		await dialog().getByText('#slow-food').waitFor();
		await assertAccessible(page);
		await dialog().getByRole('button', { name: 'Remove kitchen' }).click();
		await dialog().getByText('#kitchen').waitFor({ state: 'detached' });
		await dialog().getByRole('button', { name: 'Done' }).click();
		assert.deepEqual(row('Bread').tags, ['slow-food']);
		await button('#slow-food').click();
		await link('Garden plan').waitFor({ state: 'detached' });
		await link('Bread').click();
		await button('Tag slow-food: change the tags').waitFor();
		await button('#slow-food').click();
		await link('Garden plan').waitFor();
	});
});

describe('several conversations', () => {
	it('are deleted at once after a question that names their number',
	    async () => {
		mock.addConversation(alice, 'Third');
		await page.reload();
		await menu('Bread', 'Select several');
		await page.getByText('1 selected').waitFor();
		await page.getByRole('checkbox', { name: 'Third' }).check();
		await page.getByText('2 selected').waitFor();
		await assertAccessible(page);
		await button('Delete').click();
		await dialog().getByText('Delete 2 conversations?').waitFor();
		await page.keyboard.press('Escape');
		await dialog().waitFor({ state: 'detached' });
		assert.ok(row('Bread'));
		await button('Delete').click();
		await dialog().getByRole('button', { name: 'Delete 2 conversations' })
			.click();
		await page.getByText('Deleted 2 conversations.').waitFor();
		assert.deepEqual(
		    await list().getByRole('link').allInnerTexts(), ['Garden plan']);
		assert.equal(row('Bread'), undefined);
	});

	it('stay when one of them can’t be deleted', async () => {
		await menu('Bread', 'Select several');
		await page.getByRole('checkbox', { name: 'Garden plan' }).check();
		mock.conversations.delete(row('Garden plan').id);
		await button('Delete').click();
		await dialog().getByRole('button', { name: 'Delete 2' }).click();
		await dialog().getByRole('alert').getByText('Not found').waitFor();
		assert.ok(row('Bread'));
		await page.keyboard.press('Escape');
		await dialog().waitFor({ state: 'detached' });
		await page.keyboard.press('Escape');
		await link('Bread').waitFor();
	});
});

describe('older conversations', () => {
	it('come when one scrolls to the end', async () => {
		for (let i = 0; i < 230; i++)
			mock.addConversation(alice, `Talk ${i}`);
		await page.reload();
		await link('Talk').nth(99).waitFor();
		const pages = () => mock.requests.filter((line) =>
		    line === 'GET /api/history').length;
		const before = pages();

		await until(async () => {
			await list().evaluate((el) => el.scrollTo(0, el.scrollHeight));
			return await link('Talk').count() === 230;
		});
		assert.equal(pages() - before, 2);
	});

	const scrollToEnd = () => list().evaluate((el) =>
	    el.scrollTo(0, el.scrollHeight));
	const tell = () => mock.tell(mock.user('alice'),
	    { type: 'history_changed' });

	/* Each of them a second newer than the one before. */
	async function fill(count) {
		const start = Date.now() - 1000 * count;

		for (let i = 0; i < count; i++)
			mock.addConversation(alice, `Talk ${i}`, [], {
				updated_at: new Date(start + 1000 * i).toISOString(),
			});
		await page.reload();
		await link('Talk').nth(97).waitFor();
	}

	it('do not move the list away from where one reads', async () => {
		await fill(150);
		await link('Talk').first().click();
		await link('Talk').nth(97).scrollIntoViewIfNeeded();
		await until(async () => await link('Talk').count() === 150);
		assert.ok(await list().evaluate((el) => el.scrollTop > 1000));
		await list().evaluate((el) => {
			el.scrollTop = 700;
		});
		row('Talk 149').title = 'Sourdough';
		tell();
		await link('Sourdough').waitFor();
		assert.equal(await list().evaluate((el) => el.scrollTop), 700);
	});

	it('lead on to the first of them, and are announced', async () => {
		await fill(150);
		await page.keyboard.press('Control+k');
		await page.keyboard.type('t');
		await button('Show older').focus();
		await page.keyboard.press('ArrowUp');
		await page.keyboard.press('ArrowDown');
		await page.keyboard.press('Enter');
		await page.getByText('52 older conversations are listed.')
			.waitFor({ state: 'attached' });
		const focused = () => page.evaluate(() =>
		    document.activeElement.closest('#list a')?.textContent);
		const shown = await list().getByRole('link').allInnerTexts();

		assert.equal(await focused(), shown[98]);
	});

	it('come once, whatever is new or gone meanwhile', async () => {
		await fill(230);
		for (let i = 0; i < 5; i++)
			mock.addConversation(alice, `Talk new ${i}`);
		mock.conversations.delete(row('Talk 225').id);
		tell();
		await link('Talk new 4').waitFor();
		await link('Talk 225').waitFor({ state: 'detached' });
		await until(async () => {
			await scrollToEnd();
			return await link('Talk').count() === 234;
		});
		/* Far more than a page, as after a night without a connection. */
		for (let i = 5; i < 130; i++)
			mock.addConversation(alice, `Talk new ${i}`);
		tell();
		await until(async () => {
			await scrollToEnd();
			return await link('Talk').count() === 359;
		});
		const titles = await link('Talk').allInnerTexts();

		assert.equal(new Set(titles).size, 359);
	});

	it('are asked for again by hand when the server did not answer',
	    async () => {
		await fill(150);
		await page.route('**/api/history?*before=*', (route) =>
		    route.fulfill({ status: 409, json: { error: 'Too busy' } }),
		{ times: 1 });
		await scrollToEnd();
		await page.getByText('Too busy.').waitFor();
		await button('Show older').click();
		await until(async () => await link('Talk').count() === 150);
	});
});
