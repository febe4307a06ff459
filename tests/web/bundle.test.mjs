/* The committed bundle: what the sources make, and nothing from elsewhere. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const web = fileURLToPath(new URL('../../server/web/', import.meta.url));
const dist = join(web, 'dist');
const scratch = await mkdtemp(join(tmpdir(), 'ln-web-'));

after(() => rm(scratch, { recursive: true }));

async function files(dir, prefix = '') {
	const found = new Map();

	for (const entry of await readdir(dir, { withFileTypes: true })) {
		const path = join(dir, entry.name);

		if (entry.isDirectory())
			for (const [name, body] of
			    await files(path, `${prefix}${entry.name}/`))
				found.set(name, body);
		else
			found.set(prefix + entry.name, await readFile(path, 'latin1'));
	}
	return found;
}

const committed = await files(dist);
const pages = [...committed].filter(([name]) => name.endsWith('.html'));

test('a build makes the committed bytes, from any folder', async () => {
	for (const [out, cwd] of [['one', web], ['two', '/']]) {
		await run(process.execPath, [join(web, 'build.mjs'),
		    '--out', join(scratch, out)], { cwd });
		assert.deepEqual(await files(join(scratch, out)), committed);
	}
});

test('the sources pass the type checker', async () => {
	await run(process.execPath, [join(web, 'node_modules/typescript/bin/tsc'),
	    '--noEmit', '--project', web]);
});

test('there are five pages', () => {
	assert.deepEqual(pages.map(([name]) => name).sort(),
	    ['admin.html', 'app.html', 'login.html', 'reset.html',
        'settings.html']);
});

test('pages refer to hashed assets that exist, and to nothing else', () => {
	for (const [name, html] of pages)
		for (const [, at] of html.matchAll(
		    /<(?:link|script|img)[^>]*\s(?:href|src)="([^"]*)"/g)) {
			assert.match(at, /^\/static\/assets\/[a-z]+-[A-Z0-9]{8}\.\w+$/);
			assert.ok(committed.has(at.slice('/static/'.length)),
			    `${name} refers to ${at}`);
		}
});

test('pages hold no inline script, style or handler', () => {
	for (const [name, html] of pages) {
		assert.doesNotMatch(html, /<script(?![^>]*\ssrc=)/i, name);
		assert.doesNotMatch(html, /<style|\sstyle=|\son\w+=/i, name);
	}
});

test('style sheets import and load nothing', () => {
	for (const [name, css] of committed)
		if (name.endsWith('.css'))
			assert.doesNotMatch(css, /@import|url\(/, name);
});

test('the lock file names no host', async () => {
	const lock = await readFile(join(web, 'package-lock.json'), 'utf8');

	assert.doesNotMatch(lock, /https?:/);
});
