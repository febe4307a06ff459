/*
 * What an answer consists of besides its text (thinking, tool runs, how it
 * ended), and what a question carries (pictures, files, corrections).
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, afterEach, describe, it } from 'node:test';
import { answered, assertAccessible, assertClean, assertCount,
    assertText, assertValue, eventually, openBrowser, openPage, send } from
    './browser.mjs';
import { Mock } from './mock.mjs';

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9Q' +
    'DwADhgGAWjR9awAAAABJRU5ErkJggg==';
const HOSTILE = '<img src=x onerror="alert(1)"> and **stars**';

let browser;
let mock;
let page;

before(async () => {
	browser = await openBrowser();
});
after(() => browser.close());
beforeEach(async () => {
	mock = await new Mock({ pace: 5 }).start();
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
const box = () => page.getByRole('textbox', { name: 'Message' });
const log = () => page.getByRole('log');
const conversation = () => [...mock.conversations.values()].at(-1);
const png = (name) => ({
	name, mimeType: 'image/png', buffer: Buffer.from(PIXEL, 'base64'),
});
const text = (name, content) => ({
	name, mimeType: 'text/plain', buffer: Buffer.from(content),
});
const attach = (...files) => page.getByLabel('Files to attach')
	.setInputFiles(files);

describe('thinking', () => {
	it('is folded away as plain text, and there after a reload', async () => {
		mock.answer = () => [{ think: HOSTILE }, { text: 'Done.' }];
		await send(page, 'Think');
		assert.equal(await answered(page), 'Done.');
		for (const again of [false, true]) {
			if (again) {
				await page.reload();
				await answered(page);
			}
			await eventually(async () =>
			    assert.equal(await page.locator('.thoughts').isVisible(), false));
			await page.getByText('Thinking', { exact: true }).click();
			await assertText(page.locator('.thoughts'), HOSTILE);
		}
		await assertAccessible(page);
	});
});

describe('a tool run', () => {
	it('is one line that opens to arguments and result', async () => {
		mock.answer = () => [
			{ tool: { name: 'web_search', arguments: { query: 'WAL' },
			    result: HOSTILE } },
			{ tool: { name: 'read_file', arguments: { path: '/x' },
			    error: 'That file is in no allowed folder.' } },
			{ text: 'Found it.' }];
		await send(page, 'Look it up');
		assert.equal(await answered(page), 'Found it.');
		await page.reload();
		await answered(page);
		const tools = page.locator('.tool');

		await eventually(async () =>
		    assert.deepEqual((await tools.locator('summary').allInnerTexts())
			.map((line) => line.split(/\s+/)),
		[['web_search', 'done'], ['read_file', 'failed']]));
		await tools.first().locator('summary').click();
		await eventually(async () =>
		    assert.deepEqual(await tools.first().locator('pre').allInnerTexts(),
		    ['{\n  "query": "WAL"\n}', HOSTILE]));
		await tools.last().locator('summary').click();
		await tools.last().getByText('That file is in no allowed folder.')
			.waitFor();
		await assertCount(page.locator('.tool img, .tool strong'), 0);
		await assertAccessible(page);
	});

	for (const [verb, state, kept] of [
		['Allow', 'done', 'done'],
		['Deny', 'not allowed', 'denied'],
	])
		it(`that asks first waits for ${verb}, by keyboard`, async () => {
			mock.answer = () => [
				{ tool: { name: 'web_search', arguments: { query: 'me' },
				    result: 'found', asks: true } },
				{ text: 'After that.' }];
			await send(page, 'Search for me');
			await page.getByText('"query": "me"').waitFor();
			await page.getByRole('status').getByText(
			    'The model wants to use the tool web_search.').waitFor();
			await assertAccessible(page);
			await page.reload();
			await button(`${verb} web_search`).focus();
			await page.keyboard.press('Enter');
			assert.equal(await answered(page), 'After that.');
			await page.locator('.tool').getByText(state).waitFor();
			assert.equal(conversation().messages[1].tools[0].status, kept);
			await assertCount(button(`${verb} web_search`), 0);
		});

	it('that nobody decided about is over when the answer is stopped',
	    async () => {
		mock.answer = () => [
			{ tool: { name: 'web_search', arguments: {}, asks: true } },
			{ text: 'Never.' }];
		await send(page, 'Search');
		await button('Allow web_search').waitFor();
		await button('Stop').click();
		await page.getByText('The answer was stopped.').waitFor();
		await assertCount(button('Allow web_search'), 0);
	});

	it('is decided over plain HTTP where there is no socket', async () => {
		mock.refuseSockets = true;
		mock.dropSockets();
		await page.reload();
		await page.getByText('No live connection').waitFor();
		mock.answer = () => [
			{ tool: { name: 'web_search', arguments: {}, asks: true } },
			{ text: 'Answer.' }];
		await send(page, 'Search');
		await button('Allow web_search').click();
		assert.equal(await answered(page), 'Answer.');
	});
});

describe('an answer that broke off', () => {
	for (const [name, steps, said] of [
		['at the length limit', [{ text: 'One two ' }, { end: 'length' }],
		    'The answer reached the length limit.'],
		['because the provider failed',
		    [{ text: 'One two ' }, { fail: 'The provider is overloaded' }],
		    'The provider is overloaded.'],
	])
		it(`${name} says so and goes on`, async () => {
			mock.answer = () => steps;
			await send(page, 'Count');
			await page.getByText(said).waitFor();
			await assertAccessible(page);
			mock.answer = () => 'three four';
			await button('Continue').click();
			await page.waitForFunction(() => document
				.querySelector('.prose')?.textContent.includes('four'));
			assert.equal(await answered(page), 'One two three four');
			await assertCount(button('Continue'), 0);
			assert.equal(conversation().messages.length, 2);
			await page.reload();
			assert.equal(await answered(page), 'One two three four');
			await assertCount(log().getByRole('article'), 2);
		});

	it('without a word is tried again', async () => {
		mock.answer = () => [{ fail: 'The provider refused the connection' }];
		await send(page, 'Hello');
		await page.getByText('The provider refused the connection.').waitFor();
		await assertCount(button('Continue'), 0);
		await page.reload();
		await page.getByText('The provider refused the connection.').waitFor();
		await assertCount(page.locator('.ending [role="alert"]'), 0);
		mock.answer = () => 'Better.';
		await button('Try again').click();
		await page.locator('.prose').getByText('Better.').waitFor();
		await assertCount(log().getByRole('article'), 2);
	});

	it('can be continued only at the end of the conversation', async () => {
		mock.answer = () => [{ text: 'One' }, { end: 'length' }];
		await send(page, 'First');
		await button('Continue').waitFor();
		mock.answer = () => 'Two.';
		await send(page, 'Second');
		await page.locator('.prose').getByText('Two.').waitFor();
		await page.getByText('The answer reached the length limit.').waitFor();
		await assertCount(button('Continue'), 0);
	});
});

describe('token counts', () => {
	it('are marked where they are estimated', async () => {
		mock.estimates = true;
		await send(page, 'Count');
		await answered(page);
		await log().getByText(/^~\d+ tokens/).waitFor();
		await page.reload();
		await log().getByText(/^~\d+ tokens$/).waitFor();
	});
});

describe('a correction', () => {
	beforeEach(async () => {
		await send(page, 'Frist');
		await answered(page);
		await send(page, 'Second');
		await page.getByText('You said: Second').waitFor();
		await answered(page);
	});

	it('replaces the message and all that follows it', async () => {
		await box().fill('a draft');
		await button('Edit').first().click();
		await assertValue(box(), 'Frist');
		await page.getByText('What follows it will be replaced.').waitFor();
		await assertAccessible(page);
		await send(page, 'First');
		await page.getByText('You said: First').waitFor();
		await answered(page);
		assert.deepEqual(conversation().messages.map((m) => m.content),
		    ['First', 'You said: **First**']);
		await assertCount(log().getByRole('article'), 2);
		await assertValue(box(), 'a draft');
	});

	it('is given up with Escape, and nothing happened', async () => {
		await button('Edit').first().click();
		await page.keyboard.press('Escape');
		await assertValue(box(), '');
		await assertCount(log().getByRole('article'), 4);
	});

	it('that is refused changes nothing and stays with its writer',
	    async () => {
		mock.keep = () => {
			throw new Error('The message is too long');
		};
		mock.frame = (user, frame, own) => own({
			type: 'error', session_id: frame.session_id,
			error: 'The message is too long',
		});
		await button('Edit').first().click();
		await send(page, 'x');
		await page.getByText('The message is too long.').waitFor();
		await assertValue(box(), 'x');
		await page.getByText('You said: Second').waitFor();
		await assertCount(log().getByRole('article'), 4);
	});
});

describe('attachments', () => {
	it('go with the message and are shown with it', async () => {
		await attach(png('cat.png'), text('notes.txt', 'kumquat\n```\n'));
		await page.getByRole('img', { name: 'cat.png' }).waitFor();
		await assertAccessible(page);
		await send(page, 'What is this?');
		await answered(page);
		const [frame] = mock.frames;

		assert.deepEqual(frame.images, [PIXEL]);
		assert.deepEqual(frame.file_context,
		    { filename: 'notes.txt', content: 'kumquat\n```\n' });
		await assertCount(page.locator('#attached li'), 0);
		for (const again of [false, true]) {
			if (again) {
				await page.reload();
				await answered(page);
			}
			await log().getByRole('img', { name: 'Picture 1' }).waitFor();
			await log().getByText('What is this?', { exact: true }).waitFor();
			await log().getByText('notes.txt', { exact: true }).click();
			await page.locator('.file pre').getByText('kumquat').waitFor();
		}
		await assertAccessible(page);
	});

	it('need no words, and can be taken off again', async () => {
		await attach(png('cat.png'));
		await eventually(async () =>
		    assert.ok(await button('Send').isEnabled()));
		await button('Remove cat.png').click();
		await eventually(async () =>
		    assert.ok(await button('Send').isDisabled()));
		await attach(png('cat.png'));
		await button('Send').click();
		await answered(page);
		assert.equal(mock.frames[0].prompt, '');
	});

	it('come by paste and by drop', async () => {
		for (const type of ['paste', 'drop'])
			await page.evaluate(([type, pixel]) => {
				const data = new DataTransfer();

				data.items.add(new File([Uint8Array.from(atob(pixel),
				    (c) => c.charCodeAt(0))], `${type}.png`));
				document.querySelector('#message').dispatchEvent(
				    type === 'paste' ? new ClipboardEvent(type, {
					    clipboardData: data, bubbles: true,
				    }) : new DragEvent(type, {
					    dataTransfer: data, bubbles: true,
				    }));
			}, [type, PIXEL]);
		await page.getByRole('img', { name: 'paste.png' }).waitFor();
		await page.getByRole('img', { name: 'drop.png' }).waitFor();
	});

	it('that can’t be read, or are too large, are refused',
	    async () => {
		await attach({
			name: 'a.bin', mimeType: 'image/png',
			buffer: Buffer.from([0, 1, 2, 255]),
		});
		await page.getByText('a.bin: That is no kind of file')
			.waitFor();
		await attach(text('big.txt', 'x'.repeat(5 * 1024 * 1024 + 1)));
		await page.getByText('At most 5 MiB of text files').waitFor();
		await attach(...Array.from({ length: 9 },
		    (_, i) => png(`${i}.png`)));
		await page.getByText('At most 8 pictures').waitFor();
		await assertCount(page.locator('#attached li'), 8);
	});

	it('that are documents are read by the server', async () => {
		await attach({
			name: 'report.pdf', mimeType: 'application/pdf',
			buffer: Buffer.from('%PDF-1.7\0\xff', 'latin1'),
		});
		await page.getByRole('button', { name: 'Remove report.pdf' })
			.waitFor();
		await send(page, 'Sum up');
		await answered(page);
		assert.deepEqual(mock.frames.at(-1).file_context, {
			filename: 'report.pdf', content: 'The text of report.pdf.',
		});
	});

	it('too large for a frame go by HTTP, and a correction keeps them',
	    async () => {
		await attach(text('long.txt', 'z'.repeat(100_000)), png('cat.png'));
		await send(page, 'Read this');
		await answered(page);
		assert.ok(mock.requests.includes('POST /api/chat/stream'));
		await button('Edit').click();
		await page.getByRole('button', { name: 'Remove long.txt' })
			.waitFor();
		await send(page, 'Read it again');
		await answered(page);
		const [, frame] = mock.frames;

		assert.equal(frame.file_context.content.length, 100_000);
		assert.deepEqual(frame.images, [PIXEL]);
		assert.equal(frame.is_edit, true);
	});
});

describe('a correction of a message with a picture', () => {
	it('may leave the picture out', async () => {
		await attach(png('cat.png'));
		await send(page, 'Look');
		await answered(page);
		await button('Edit').click();
		await button('Remove picture 1').click();
		await send(page, 'Never mind');
		await page.getByText('You said: Never mind').waitFor();
		assert.deepEqual(mock.frames[1].images, []);
		await assertCount(log().getByRole('img'), 0);
	});
});

describe('a very long message', () => {
	it('is folded until it is wanted', async () => {
		await send(page, `Start ${'word '.repeat(1000)}`);
		await answered(page);
		const body = page.locator('.turn.user .body');
		const short = (await body.boundingBox()).height;

		await button('Show all').click();
		await eventually(async () =>
		    assert.ok((await body.boundingBox()).height > short));
		await button('Show less').click();
		await assertAccessible(page);
	});
});
