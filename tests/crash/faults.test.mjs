// A disk that is full or fails: at each moment of each path that writes.
//
// The program says that it failed (exit 1) and everything is as it was, or it
// says that it is done and it is, or that it is done but could not be noted or
// confirmed; nothing in between, and after the next
// run on a sound disk no temporary file is left.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { before, describe, it } from "node:test";
import { BIN, FIXTURES, Server } from "../server/harness.mjs";

const MOMENTS = Number(process.env.LN_MOMENTS ?? 4); // for each fault and path
const SHIM = path.join(BIN, "tests/crash/fault.so");
const FAULTS = [
	["a full disk", "space", ""],
	["a write that fails", "write", ":once"],
	["a sync that fails", "sync", ":once"],
];
const KNOWN = [
	/^neural_memory\.db(-wal|-shm)?$/, /\.lock$/,
	/^neural_memory\.db\.before-(import|schema-\d+)-\d{8}T\d{6}Z(-\d+)?$/,
];

let house, dir, tmp, out, backups, pristine, first;

function lnctl(args, fault) {
	return new Promise((done) => {
		const child = spawn(path.join(BIN, "lnctl"), ["--env-file",
		    house.env_file, "--db", house.db, "--no-input", ...args], {
			cwd: dir,
			env: { PATH: process.env.PATH, HOME: process.env.HOME,
			    LOCALNEURAL_PWHASH: "small", ...house.env, TMPDIR: tmp,
			    ...(fault && { LD_PRELOAD: SHIM, LN_FAULT: fault }) },
			stdio: ["ignore", "pipe", "pipe"],
		});
		let stdout = "", stderr = "";

		child.stdout.on("data", (d) => { stdout += d; });
		child.stderr.on("data", (d) => { stderr += d; });
		child.on("close", (code, signal) =>
			done({ code: code ?? signal, stdout, stderr }));
	});
}

async function ok(args) {
	const r = await lnctl(args);

	assert.equal(r.code, 0, `lnctl ${args.join(" ")}: ${r.stderr}${r.stdout}`);
	return r;
}

function put_back(from = pristine) {
	for (const name of fs.readdirSync(house.data))
		fs.rmSync(path.join(house.data, name), { recursive: true });
	fs.copyFileSync(from, house.db);
	fs.chmodSync(house.db, 0o600);
	for (const folder of [out, backups])
		for (const name of fs.readdirSync(folder))
			fs.rmSync(path.join(folder, name), { recursive: true });
}

const number = async (query) => Object.values((await house.sql(query))[0])[0];

// How many writes and syncs a whole run makes.
async function count(args) {
	const file = path.join(dir, "count");
	const r = await lnctl(args, `count:${file}`);

	assert.equal(r.code, 0, r.stderr);
	return fs.readFileSync(file, "utf8").trim().split(" ").map(Number);
}

function assert_tidy() {
	for (const [folder, known] of [[house.data, KNOWN], [tmp, []],
	    [out, [/^out\.(db|json)$/]], [backups, [/^[^.].*\.zst$/, /\.lock$/]]])
		assert.deepEqual(fs.readdirSync(folder)
			.filter((n) => !known.some((k) => k.test(n))), [],
		    `left in ${folder}`);
}

// reset(), the faulty run, check(is_done), a sound run, no leftovers.
async function each_moment(args, { reset = put_back, check, recover }) {
	await reset();
	const [writes, syncs] = await count(args());
	assert.ok(writes > 0 && syncs > 0, "nothing was written");
	for (const [what, kind, once] of FAULTS) {
		const all = kind === "sync" ? syncs : writes;
		const step = Math.max(1, (all - 1) / Math.max(1, MOMENTS - 1));

		for (let at = 1; at <= all; at += step) {
			const n = Math.round(at);
			const where = `${what} at ${n} of ${all}`;

			await reset();
			const r = await lnctl(args(), `${kind}:${n}${once}`);
			assert.ok([0, 1, 3].includes(r.code),
			    `${where}: exit ${r.code}: ${r.stderr}`);
			if (r.code !== 0) {
				assert.match(r.stderr, /^lnctl: .+\.$/m, where);
				if (kind === "space")
					assert.match(r.stderr, /disk is full|space/i,
					    where);
			}
			await recover?.();
			assert.equal((await lnctl(["db", "check"])).code, 0, where);
			assert.equal(await number("SELECT count(*) FROM user WHERE " +
			    "username = 'root' AND role = 'admin'"), 1, where);
			await check(r.code === 0, where, r);
			if (r.code !== 0)
				await ok(args());
			assert_tidy();
		}
	}
}

before(async () => {
	house = new Server({ users: [{ username: "ann" }] });
	({ dir } = house);
	[tmp, out, backups] = ["tmp", "out", "backups"].map((n) => {
		const folder = path.join(dir, n);

		fs.mkdirSync(folder);
		return folder;
	});
	await house.init();
	await ok(["ask", "--user", "ann", "--provider", "offline", "what is kept?"]);
	pristine = path.join(dir, "pristine.db");
	await ok(["db", "export", pristine]);
});

