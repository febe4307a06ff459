/*
 * The pages against the real server, over HTTPS: what a person does on the
 * first day.  What only a failing server shows is in the other files.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, beforeEach, afterEach, describe, it } from 'node:test';
import { start as startOllama } from '../fake/ollama.mjs';
import { startServer } from '../server/harness.mjs';
import { answered, assertAccessible, assertClean, assertCount,
    assertText, eventually, openBrowser, openPage, send, signIn,
    tryToSignIn, watch } from './browser.mjs';

let admin;
let browser;
let ollama;
let page;
let server;

before(async () => {
	browser = await openBrowser();
	ollama = await startOllama();
	server = await startServer({
		users: [{ username: 'alice' }, { username: 'bruno' }],
		env: { OLLAMA_API_URL: ollama.url },
	});
	ollama.behave('llama3.2', { text: 'Use **WAL**, and `lnctl`.' });
	ollama.behave('slow', { text: null, tokens: 2000, delay_ms: 30 });
});
after(async () => {
	await browser.close();
	await server.stop();
	await ollama.stop();
});
beforeEach(async () => {
	page = await openPage(browser, server.url);
});
afterEach(async () => {
	assertClean(page);
	await page.context().close();
});

/* Logins are limited to ten a minute: each person comes in by the door once,
 * later with the cookie.  Requests are limited, too: two people share them. */
const cookies = new Map();

async function enter(name, on = page) {
	if (cookies.has(name)) {
		await on.context().addCookies(cookies.get(name));
		await on.goto(server.url);
		await on.getByRole('textbox', { name: 'Message' }).waitFor();
		return;
	}
	await signIn(on, server.url, name, server.passwords[name]);
	cookies.set(name, await on.context().cookies());
}

/* What the provider was last asked for an answer to. */
const asked = () => ollama.requests.filter(({ path, body }) =>
    path === '/api/chat' && body.stream !== false).at(-1).body.messages.at(-1);

const button = (name) => page.getByRole('button', { name, exact: true });
const title = () => page.getByRole('heading', { level: 1 });

async function useModel(provider, model) {
	admin ??= await server.login();
	const reply = await admin.post('/api/admin/settings',
	    { provider, model });

	assert.equal(reply.status, 200, reply.text);
}

describe('without a model', () => {
	before(() => useModel('offline', ''));

	it('the page says so, answers all the same, and keeps the answer',
	    async () => {
		await enter('alice');
		await page.getByRole('heading',
		    { name: 'No language model is connected yet' }).waitFor();
		await send(page, 'How do I make a backup?');
		const text = await answered(page);

		assert.match(text, /no language model/i);
		await page.reload();
		assert.equal(await answered(page), text);
		await assertAccessible(page);
	});
});

describe('with a model', () => {
	before(() => useModel('ollama', 'llama3.2'));

	it('an answer streams in as Markdown and is saved', async () => {
		await enter('alice');
		await page.locator('#model').getByText('local').waitFor();
		await send(page, 'Is the copy safe?');
		assert.equal(await answered(page), 'Use WAL, and lnctl.');
		await assertText(page.locator('.prose strong'), 'WAL');
		await title().getByText('Is the copy safe?').waitFor();
		await page.reload();
		assert.equal(await answered(page), 'Use WAL, and lnctl.');
		await assertAccessible(page);
	});

	it('regenerating replaces the answer', async () => {
		await enter('alice');
		await send(page, 'Once');
		await answered(page);
		await button('Regenerate').click();
		await page.locator('.live').waitFor({ state: 'detached' });
		await answered(page);
		await assertCount(page.getByRole('article'), 2);
		await page.reload();
		await answered(page);
		await assertCount(page.getByRole('article'), 2);
	});

	it('a long message goes by HTTP and its answer comes once', async () => {
		await enter('alice');
		await send(page, 'z'.repeat(70_000));
		assert.equal(await answered(page), 'Use WAL, and lnctl.');
		await assertCount(page.getByRole('article'), 2);
	});

	it('what is done to a conversation stays done', async () => {
		const menu = async (name) => {
			await page.getByLabel('More about this conversation').click();
			await page.locator('#more').getByText(name, { exact: true })
				.click();
		};

		await enter('alice');
		await send(page, 'Rename me');
		await answered(page);
		await button('Rename the conversation').click();
		await page.getByRole('textbox', { name: 'Title', exact: true })
			.fill('Renamed');
		await page.keyboard.press('Enter');
		await menu('Pin');
		await page.getByRole('heading', { name: 'Pinned' }).waitFor();
		const download = page.waitForEvent('download');

		await menu('Export as Markdown');
		assert.match(await readFile(await (await download).path(), 'utf8'),
		    /Rename me[^]*Use \*\*WAL\*\*/);
		await page.reload();
		await title().getByText('Renamed').waitFor();
		await page.getByRole('heading', { name: 'Pinned' }).waitFor();
		await menu('Delete');
		await page.getByRole('dialog')
			.getByRole('button', { name: 'Delete' }).click();
		await title().getByText('New chat').waitFor();
		await page.reload();
		await page.getByRole('navigation').getByRole('link').first()
			.waitFor();
		await assertCount(
		    page.getByRole('link', { name: 'Renamed' }), 0);
	});
});

