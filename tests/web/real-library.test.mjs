/*
 * The pages against the real server, over HTTPS: what orders conversations,
 * what a person keeps, and what is done to single messages.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, beforeEach, afterEach, describe, it } from 'node:test';
import { start as startOllama } from '../fake/ollama.mjs';
import { docx } from '../server/documents.mjs';
import { run, startServer } from '../server/harness.mjs';
import { answered, assertAccessible, assertClean, assertCount, eventually,
    openBrowser, openPage, send, signIn } from './browser.mjs';

const PIXEL = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADU' +
    'lEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');

let admin;
let browser;
/* Each person may ask 120 times a minute: two share the work. */
const cookies = new Map();
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
	ollama.behave('llama3.2', { text: 'Kumquats like **sun**.' });
	admin = await server.login();
	await useModel('ollama', 'llama3.2');
	for (const name of ['alice', 'bruno']) {
		const door = await openPage(browser, server.url);

		await signIn(door, server.url, name, server.passwords[name]);
		cookies.set(name, await door.context().cookies());
		await door.context().close();
	}
});
after(async () => {
	await browser.close();
	await server.stop();
	await ollama.stop();
});
beforeEach(async () => {
	page = await openPage(browser, server.url);
});

async function useModel(provider, model) {
	const reply = await admin.post('/api/admin/settings',
	    { provider, model });

	assert.equal(reply.status, 200, reply.text);
}

async function enter(name) {
	await page.context().addCookies(cookies.get(name));
	await page.goto(server.url);
	await page.getByRole('textbox', { name: 'Message', disabled: false })
		.waitFor();
}

afterEach(async () => {
	await page.context().close();
	assertClean(page);
});

const button = (name) => page.getByRole('button', { name, exact: true });
const dialog = () => page.getByRole('dialog');
const link = (name) => page.getByRole('navigation')
	.getByRole('link', { name });
const panel = () => page.locator('#panel');

async function say(text) {
	await send(page, text);
	await answered(page);
	await link(text).waitFor();
}

async function menu(title, item) {
	await link(title).first().focus();
	await button(`Actions for “${title}”`).press('Enter');
	await page.getByRole('menuitem', { name: item }).click();
}

describe('conversations', () => {
	beforeEach(() => enter('alice'));

	it('stay in their group and keep their tags', async () => {
		await say('Where do kumquats grow?');
		await menu('Where do kumquats grow?', 'Move to a group');
		await dialog().getByLabel('Or to a new group').fill('Garden');
		await page.keyboard.press('Enter');
		await page.getByText('Garden · 1').waitFor();
		await menu('Where do kumquats grow?', 'Tags');
		await dialog().getByLabel('Add a tag').fill('Warm Walls');
		await page.keyboard.press('Enter');
		await dialog().getByText('#warm-walls').waitFor();
		await dialog().getByRole('button', { name: 'Done' }).click();
		await page.reload();
		await page.getByText('Garden · 1').waitFor();
		await button('#warm-walls').click();
		await link('Where do kumquats grow?').click();
		await button('Tag warm-walls: change the tags').waitFor();
		await assertAccessible(page);
	});

	it('are deleted together', async () => {
		await say('First to go');
		await button('New chat').click();
		await say('Second to go');
		await menu('First to go', 'Select several');
		await page.getByRole('checkbox', { name: 'Second to go' }).check();
		await button('Delete').click();
		await dialog().getByRole('button', { name: 'Delete 2 conversations' })
			.click();
		await page.getByText('Deleted 2 conversations.').waitFor();
		await page.reload();
		await link('Where do kumquats grow?').waitFor();
		assert.equal(await link('to go').count(), 0);
	});
});

describe('a message', () => {
	beforeEach(() => enter('alice'));

	it('is pinned for good, and exported', async () => {
		await link('Where do kumquats grow?').click();
		await answered(page);
		await page.locator('.turn:last-of-type')
			.getByRole('button', { name: 'Pin this message' }).click();
		await page.locator('.turn.pinned').waitFor();
		await page.reload();
		await page.locator('.turn.pinned').waitFor();
		await page.getByLabel('More about this conversation').click();
		await page.locator('#more')
			.getByText('Pinned messages', { exact: true }).click();
		await panel().getByText('Kumquats like **sun**.').waitFor();
		await assertAccessible(page);
		const download = page.waitForEvent('download');

		await page.locator('.turn:last-of-type')
			.getByRole('button', { name: 'Export this message' }).click();
		assert.match(await readFile(await (await download).path(), 'utf8'),
		    /Kumquats like \*\*sun\*\*\./);
	});
});

describe('a fork', () => {
	beforeEach(() => enter('bruno'));

	it('stands in one tree with what it comes from', async () => {
		await say('Which wall is warm?');
		await page.locator('.turn:last-of-type')
			.getByRole('button', { name: 'Fork here' }).click();
		await page.getByText('This is the new branch.').waitFor();
		await answered(page);
		await button('Branches').click();
		await panel().locator('ul ul [aria-current="page"]').waitFor();
		await assertAccessible(page);
		await send(page, 'And in winter?');
		await page.locator('.turn').nth(3).waitFor();
		await answered(page);
		await panel().getByRole('link').first().click();
		await page.locator('.turn').nth(2).waitFor({ state: 'detached' });
		await answered(page);
	});
});

