/* The chat page when all goes well. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, afterEach, describe, it } from 'node:test';
import { answered, assertAccessible, assertClean, assertCount,
    assertText, assertValue, eventually, openBrowser, openPage, send,
    watch } from './browser.mjs';
import { Mock } from './mock.mjs';

const RICH = [
	'A **bold** word, `code`, and <b onclick="alert(1)">raw HTML</b>.',
	'', '```sh', 'echo "<hello>"', '```', '',
	'[out](https://example.org/a) [bad](javascript:alert(1))',
	'![pixel](https://example.org/p.png?q=secret)', '',
	'| a | b |', '|---|---|', '| 1 | 2 |', '', '- [x] done', '- [ ] open',
].join('\n');

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

describe('a first chat', () => {
	it('streams an answer, names itself and is there after a reload',
	    async () => {
		await send(page, 'Is it safe?');
		assert.equal(await answered(page), 'You said: Is it safe?');
		await title().getByText('Is it safe?').waitFor();
		await list().getByRole('link', { name: 'Is it safe?' }).waitFor();
		assert.equal(new URL(page.url()).hash, `#${conversation().id}`);
		await page.reload();
		assert.equal(await answered(page), 'You said: Is it safe?');
		await assertCount(log().getByRole('article'), 2);
		await assertAccessible(page);
	});

	it('shows tokens and tokens a second', async () => {
		await send(page, 'Count');
		await answered(page);
		await log().getByText(/^\d+ tokens · [\d.]+ tok\/s$/).waitFor();
	});

	it('takes Shift Enter as a new line and nothing for a message',
	    async () => {
		const box = page.getByRole('textbox', { name: 'Message' });

		await eventually(async () =>
		    assert.ok(await button('Send').isDisabled()));
		await box.fill('one');
		await page.keyboard.press('Shift+Enter');
		await page.keyboard.type('two');
		await assertValue(box, 'one\ntwo');
		assert.equal(mock.conversations.size, 0);
		await page.keyboard.press('Enter');
		await answered(page);
		assert.equal(conversation().messages[0].content, 'one\ntwo');
	});
});

describe('Markdown', () => {
	beforeEach(async () => {
		mock.answer = () => RICH;
		await send(page, 'Rich, please');
		await answered(page);
	});

	it('is rendered, and raw HTML is shown as text', async () => {
		const prose = page.locator('.prose');

		await assertText(prose.locator('strong'), 'bold');
		await assertCount(prose.locator('table td'), 2);
		await eventually(async () =>
		    assert.match(await prose.innerText(),
		    /<b onclick="alert\(1\)">raw HTML<\/b>/));
		await assertCount(prose.locator('[onclick], img'), 0);
		await assertAccessible(page);
	});

	it('opens only web links, elsewhere, without a referrer', async () => {
		const links = page.locator('.prose a');

		await eventually(async () =>
		    assert.deepEqual(await links.evaluateAll((all) => all.map((a) =>
		    [a.textContent, a.href, a.target, a.rel])), [
			['out', 'https://example.org/a', '_blank',
			    'noreferrer noopener'],
			['pixel', 'https://example.org/p.png?q=secret', '_blank',
			    'noreferrer noopener'],
		]));
	});

	it('gives code blocks a button that copies them', async () => {
		await page.context().grantPermissions(
		    ['clipboard-read', 'clipboard-write']);
		await button('Copy code').click();
		await page.getByText('Copied.').waitFor();
		await eventually(async () =>
		    assert.equal(await page.evaluate(
		    () => navigator.clipboard.readText()), 'echo "<hello>"'));
	});
});

describe('headings of an answer', () => {
	it('stand below the turn’s own and skip no level', async () => {
		mock.answer = () => '## A\n\n#### B\n\n#### C\n\n# D\n\n> # E\n\nEnd.';
		await send(page, 'Headings');
		await answered(page);
		await eventually(async () =>
		    assert.deepEqual(await page.locator('.prose :is(h1,h2,h3,h4,h5,h6)')
			.evaluateAll((all) => all.map((el) => el.tagName +
			    el.textContent)), ['H3A', 'H4B', 'H4C', 'H3D']));
		await assertAccessible(page);
	});
});

describe('a running answer', () => {
	beforeEach(() => {
		mock.pace = 40;
		mock.answer = () => 'word '.repeat(3000);
	});

	it('is stopped by Stop, which replaces Send, and kept', async () => {
		await send(page, 'Go on');
		await page.locator('.prose').getByText('word').first().waitFor();
		await assertAccessible(page);
		await button('Stop').click();
		await log().getByText(/stopped/).waitFor();
		await page.getByRole('button', { name: 'Send' }).waitFor();
		assert.equal(conversation().messages[1].state, 'stopped');
		await assertText(page.locator('.prose'),
		    conversation().messages[1].content.trim());
	});

	it('is stopped over plain HTTP where there is no socket', async () => {
		mock.refuseSockets = true;
		mock.dropSockets();
		await page.reload();
		await page.getByText('No live connection').waitFor();
		await send(page, 'Go on');
		await page.locator('.prose').getByText('word').first().waitFor();
		await button('Stop').click();
		await log().getByText(/stopped/).waitFor();
	});

	it('appears in the other tabs of the same person', async () => {
		const other = await watch(await page.context().newPage(), mock.url);

		await send(page, 'Hello tabs');
		await page.locator('.prose').getByText('word').first().waitFor();
		await other.goto(`${mock.url}/#${conversation().id}`);
		await other.locator('.prose').getByText('word').first().waitFor();
		await button('Stop').click();
		await other.getByText(/stopped/).waitFor();
		await eventually(async () =>
		    assert.equal(await other.locator('.prose').innerText(),
		    await page.locator('.prose').innerText()));
		mock.answer = (prompt) => `To ${prompt}`;
		await send(page, 'again');
		await other.locator('.prose').getByText('To again').waitFor();
		await assertCount(other.getByRole('article'), 4);
		mock.answer = () => 'Once more';
		await button('Regenerate').click();
		await other.locator('.prose').getByText('Once more').waitFor();
		await other.locator('.prose').getByText('To again')
			.waitFor({ state: 'detached' });
		await assertCount(other.getByRole('article'), 4);
		assertClean(other);
	});
});
