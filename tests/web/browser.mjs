/*
 * A real browser for page tests.  Every page it opens is watched: what the
 * policy blocked, what a script threw, what was fetched from elsewhere.
 */
import assert from 'node:assert/strict';
import { AxeBuilder } from '@axe-core/playwright';
import { chromium } from 'playwright-core';

const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic',
    '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'];

export async function openBrowser() {
	return chromium.launch({
		executablePath: '/usr/bin/chromium', args: ARGS,
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

/** Watches a page of an existing profile: a second tab. */
export function watch(page, url) {
	const { host } = new URL(url);

	page.faults = [];
	page.setDefaultTimeout(20_000);
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