describe('a search', () => {
	beforeEach(() => enter('bruno'));

	it('shows what it found as it was written, and opens it', async () => {
		await say('Do quinces need <b>warm</b> walls?');
		await button('New chat').click();
		await page.keyboard.press('Control+k');
		await page.keyboard.type('quinces');
		const hit = page.getByRole('region', { name: 'Messages' })
			.getByRole('link').filter({ hasText: 'you' });

		await hit.locator('.snippet').getByText('need <b>warm</b> walls?')
			.waitFor();
		await hit.locator('mark').getByText('quinces').waitFor();
		await assertCount(page.locator('#list b'), 0);
		await assertAccessible(page);
		await hit.click();
		await page.locator('.turn.revealed')
			.getByText('Do quinces need <b>warm</b> walls?').waitFor();
	});
});

describe('a document', () => {
	beforeEach(() => enter('bruno'));

	it('is read by the server and goes with a question', async () => {
		const words = 'Medlars blet in November.';

		await page.getByLabel('Files to attach').setInputFiles({
			name: 'medlars.docx', mimeType: 'application/octet-stream',
			buffer: docx(`<w:p><w:r><w:t>${words}</w:t></w:r></w:p>`),
		});
		await button('Remove medlars.docx').waitFor();
		await send(page, 'When are they ripe?');
		await answered(page);
		await eventually(() => assert.ok(ollama.requests.some(
		    ({ path, body }) => path === '/api/chat' &&
		        body.messages.at(-1).content.includes(words))));
	});
});

describe('a project', () => {
	before(() => useModel('offline', ''));
	beforeEach(() => enter('bruno'));
	after(() => useModel('ollama', 'llama3.2'));

	it('reads its documents, and answers cite them', async () => {
		await button('Actions for the list').click();
		await page.getByRole('menuitem', { name: 'New project' }).click();
		await dialog().getByLabel('Title').fill('Orchard');
		await dialog().getByRole('button', { name: 'Create' }).click();
		await page.getByText('No documents yet.').waitFor();
		await page.getByLabel('Documents to add').setInputFiles({
			name: 'pruning.md', mimeType: 'text/markdown',
			buffer: Buffer.from('# Pruning\n\nPrune damsons in high ' +
			    'summer, never in winter.\n'),
		});
		await page.locator('.documents li')
			.filter({ hasText: 'pruning.md' })
			.getByText('ready', { exact: true }).waitFor();
		await assertAccessible(page);
		await button('New chat in this project').click();
		await send(page, 'When do I prune damsons?');
		assert.match(await answered(page), /Prune damsons in high summer/);
		await page.getByRole('list', { name: 'Sources' })
			.getByText(/pruning\.md/).waitFor();
		await page.reload();
		await page.getByRole('list', { name: 'Sources' })
			.getByText(/pruning\.md/).waitFor();
	});
});

describe('a prompt', () => {
	beforeEach(() => enter('bruno'));

	it('is kept, and found by a slash', async () => {
		await button('Prompts').click();
		await button('New').click();
		await dialog().getByLabel('Title').fill('Weekly report');
		await dialog().getByLabel('Text').fill('Five points about my week.');
		await dialog().getByRole('button', { name: 'Save' }).click();
		await panel().getByText('Five points about my week.').waitFor();
		await page.reload();
		await page.getByRole('textbox', { name: 'Message', disabled: false })
			.pressSequentially('/week');
		await page.getByRole('option', { name: /weekly-report/ }).click();
		await page.waitForFunction(() => document.querySelector('#message')
			.value === 'Five points about my week.');
	});
});

describe('the account', () => {
	beforeEach(() => enter('bruno'));

	it('has a name and a picture', async () => {
		await page.goto(`${server.url}/settings`);
		await page.waitForFunction(() =>
		    document.querySelector('#profile-username').value === 'bruno');
		await page.getByLabel('Full name').fill('Bruno Example');
		await button('Save the profile').click();
		await page.getByText('The profile is saved.').waitFor();
		await page.getByLabel('Picture file').setInputFiles({
			name: 'me.png', mimeType: 'image/png', buffer: PIXEL,
		});
		await page.getByText('The picture is saved.').waitFor();
		await page.reload();
		await page.waitForFunction(() =>
		    document.querySelector('#picture').naturalWidth === 1);
		await assertAccessible(page);
		await button('Remove the picture').click();
		await page.getByText('The picture is removed.').waitFor();
	});

	it('begins a system prompt from a template', async () => {
		await page.goto(`${server.url}/settings`);
		const select = page.getByRole('combobox', { name: 'Template' });

		await select.locator('option').nth(1).waitFor({ state: 'attached' });
		await select.selectOption({ index: 1 });
		assert.notEqual(await page.getByLabel('System prompt').inputValue(),
		    '');
	});
});

describe('a long list of conversations', () => {
	it('comes by pages, each of them once', async () => {
		const { code, stderr } = await run('sqlite3', [server.db], { stdin: `
		    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL
		        SELECT i + 1 FROM n WHERE i < 230)
		    INSERT INTO conversation(id, user_id, title, created_ms,
		        updated_ms)
		    SELECT 'old-' || i, id, 'Old talk ' || i, i, i / 3
		    FROM n, user WHERE username = 'alice';` });

		assert.equal(code, 0, stderr);
		await enter('alice');
		await link('Old talk').nth(80).waitFor();
		await eventually(async () => {
			await page.getByRole('navigation').evaluate((el) =>
			    el.scrollTo(0, el.scrollHeight));
			assert.equal(await link('Old talk').count(), 230);
		});
		assert.equal(new Set(await link('Old talk').allInnerTexts()).size,
		    230);
	});
});