describe('a model that calls tools', () => {
	before(() => useModel('ollama', 'tools'));

	const FOX = 'The quick brown fox jumps over the lazy dog. It rests.';

	it('asks first where the person wants it, and runs what is allowed',
	    async () => {
		await enter('bruno');
		await page.goto(`${server.url}/settings`);
		const put = page.waitForResponse((reply) =>
		    reply.request().method() === 'PUT');

		await page.getByRole('checkbox',
		    { name: 'Ask first: current_time' }).check();
		assert.equal((await put).status(), 200);
		await assertAccessible(page);
		await page.goto(server.url);
		await send(page, 'What time is it?');
		await page.getByText('"zone": "UTC"').waitFor();
		await assertAccessible(page);
		await button('Allow current_time').click();
		assert.equal(await answered(page), FOX);
		await page.reload();
		assert.equal(await answered(page), FOX);
		await page.locator('.tool').getByText('done').waitFor();
		await page.locator('.tool summary').click();
		await page.locator('.tool pre').getByText('"rfc3339"').waitFor();
		await assertAccessible(page);
	});

	it('is told what the person did not allow', async () => {
		await enter('bruno');
		await send(page, 'And now?');
		await button('Deny current_time').click();
		assert.equal(await answered(page), FOX);
		await page.locator('.tool').getByText('not allowed').waitFor();
		assert.equal(asked().content, 'The person did not allow this call');
	});

	it('may be stopped while it waits', async () => {
		await enter('bruno');
		await send(page, 'Stop this');
		await button('Allow current_time').waitFor();
		await button('Stop').click();
		await page.getByText('The answer was stopped.').waitFor();
		await assertCount(button('Allow current_time'), 0);
	});
});

describe('an answer that was cut', () => {
	before(() => useModel('ollama', 'length'));

	it('goes on in the same message', async () => {
		await enter('bruno');
		await send(page, 'Go on');
		await page.getByText('The answer reached the length limit.').waitFor();
		const part = await page.locator('.prose').innerText();

		await button('Continue').click();
		await page.waitForFunction((n) => document.querySelector('.prose')
			.textContent.length > n, part.length);
		await answered(page);
		await page.reload();
		await answered(page);
		await assertCount(page.getByRole('article'), 2);
		await eventually(async () =>
		    assert.ok((await page.locator('.prose').innerText())
			.startsWith(part)));
	});
});

