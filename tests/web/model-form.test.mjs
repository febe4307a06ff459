/* What a person chooses to be answered by, on the page of the account. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, afterEach, describe, it } from 'node:test';
import { assertAccessible, assertClean, assertValue, eventually,
    openBrowser, openPage } from './browser.mjs';
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
	await page.goto(`${mock.url}/settings`);
	await page.getByLabel('Provider').getByText('As on this server')
		.waitFor({ state: 'attached' });
});
afterEach(async () => {
	assertClean(page);
	await page.context().close();
	await mock.stop();
});

const label = (name) => page.getByLabel(name, { exact: true });
const save = async () => {
	await page.getByRole('button', { name: 'Save', exact: true }).click();
	await page.getByRole('status').getByText('Saved.').waitFor();
};
const mine = () => mock.choices.get(mock.user('alice').user_id);

describe('the model of an account', () => {
	it('is the server’s until the person chooses', async () => {
		await assertValue(label('Provider'), '');
		await label('Provider').getByText('As on this server (Ollama)')
			.waitFor({ state: 'attached' });
		await assertValue(label('Model'), '');
		await eventually(async () =>
		    assert.equal(await label('Model').getAttribute('placeholder'),
		    'llama3.2'));
		await eventually(async () =>
		    assert.equal(await label('Base URL').isVisible(), false));
		await eventually(async () =>
		    assert.equal(await label('API key').isVisible(), false));
		await page.waitForFunction(() => document
			.querySelectorAll('#settings-models option').length === 2);
		await assertAccessible(page);
	});

	it('may be another one of the same provider', async () => {
		await label('Model').fill('qwen3:4b');
		await label('Temperature').fill('0.5');
		await label('Context').fill('16384');
		await label('Titles').selectOption('The first words');
		await label('System prompt').fill('Be brief, {user}.');
		await save();
		await page.reload();
		await page.waitForFunction(() => document
			.querySelector('#settings-model').value === 'qwen3:4b');
		await assertValue(label('Context'), '16384');
		await assertValue(label('Titles'), 'false');
		assert.deepEqual(mine(), {
			provider: '', model: 'qwen3:4b', base_url: '',
			temperature: 0.5, context_tokens: 16384, auto_title: false,
			system_prompt: 'Be brief, {user}.',
		});
	});

	it('may be a provider of one’s own, with a key that is never shown',
	    async () => {
		await label('Provider').selectOption('openai');
		await page.getByText('OpenAI, explained.').waitFor();
		await eventually(async () =>
		    assert.equal(await label('Base URL').getAttribute('placeholder'),
		    'https://api.openai.example/v1'));
		await label('API key').fill('sk-secret-9876');
		await save();
		await page.reload();
		await page.getByText('A key is set (ends in 9876).').waitFor();
		await assertValue(label('API key'), '');
		assert.equal(mine().provider, 'openai');
		await label('Provider').selectOption('anthropic');
		await page.getByText('No key is set; this provider needs one.')
			.waitFor();
		await save();
		assert.equal(mine().api_key, undefined);
		await label('Provider').selectOption('');
		await save();
		assert.equal(mine().provider, '');
	});

	it('takes no temperature and no context out of range', async () => {
		await label('Temperature').fill('3');
		await page.getByRole('button', { name: 'Save', exact: true }).click();
		await page.getByText('The temperature is a number from 0 to 2.')
			.waitFor();
		await label('Temperature').fill('');
		await label('Context').fill('255');
		await page.getByRole('button', { name: 'Save', exact: true }).click();
		await page.getByText('The context is a whole number of tokens')
			.waitFor();
		assert.equal(mine(), undefined);
	});
});
