/* What a person does around a chat: the list, the title, the frame. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, afterEach, describe, it } from 'node:test';
import { answered, assertAccessible, assertClean, assertCount,
    assertText, assertValue, eventually, openBrowser, openPage, send,
    signIn } from './browser.mjs';
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

const button = (name) => page.getByRole('button', { name, exact: true });
const list = () => page.getByRole('navigation');
const log = () => page.getByRole('log');
const title = () => page.getByRole('heading', { level: 1 });
const conversation = () => [...mock.conversations.values()].at(-1);

describe('what a person does to a conversation', () => {
	beforeEach(async () => {
		const alice = mock.user('alice');

		mock.addConversation(alice.user_id, 'Garden plan',
		    [['user', 'Water?'], ['assistant', 'Twice a week.']]);
		mock.addConversation(mock.user('admin').user_id, 'Not yours');
		await page.goto(`${mock.url}/#${conversation().id}`);
		await page.reload();
		await list().getByRole('link', { name: 'Garden plan' }).click();
		await log().getByText('Twice a week.').waitFor();
	});

	const menu = async (name) => {
		await page.getByLabel('More about this conversation').click();
		await page.locator('#more').getByText(name, { exact: true }).click();
	};
	const garden = () => [...mock.conversations.values()]
		.find((c) => c.title === 'Garden plan' || c.title === 'Irrigation');

	it('regenerates the last answer', async () => {
		await button('Regenerate').click();
		await log().getByText('You said: Water?').waitFor();
		await answered(page);
		await assertCount(log().getByRole('article'), 2);
		assert.equal(garden().messages.length, 2);
	});

	it('gives it a model, a temperature and a prompt of its own', async () => {
		await page.locator('#model').click();
		const dialog = page.getByRole('dialog');

		await page.waitForFunction(() => document
			.querySelectorAll('#model-names option').length === 2);
		await dialog.getByLabel('Model').fill('qwen3:4b');
		await dialog.getByLabel('Temperature').fill('0.2');
		await dialog.getByLabel('System prompt').fill('Be brief.');
		await dialog.getByText('More options').click();
		await dialog.getByLabel('Most tokens').fill('0');
		await dialog.getByRole('button', { name: 'Save' }).click();
		await dialog.getByText('Most tokens: a number from 1')
			.waitFor();
		await dialog.getByLabel('Most tokens').fill('40');
		await assertAccessible(page);
		await dialog.getByRole('button', { name: 'Save' }).click();
		await page.locator('#model').getByText('qwen3:4b').waitFor();
		const { model, temperature, system_prompt: prompt } = garden();

		assert.deepEqual([model, temperature, prompt],
		    ['qwen3:4b', 0.2, 'Be brief.']);
		await send(page, 'And now?');
		await log().getByText('You said: And now?').waitFor();
		assert.deepEqual(mock.frames[0].options, { max_tokens: 40 });
	});

	it('renames it by the pencil or a double click', async () => {
		const box = page.getByRole('textbox',
		    { name: 'Title', exact: true });

		await button('Rename the conversation').click();
		await box.fill('Irrigation');
		await page.keyboard.press('Enter');
		await list().getByRole('link', { name: 'Irrigation' }).waitFor();
		await title().dblclick();
		await box.fill('Never mind');
		await page.keyboard.press('Escape');
		await assertText(title(), 'Irrigation');
		assert.equal(garden().title, 'Irrigation');
	});

	it('pins, archives and takes it back', async () => {
		await menu('Pin');
		await list().getByRole('heading', { name: 'Pinned' }).waitFor();
		await menu('Unpin');
		await list().getByRole('heading', { name: 'Today' }).waitFor();
		await menu('Archive');
		await list().getByText('Archived · 1').waitFor();
		await assertCount(list().getByRole('link'), 0);
		await list().getByText('Archived · 1').click();
		await list().getByRole('link', { name: 'Garden plan' }).waitFor();
		await menu('Take out of the archive');
		await list().getByRole('heading', { name: 'Today' }).waitFor();
		assert.equal(garden().archived, false);
	});

	it('exports it as Markdown', async () => {
		const download = page.waitForEvent('download');

		await menu('Export as Markdown');
		assert.equal((await download).suggestedFilename(),
		    'conversation.md');
	});

	it('deletes it after a question that names it', async () => {
		const dialog = page.getByRole('dialog');

		await menu('Delete');
		await dialog.getByText('Delete “Garden plan”?').waitFor();
		await assertAccessible(page);
		await page.keyboard.press('Escape');
		await dialog.waitFor({ state: 'detached' });
		assert.ok(garden());
		await menu('Delete');
		await dialog.getByRole('button', { name: 'Delete' }).click();
		await title().getByText('New chat').waitFor();
		assert.equal(garden(), undefined);
	});

	it('does not exist for anybody else', async () => {
		const other = [...mock.conversations.values()]
			.find((c) => c.title === 'Not yours');

		await page.goto(`${mock.url}/#${other.id}`);
		await page.getByText('This conversation does not exist (any more).')
			.waitFor();
	});
});

describe('the list', () => {
	it('opens what is pressed, whatever happens meanwhile', async () => {
		const alice = mock.user('alice');
		const { id } = mock.addConversation(alice.user_id, 'Garden plan',
		    [['user', 'Water?'], ['assistant', 'Twice a week.']]);
		const other = mock.addConversation(alice.user_id, 'Bread table');

		await page.reload();
		await list().getByRole('link', { name: 'Bread table' }).click();
		await title().getByText('Bread table').waitFor();
		await eventually(() => assert.equal(mock.sockets.size, 1));
		await list().getByRole('link', { name: 'Garden plan' }).hover();
		await page.mouse.down();
		for (const { ws } of mock.sockets)
			ws.send(JSON.stringify({
				type: 'title_updated', session_id: other.id,
				title: 'Rye',
			}));
		await title().getByText('Rye').waitFor();
		await page.mouse.up();
		await log().getByText('Twice a week.').waitFor();
		assert.equal(new URL(page.url()).hash, `#${id}`);
		await list().getByRole('link', { name: 'Rye' }).waitFor();
	});
});

describe('the frame', () => {
	it('keeps a draft for each conversation', async () => {
		const box = page.getByRole('textbox', { name: 'Message' });

		await send(page, 'First');
		await answered(page);
		await box.fill('half a thought');
		await page.keyboard.press('Control+j');
		await assertValue(box, '');
		await box.fill('another');
		await page.reload();
		await list().getByRole('link', { name: 'First' }).click();
		await page.waitForFunction(() => document.querySelector('#message')
			.value === 'half a thought');
	});

	it('filters titles after Ctrl K, Escape shows all', async () => {
		for (const name of ['Bread table', 'Regex for dates'])
			mock.addConversation(mock.user('alice').user_id, name);
		await page.reload();
		await list().getByRole('link').first().waitFor();
		await page.keyboard.press('Control+k');
		await page.keyboard.type('bread');
		await eventually(async () =>
		    assert.deepEqual(await list().getByRole('link').allInnerTexts(),
		    ['Bread table']));
		await page.keyboard.press('Escape');
		await assertCount(list().getByRole('link'), 2);
	});

	it('explains itself while no model is connected', async () => {
		mock.provider = { provider: 'offline', model: null, base_url: null };
		await page.reload();
		await page.getByRole('heading',
		    { name: 'No language model is connected yet' }).waitFor();
		await page.locator('#model').getByText('offline').waitFor();
		await assertAccessible(page);
	});

	it('says whether words leave the house', async () => {
		for (const [url, says] of [
			['http://127.0.0.1:11434', 'llama3.2 · local'],
			['http://192.168.1.7:8080/v1', 'llama3.2 · local'],
			['https://api.example.com/v1', 'llama3.2 · api.example.com'],
		]) {
			mock.provider.base_url = url;
			await page.reload();
			await page.locator('#model').getByText(says.split(' · ')[1])
				.waitFor();
			await assertText(page.locator('#model'), says);
		}
	});

	it('is a sheet on a phone that Escape closes', async () => {
		const side = page.getByRole('complementary');

		await page.setViewportSize({ width: 390, height: 844 });
		await side.waitFor({ state: 'hidden' });
		await button('Open the list').click();
		await button('New chat').waitFor();
		await assertAccessible(page);
		await page.keyboard.press('Escape');
		await side.waitFor({ state: 'hidden' });
		await eventually(async () =>
		    assert.ok(await button('Open the list').evaluate(
		    (el) => el === document.activeElement)));
		await eventually(async () =>
		    assert.equal(await page.evaluate(() =>
		    document.documentElement.scrollWidth), 390));
		await assertAccessible(page);
	});

	it('signs out', async () => {
		await button('Sign out').click();
		await page.waitForURL(`${mock.url}/login`);
		assert.equal(mock.logins.size, 0);
	});

	it('shows Administration to an admin only', async () => {
		const link = page.getByRole('link', { name: 'Administration' });

		await assertCount(link, 0);
		await button('Sign out').click();
		await page.waitForURL(`${mock.url}/login`);
		await signIn(page, mock.url, 'admin', 'admin-password');
		await link.click();
		await page.waitForURL(`${mock.url}/admin`);
	});
});