describe('a question', () => {
	before(() => useModel('ollama', 'llava'));

	it('takes a picture and a file along, and is corrected with them',
	    async () => {
		const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADU' +
		    'lEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

		await enter('bruno');
		await page.getByLabel('Files to attach').setInputFiles([
			{ name: 'cat.png', mimeType: 'image/png',
			    buffer: Buffer.from(pixel, 'base64') },
			{ name: 'notes.txt', mimeType: 'text/plain',
			    buffer: Buffer.from('kumquat ``` medlar\n'.repeat(5000)) },
		]);
		await send(page, 'Waht is this?');
		await answered(page);
		assert.deepEqual(asked().images, [pixel]);
		assert.match(asked().content, /kumquat ``` medlar/);
		await page.reload();
		await answered(page);
		await page.getByRole('img', { name: 'Picture 1' }).waitFor();
		await page.getByText('notes.txt', { exact: true }).waitFor();
		await button('Edit').click();
		await button('Remove notes.txt').waitFor();
		await send(page, 'What is this?');
		await page.getByText('What is this?', { exact: true }).waitFor();
		await answered(page);
		await page.reload();
		await answered(page);
		await assertCount(page.getByRole('article'), 2);
		assert.deepEqual(asked().images, [pixel]);
		assert.match(asked().content, /^What is this\?[^]*kumquat/);
	});
});

describe('a running answer', () => {
	before(() => useModel('ollama', 'slow'));

	it('is seen by a second tab, survives a reload, and is stopped',
	    async () => {
		await enter('bruno');
		await send(page, 'Count');
		await page.waitForFunction(() => location.hash.length > 1 &&
		    document.querySelector('.prose')?.textContent.length > 20);
		const other = await watch(await page.context().newPage(), server.url);

		await other.goto(page.url());
		await page.reload();
		for (const tab of [page, other])
			await tab.waitForFunction(() => document
				.querySelector('.prose')?.textContent.length > 60);
		await button('Stop').click();
		for (const tab of [page, other])
			await tab.getByText(/stopped/).waitFor();
		await eventually(async () =>
		    assert.equal(await other.locator('.prose').innerText(),
		    await page.locator('.prose').innerText()));
		await assertCount(page.getByRole('article'), 2);
		assertClean(other);
	});

	it('is stopped over plain HTTP, too', async () => {
		await page.routeWebSocket('**/ws/chat', (ws) => ws.close());
		await enter('bruno');
		await send(page, 'Count by HTTP');
		await page.waitForFunction(() => document
			.querySelector('.prose')?.textContent.length > 20);
		await button('Stop').click();
		await page.getByText(/stopped/).waitFor();
	});
});

describe('an admin', () => {
	before(() => useModel('ollama', 'llama3.2'));

	it('blocks a person, who is refused at the next message', async () => {
		const desk = await openPage(browser, server.url);

		await enter('alice');
		await enter('root', desk);
		await desk.getByRole('link', { name: 'Administration' }).click();
		await desk.getByRole('button', { name: 'Block alice' }).click();
		await desk.getByRole('dialog')
			.getByRole('button', { name: 'Block' }).click();
		await desk.locator('[data-user="alice"]').getByText('blocked')
			.waitFor();
		await send(page, 'Still there?');
		await page.getByText('Your account has been blocked.').waitFor();
		await eventually(async () =>
		    assert.equal(await page.getByRole('textbox', { name: 'Message' })
			.isVisible(), false));
		await desk.getByRole('button', { name: 'Unblock alice' }).click();
		await desk.locator('[data-user="alice"]').getByText('active')
			.waitFor();
		await page.reload();
		await send(page, 'And now?');
		await answered(page);
		await assertAccessible(desk);
		assertClean(desk);
		await desk.context().close();
	});

	it('downloads the database and imports it back', async () => {
		await enter('root');
		await page.goto(`${server.url}/admin`);
		const download = page.waitForEvent('download');

		await page.getByRole('link', { name: 'Download the database' })
			.click();
		const file = await (await download).path();

		assert.match(await readFile(file, 'latin1'), /^SQLite format 3\0/);
		await page.getByLabel('Import a database file')
			.setInputFiles(file);
		await button('Check the file').click();
		const dialog = page.getByRole('dialog');

		await dialog.getByText(/^Replace the database with/).waitFor();
		await assertAccessible(page);
		await dialog.getByRole('button', { name: 'Replace the database' })
			.click();
		await dialog.getByText('The database is imported').waitFor();
		await tryToSignIn(page, server.url, 'alice',
		    server.passwords.alice);
		await page.getByRole('navigation').getByRole('link').first()
			.waitFor();
	});
});
