/* How an answer is put together from what the network leaves of it. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const web = fileURLToPath(new URL('../../server/web/', import.meta.url));
const { transformSync } = createRequire(`${web}package.json`)('esbuild');
const { readFileSync } = await import('node:fs');
const { code } = transformSync(
    readFileSync(`${web}src/chat/answer.ts`, 'utf8'), { loader: 'ts' });
const { Answer } = await import(
    `data:text/javascript,${encodeURIComponent(code)}`);

const chunk = (text, from) => ({
	chunk: text, from, seq: from + Buffer.byteLength(text),
});

test('chunks in order make the text', () => {
	const answer = new Answer();

	assert.equal(answer.apply(chunk('one ', 0)), 'applied');
	assert.equal(answer.apply(chunk('two', 4)), 'applied');
	assert.equal(answer.text, 'one two');
	assert.equal(answer.bytes, 7);
});

test('a chunk that was seen changes nothing', () => {
	const answer = new Answer();

	answer.apply(chunk('one two', 0));
	assert.equal(answer.apply(chunk('two', 4)), 'seen');
	assert.equal(answer.apply(chunk('one two', 0)), 'seen');
	assert.equal(answer.text, 'one two');
});

test('a chunk behind a hole is refused until the hole is filled', () => {
	const answer = new Answer();

	answer.apply(chunk('one ', 0));
	assert.equal(answer.apply(chunk('three', 8)), 'gap');
	assert.equal(answer.text, 'one ');
	assert.equal(answer.apply(chunk('two three', 4)), 'applied');
	assert.equal(answer.text, 'one two three');
});

test('of a chunk that overlaps only what is new is taken', () => {
	const answer = new Answer();

	answer.apply(chunk('one two', 0));
	assert.equal(answer.apply(chunk('two three', 4)), 'applied');
	assert.equal(answer.text, 'one two three');
});

test('offsets count bytes of UTF-8, not letters', () => {
	const answer = new Answer();

	assert.equal(answer.apply(chunk('Grüße 👋', 0)), 'applied');
	assert.equal(answer.bytes, 12);
	assert.equal(answer.apply(chunk('👋 ganz', 8)), 'applied');
	assert.equal(answer.text, 'Grüße 👋 ganz');
	assert.equal(answer.apply(chunk('!', answer.bytes)), 'applied');
	assert.equal(answer.text, 'Grüße 👋 ganz!');
});
