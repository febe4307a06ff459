/*
 * Builds the browser bundle: every script and style sheet gets a name with a
 * hash of its content, and the pages are rewritten to point at those names.
 *
 *	node build.mjs [--out DIR]
 *
 * The output depends on the sources and the locked packages only, never on
 * the folder it is built in, the clock or the machine: dist/ is committed and
 * compared byte by byte.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = dirname(fileURLToPath(import.meta.url));
const src = join(root, 'src');
const PAGES = ['admin.html', 'app.html', 'login.html', 'reset.html',
	'settings.html'];
const SCRIPTS = {
	theme: 'src/lib/theme-boot.ts',
	login: 'src/login/main.ts',
	reset: 'src/reset/main.ts',
	app: 'src/chat/main.ts',
	admin: 'src/admin/main.ts',
	settings: 'src/settings/main.ts',
};
const STYLES = {
	login: 'src/css/login.css',
	app: 'src/css/app.css',
	admin: 'src/css/admin.css',
	settings: 'src/css/settings.css',
};

function outDir(args) {
	const at = args.indexOf('--out');

	if (at === -1)
		return join(root, 'dist');
	if (!args[at + 1])
		throw new Error('--out wants a folder');
	return resolve(args[at + 1]);
}

/* Bundles one kind of entry; returns logical name -> {name, contents}. */
async function bundle(entryPoints, ext) {
	const result = await build({
		absWorkingDir: root,
		entryPoints,
		outdir: 'assets',
		entryNames: '[name]-[hash]',
		bundle: true,
		minify: true,
		write: false,
		format: 'iife',
		charset: 'utf8',
		legalComments: 'eof',
		target: ['chrome110', 'firefox115', 'safari16.4'],
		logLevel: 'warning',
	});
	const assets = new Map();

	for (const file of result.outputFiles) {
		const name = basename(file.path);
		const logical = name.replace(/-[A-Z0-9]{8}(\.[a-z]+)$/, '$1');

		if (extname(name) !== ext || logical === name)
			throw new Error(`unexpected output ${name}`);
		assets.set(logical, { name, contents: file.contents });
	}
	return assets;
}

async function images() {
	const assets = new Map();

	for (const file of (await readdir(join(src, 'img'))).sort()) {
		const contents = await readFile(join(src, 'img', file));
		const hash = createHash('sha256').update(contents)
			.digest('hex').slice(0, 8).toUpperCase();
		const ext = extname(file);

		assets.set(file, {
			name: `${basename(file, ext)}-${hash}${ext}`,
			contents,
		});
	}
	return assets;
}

/* {{include:FILE}} becomes that file of src, {{asset:NAME}} its address. */
async function page(file, assets) {
	const known = (name, value) => {
		if (value === undefined)
			throw new Error(`${file}: there is no ${name}`);
		return value;
	};
	const icons = (await readFile(join(src, 'icons.svg'), 'utf8')).trim();
	const html = await readFile(join(src, file), 'utf8');

	return html
		.replaceAll('{{include:icons.svg}}', () => icons)
		.replace(/\{\{asset:([\w.-]+)\}\}/g, (_, name) =>
			`/static/assets/${known(name, assets.get(name)).name}`);
}

const out = outDir(process.argv.slice(2));
const assets = new Map([
	...await bundle(SCRIPTS, '.js'),
	...await bundle(STYLES, '.css'),
	...await images(),
]);

await rm(out, { recursive: true, force: true });
await mkdir(join(out, 'assets'), { recursive: true });
for (const { name, contents } of assets.values())
	await writeFile(join(out, 'assets', name), contents);
for (const file of PAGES)
	await writeFile(join(out, file), await page(file, assets));
