// How fast a lookup starts: `make bench-start`.
//
// `lnctl --version` and `lnctl user list` in turns with the sqlite3 shell, the
// limit, doing the same on the same file, COUNT times each (100, or the first
// argument).  Prints medians of the time from start to end and their ratio to
// the shell's; ends with 1 when one is above 1.3.

import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const COUNT = Number(process.argv[2] ?? 100);
const LIMIT = 1.3;
const LNCTL = path.resolve(process.env.LN_BIN ?? "build", "lnctl");
const dir = fs.mkdtempSync(path.join(os.tmpdir(), "ln-start-"));
const db = path.join(dir, "data", "neural_memory.db");
const env = { PATH: process.env.PATH, HOME: dir };
const own = ["--env-file", path.join(dir, ".env"), "--db", db];

function run(program, args, input) {
	const child = spawnSync(program, args, { env, cwd: dir, input });

	if (child.status !== 0)
		throw new Error(`${program} ${args}: ${child.error ?? child.stderr}`);
	return child;
}

const middle = (times) => times.sort((a, b) => a - b)[times.length >> 1];

try {
	run(LNCTL, [...own, "init", "--admin-email", "a@example.test", "--random"]);
	for (let i = 0; i < 20; i++)
		run(LNCTL, [...own, "user", "create", `user${i}`, "--password-stdin"],
		    "A-long-passphrase-1");

	const shell = ["-batch", "-json", db,
	    "SELECT id, username, email, role FROM user ORDER BY username"];
	const rows = JSON.parse(run("sqlite3", shell).stdout).length;
	const all = [
		["sqlite3 shell", "sqlite3", shell],
		["lnctl --version", LNCTL, ["--version"]],
		["lnctl user list", LNCTL, [...own, "user", "list", "--json"]],
	];
	const times = all.map(() => []);

	for (let i = 0; i < COUNT; i++)
		for (const [at, [, program, args]] of all.entries()) {
			const begin = process.hrtime.bigint();

			run(program, args);
			times[at].push(Number(process.hrtime.bigint() - begin) / 1e6);
		}
	const medians = times.map(middle);

	console.log(`${rows} accounts, ${COUNT} runs each`);
	for (const [at, [name]] of all.entries())
		console.log(`${name.padEnd(16)} ${medians[at].toFixed(2).padStart(7)} ms` +
		    `   ${(medians[at] / medians[0]).toFixed(2)} of the shell`);
	process.exitCode = medians.every((m) => m <= LIMIT * medians[0]) ? 0 : 1;
} finally {
	fs.rmSync(dir, { recursive: true });
}