describe("on a disk that fails", () => {
	const legacy = path.join(FIXTURES, "legacy_scrypt.db");

	it("an account is there or it is not", async () => {
		await each_moment(() => ["user", "create", "bob", "--random"], {
			check: async (is_done, where) => {
				const n = await number("SELECT count(*) FROM user " +
				    "WHERE username = 'bob'");

				assert.equal(n, is_done ? 1 : 0, where);
			},
		});
	});
	it("an import leaves the old database, or says that it is done",
	    async () => {
		await each_moment(() => ["db", "import", legacy, "--yes",
		    "--keep-admin", "root"], {
			check: async (is_done, where, r) => {
				const n = await number("SELECT count(*) FROM message");

				assert.ok(n === 2 || n === 24, where);
				if (is_done)
					assert.equal(n, 24, where);
				else if (n === 24)
					assert.match(r.stderr, /is imported, but/, where);
			},
		});
	});
	it("an export is whole or not there", async () => {
		await each_moment(() => ["db", "export", path.join(out, "out.db")], {
			check: async (is_done, where, r) => {
				const file = path.join(out, "out.db");

				if (!fs.existsSync(file))
					return assert.ok(!is_done, where);
				await ok(["db", "validate", file]);
				if (!is_done)
					assert.match(r.stderr,
					    /is written, but|itself is whole/, where);
				fs.rmSync(file);
			},
		});
	});
	it("a backup is whole or not there", async () => {
		await each_moment(() => ["backup", "create", "-d", backups], {
			check: async (is_done, where, r) => {
				const made = fs.readdirSync(backups)
					.filter((n) => n.endsWith(".zst"));

				assert.ok(!is_done || made.length === 1, where);
				for (const n of made)
					await ok(["backup", "verify",
					    path.join(backups, n)]);
				if (!is_done && made.length > 0)
					assert.match(r.stderr, /is (made|written), but/, where);
			},
		});
	});
	it("a restore leaves the old database, or says that it is done",
	    async () => {
		put_back();
		await ok(["db", "import", legacy, "--yes", "--keep-admin", "root"]);
		await ok(["backup", "create", "-d", backups]);
		const name = fs.readdirSync(backups).find((n) => n.endsWith(".zst"));
		const file = path.join(dir, name);

		fs.copyFileSync(path.join(backups, name), file);
		await each_moment(() => ["backup", "restore", file, "--yes"], {
			check: async (is_done, where, r) => {
				const n = await number("SELECT count(*) FROM message");

				assert.ok(n === 2 || n === 24, where);
				if (is_done)
					assert.equal(n, 24, where);
				else if (n === 24)
					assert.match(r.stderr, /is restored, but/, where);
			},
		});
	});
	it("one's data as JSON is whole or not there, and a killed one is swept",
	    async () => {
		const file = path.join(out, "out.json");
		const left = path.join(out, "out.json.0123456789ab.part");
		const other = path.join(dir, "of-another.json.0123456789ab.part");
		const args = ["db", "export", file, "--format", "json", "--user",
		    "ann"];

		put_back();
		for (const fault of [undefined, "names:1", "space:1", "sync:1:once"]) {
			fs.writeFileSync(left, "half", { mode: 0o600 });
			fs.writeFileSync(other, "half", { mode: 0o600 });
			const r = await lnctl(args, fault);
			const is_done = fault === undefined || fault === "names:1";
			assert.equal(r.code, is_done ? 0 : 1, r.stderr);
			assert.equal(fs.existsSync(file), is_done, fault);
			if (!is_done)
				await ok(args);
			assert_tidy();
			assert.ok(fs.existsSync(other));
			assert.equal(JSON.parse(fs.readFileSync(file)).format,
			    "localneural-user");
			assert.equal(fs.statSync(file).mode & 0o777, 0o600);
			assert.equal((await lnctl(args)).code, 5);
			fs.rmSync(file);
		}
	});
	it("a migration leaves the old schema or the new one", async () => {
		first = path.join(dir, "first.db");
		const sql = fs.readFileSync(new URL("../../libln/store/migrations/" +
		    "0001_initial.sql", import.meta.url), "utf8");
		const [id] = await house.sql("PRAGMA application_id", pristine);

		await new Promise((done) => {
			const child = spawn("sqlite3", ["-bail", first],
			    { stdio: ["pipe", "ignore", "inherit"] });

			child.on("close", done);
			child.stdin.end(`BEGIN; ${sql}
			    PRAGMA application_id = ${id.application_id};
			    PRAGMA user_version = 1;
			    INSERT INTO user (id, username, username_key, role,
			    password_hash, created_ms) VALUES ('a', 'root', 'root',
			    'admin', '$argon2id$', 1); COMMIT;`);
		});
		await each_moment(() => ["user", "create", "bob", "--random"], {
			reset: () => put_back(first),
			recover: () => ok(["user", "unblock", "root"]),
			check: async (is_done, where) => {
				const n = await number("SELECT count(*) FROM user " +
				    "WHERE username = 'bob'");

				assert.equal(n, is_done ? 1 : 0, where);
			},
		});
	});
});
