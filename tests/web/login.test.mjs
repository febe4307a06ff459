/* The pages for whoever is not signed in. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, afterEach, describe, it } from 'node:test';
import { assertAccessible, assertClean, eventually, openBrowser,
    openPage, signIn, tryToSignIn } from './browser.mjs';
import { Mock } from './mock.mjs';

let browser;
let mock;
let page;

before(async () => {
	browser = await openBrowser();
	mock = await new Mock().start();
});
after(async () => {
	await browser.close();
	await mock.stop();
});
beforeEach(async () => {
	page = await openPage(browser, mock.url);
});
afterEach(async () => {
	assertClean(page);
	await page.context().close();
});

const click = (name) => page.getByRole('button', { name, exact: true })
	.click();
const alert = () => page.locator('#problem');
const done = () => page.locator('#done');

describe('login', () => {
	it('is where an anonymous visitor ends', async () => {
		await page.goto(mock.url);
		assert.equal(new URL(page.url()).pathname, '/login');
		assert.equal(await page.title(), 'Sign in · LocalNeural');
		await assertAccessible(page);
	});

	it('shows the server’s sentence for a wrong password', async () => {
		await tryToSignIn(page, mock.url, 'alice', 'wrong password');
		await alert().getByText('Invalid username or password.').waitFor();
		await assertAccessible(page);
	});

	it('leads into the chat with name or e-mail', async () => {
		await signIn(page, mock.url, 'alice@example.org', 'alice-password');
		assert.equal(page.url(), `${mock.url}/`);
	});

	it('tells a blocked account so', async () => {
		mock.addUser('mallory', 'mallory-password', 'user').blocked = true;
		await tryToSignIn(page, mock.url, 'mallory', 'mallory-password');
		await alert().getByText('Your account has been blocked. ' +
		    'Contact an administrator.').waitFor();
	});

	it('asks for what is missing without asking the server', async () => {
		await page.goto(`${mock.url}/login`);
		mock.requests.length = 0;
		await click('Sign in');
		await eventually(async () =>
		    assert.notEqual(await alert().innerText(), ''));
		assert.ok(!mock.requests.includes('POST /api/auth/login'));
	});
});

describe('registration', () => {
	async function register(name, password, again = password) {
		const form = page.locator('#register');

		await page.goto(`${mock.url}/login`);
		await click('Create an account');
		await form.getByLabel('Name', { exact: true }).fill(name);
		await form.getByLabel('Password', { exact: true }).fill(password);
		await form.getByLabel('Password again').fill(again);
		await click('Create the account');
	}

	it('says when it is closed', async () => {
		mock.registration = false;
		await register('bob', 'bob-password');
		await alert().getByText('Registration is disabled.').waitFor();
		await assertAccessible(page);
	});

	it('says the same for a free and for a taken name', async () => {
		mock.registration = true;
		for (const name of ['bob', 'alice']) {
			await register(name, 'some-password');
			await done().getByText('If the name and the e-mail were free, ' +
			    'the account is ready. Sign in.').waitFor();
		}
		assert.equal(mock.user('alice').password, 'alice-password');
	});

	it('refuses two passwords that differ', async () => {
		await register('carol', 'one-password', 'two-password');
		await alert().getByText('The two passwords differ.').waitFor();
		assert.equal(mock.user('carol'), undefined);
	});
});

describe('a forgotten password', () => {
	it('gets the same sentence for any address', async () => {
		for (const email of ['alice@example.org', 'no@example.org']) {
			await page.goto(`${mock.url}/login`);
			await click('Forgot the password?');
			await page.locator('#forgot').getByLabel('E-mail').fill(email);
			await click('Send the link');
			await done().getByText('If an account uses this address, ' +
			    'a link has been sent.').waitFor();
		}
	});

	it('is replaced behind a good link', async () => {
		await page.goto(`${mock.url}/reset-password/good-token`);
		await assertAccessible(page);
		await page.getByLabel('New password', { exact: true })
			.fill('new-password');
		await page.getByLabel('New password again').fill('new-password');
		await click('Save the password');
		await done().getByText('The password is saved.').waitFor();
	});

	it('is explained behind a used one', async () => {
		await page.goto(`${mock.url}/reset-password/bad-token`);
		await page.getByLabel('New password', { exact: true })
			.fill('new-password');
		await page.getByLabel('New password again').fill('new-password');
		await click('Save the password');
		await alert().getByText('This link has expired or was used already.')
			.waitFor();
	});
});

describe('the theme', () => {
	const becomes = (theme) => page.waitForFunction(
	    (name) => document.documentElement.dataset.theme === name, theme);

	it('follows the system until the person chooses', async () => {
		await page.goto(`${mock.url}/login`);
		await becomes('dark');
		await page.emulateMedia({ colorScheme: 'light' });
		await becomes('light');
		await assertAccessible(page);
		await click('Switch between dark and light');
		await becomes('dark');
		await page.reload();
		await becomes('dark');
	});
});
