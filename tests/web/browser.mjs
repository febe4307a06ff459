/*
 * A real browser for page tests.  Every page it opens is watched: what the
 * policy blocked, what a script threw, what was fetched from elsewhere.
 *
 * A page does nothing at once: what a test expects of it has to be waited for,
 * with a locator or with eventually().  LN_SLOW=6 in the environment of
 * tests/run makes every page six times as slow, to find the tests that do not.
 */
import assert from 'node:assert/strict';
import { AxeBuilder } from '@axe-core/playwright';
import { chromium } from 'playwright-core';

/* A guard against hanging, not a measure of anything. */
const PATIENCE = 60_000;
const SLOW = Number(process.env.LN_SLOW || 1);

const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic',
    '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'];

export async function openBrowser() {
	return chromium.launch({
		executablePath: '/usr/bin/chromium-headless-shell', args: ARGS,
	});
}

/* Lines the browser itself logs for replies the page is meant to handle. */
const EXPECTED = [
	/Failed to load resource: the server responded with a status of 4/,
	/WebSocket connection to .* failed/,
];

/** A page in a profile of its own; `page.faults` says what went wrong. */
export async function openPage(browser, url, options = {}) {
	const context = await browser.newContext({
		ignoreHTTPSErrors: true, colorScheme: 'dark', ...options,
	});

	return watch(await context.newPage(), url);
}

/** Runs `check` until it stops throwing; in the end its error is thrown. */
export async function eventually(check) {
	const end = Date.now() + PATIENCE;

	for (;;) {
		try {
			return await check();
		} catch (error) {
			if (Date.now() > end)
				throw error;
		}
		await new Promise((done) => setTimeout(done, 20));
	}
}

/* What a locator matches, holds and says, sooner or later. */
export function assertCount(locator, count) {
	return eventually(async () =>
	    assert.equal(await locator.count(), count));
}

export function assertValue(locator, value) {
	return eventually(async () =>
	    assert.equal(await locator.inputValue(), value));
}

export function assertText(locator, text) {
	return eventually(async () => {
		const is = await locator.innerText();

		if (text instanceof RegExp)
			assert.match(is, text);
		else
			assert.equal(is, text);
	});
}

/** Watches a page of an existing profile: a second tab. */
export async function watch(page, url) {
	const { host } = new URL(url);

	page.faults = [];
	page.setDefaultTimeout(PATIENCE);
	page.on('console', (message) => {
		const text = message.text();

		if (['error', 'warning'].includes(message.type()) &&
		    !EXPECTED.some((pattern) => pattern.test(text)))
			page.faults.push(`console: ${text}`);
	});
	page.on('pageerror', (error) => page.faults.push(`threw: ${error}`));
	page.on('request', (request) => {
		const at = new URL(request.url());

		if (!['data:', 'blob:'].includes(at.protocol) && at.host !== host)
			page.faults.push(`foreign request: ${at}`);
	});
	if (SLOW > 1) {
		const cdp = await page.context().newCDPSession(page);

		await cdp.send('Emulation.setCPUThrottlingRate', { rate: SLOW });
	}
	return page;
}

export function assertClean(page) {
	assert.deepEqual(page.faults, []);
}

/** No finding that keeps somebody from using the page. */
export async function assertAccessible(page) {
	const { violations } = await new AxeBuilder({ page })
		.withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa',
		    'wcag22aa', 'best-practice'])
		.analyze();

	assert.deepEqual(violations
		.filter((v) => ['serious', 'critical', 'moderate']
			.includes(v.impact))
		.map((v) => `${v.id}: ${v.nodes.map((n) => n.target).join(', ')}`),
	[]);
}

/** Fills in the login page and sends it, whatever comes of it. */
export async function tryToSignIn(page, url, username, password) {
	const form = page.locator('#login');

	await page.goto(`${url}/login`);
	await form.getByLabel('Name or e-mail').fill(username);
	await form.getByLabel('Password').fill(password);
	await form.getByRole('button', { name: 'Sign in' }).click();
}

export async function signIn(page, url, username, password) {
	await tryToSignIn(page, url, username, password);
	await page.getByRole('textbox', { name: 'Message' }).waitFor();
}

/** Types a message and sends it with Enter. */
export async function send(page, text) {
	await page.getByRole('textbox', { name: 'Message' }).fill(text);
	await page.keyboard.press('Enter');
}

/** Waits until no answer is running, and returns the last one's text. */
export async function answered(page) {
	await page.locator('.turn:last-of-type').getByRole('button',
	    { name: 'Regenerate' }).waitFor();
	return page.locator('.turn:last-of-type .prose').innerText();
}
