// Programs that are killed (SIGKILL) at any moment: imports, exports, backups,
// restores, drills, migrations, and answers that stream in.
//
// After every kill: the database is whole, it is the old one or the new one
// and nothing between, what was acknowledged is there, an administrator can
// sign in, and after the next run no temporary file is left.
//
// LN_KILLS: how many in all (60); LN_SEED: of the moments (1).  `make crash`
// kills a thousand times.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { start as startOllama } from "../fake/ollama.mjs";
import { BIN, FIXTURES, Server, until } from "../server/harness.mjs";

const KILLS = Number(process.env.LN_KILLS ?? 60);
const SEED = Number(process.env.LN_SEED ?? 1);
const MESSAGES = 3000; // added to the file that is imported: time to die in
// What a streaming answer may lose: 1 KiB, or what came in the last journal
// interval; the fake provider sends about 120 bytes a second.
const LOSS_BYTES = 1024;
// What a run may leave in the folder of the database.
const KNOWN = [
	/^neural_memory\.db(-wal|-shm)?$/, /\.lock$/,
	/^neural_memory\.db\.before-(import|schema-\d+)-\d{8}T\d{6}Z(-\d+)?$/,
];

// xorshift32: the same moments for the same seed.
let state = (SEED * 2654435761) >>> 0 || 1;
function random() {
	state ^= state << 13;
	state ^= state >>> 17;
	state ^= state << 5;
	return (state >>> 0) / 2 ** 32;
}

let ollama, house, dir, pristine, big, tmp;

const share = (weight) => Math.max(1, Math.round(KILLS * weight));

// Start lnctl, kill it after ms (never: Infinity): { code, out, took }.
function lnctl(args, ms = Infinity, { from_output = false } = {}) {
	return new Promise((done) => {
		const began = performance.now();
		const child = spawn(path.join(BIN, "lnctl"), ["--env-file",
		    house.env_file, "--db", house.db, ...args], {
			cwd: house.dir,
			env: { PATH: process.env.PATH, HOME: process.env.HOME,
			    LOCALNEURAL_PWHASH: "small", ...house.env,
			    TMPDIR: tmp },
			stdio: ["ignore", "pipe", "pipe"],
		});
		let out = "", err = "", timer;
		const arm = () => {
			if (timer === undefined && ms !== Infinity)
				timer = setTimeout(() => child.kill("SIGKILL"), ms);
		};

		if (!from_output)
			arm();
		child.stdout.on("data", (d) => {
			out += d;
			arm();
		});
		child.stderr.on("data", (d) => { err += d; });
		child.on("close", (code, signal) => {
			clearTimeout(timer);
			done({ code: code ?? signal, out, err,
			    took: performance.now() - began });
		});
	});
}

async function ok(args) {
	const r = await lnctl(args);
	assert.equal(r.code, 0, `lnctl ${args.join(" ")}: ${r.err}${r.out}`);
	return r;
}

// Nobody has the database open: put the folder back as it was.
function put_back(from = pristine) {
	for (const name of fs.readdirSync(house.data))
		fs.rmSync(path.join(house.data, name), { recursive: true });
	fs.copyFileSync(from, house.db);
	fs.chmodSync(house.db, 0o600);
}

const number = async (query) => Object.values((await house.sql(query))[0])[0];

async function assert_whole() {
	const r = await lnctl(["db", "check", "--json"]);
	assert.equal(r.code, 0, r.out + r.err);
	assert.ok(await number("SELECT count(*) FROM user WHERE role = 'admin' " +
	    "AND blocked_ms IS NULL AND password_hash IS NOT NULL") >= 1,
	    "nobody can administer this instance");
}

function assert_tidy(...folders) {
	const left = fs.readdirSync(house.data)
		.filter((n) => !KNOWN.some((k) => k.test(n)));

	assert.deepEqual(left, [], "left beside the database");
	assert.deepEqual(fs.readdirSync(tmp), [], "left in the temporary folder");
	for (const [folder, known] of folders)
		assert.deepEqual(fs.readdirSync(folder)
			.filter((n) => !known.test(n)), [], `left in ${folder}`);
}

// "old" or "new", by the number of messages; anything else is a mixture.
async function which(old_count, new_count) {
	const n = await number("SELECT count(*) FROM message");

	assert.ok(n === old_count || n === new_count,
	    `${n} messages, neither ${old_count} nor ${new_count}`);
	return n === new_count ? "new" : "old";
}

// Kill `times` runs of the command at moments spread over a whole run's time.
async function kill_often(times, args,
    { reset, recover = () => {}, check, afterwards }) {
	const outcomes = { killed: 0, done: 0 };

	await reset();
	const { took } = await ok(args());
	for (let i = 0; i < times; i++) {
		await reset();
		const r = await lnctl(args(), took * (i + random()) / times * 1.05);
		outcomes[r.code === 0 ? "done" : "killed"]++;
		assert.ok(r.code === 0 || r.code === "SIGKILL", `${r.code}: ${r.err}`);
		await recover();
		await assert_whole();
		await check(r.code === 0);
		await afterwards();
	}
	assert.ok(times < 4 || outcomes.killed > 0, "no run was killed");
}

before(async () => {
	ollama = await startOllama();
	house = new Server({ users: [{ username: "ann" }], env: {
		LOCALNEURAL_PROVIDER: "ollama",
		LOCALNEURAL_ALLOWED_ENDPOINTS: "http://127.0.0.1:*",
		OLLAMA_API_URL: `http://127.0.0.1:${ollama.port}`,
	} });
	dir = house.dir;
	tmp = path.join(dir, "tmp");
	fs.mkdirSync(tmp);
	await house.init();
	await ok(["ask", "--user", "ann", "--provider", "offline", "what is kept?"]);
	pristine = path.join(dir, "pristine.db");
	await ok(["db", "export", pristine]);
	big = path.join(dir, "big.db");
	fs.copyFileSync(path.join(FIXTURES, "legacy_scrypt.db"), big);
	await sqlite(big, `WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT
	    i + 1 FROM n WHERE i < ${999 + MESSAGES}) INSERT INTO messages (id,
	    session_id, role, content, timestamp) SELECT i, (SELECT min(id) FROM
	    sessions), 'user', 'message number ' || i,
	    '2026-11-24 08:33:12.869321' FROM n`);
});
after(async () => {
	await ollama?.stop();
});

function sqlite(file, sql) {
	return new Promise((done, fail) => {
		const child = spawn("sqlite3", ["-bail", file],
		    { stdio: ["pipe", "inherit", "inherit"] });

		child.on("error", fail);
		child.on("close", (code) => code === 0 ? done() :
		    fail(new Error(`sqlite3 ended with ${code}`)));
		child.stdin.end(sql);
	});
}

describe(`killed ${KILLS} times (seed ${SEED})`, () => {
	it("an import leaves the old database or the new one", async () => {
		const args = () => ["db", "import", big, "--yes", "--keep-admin",
		    "root"];
		const [old_count, new_count] = [2, 24 + MESSAGES];

		await kill_often(share(0.2), args, {
			reset: put_back,
			check: async (is_done) => {
				const now = await which(old_count, new_count);
				assert.ok(!is_done || now === "new");
			},
			afterwards: async () => {
				await ok(args());
				assert.equal(await which(old_count, new_count), "new");
				assert_tidy();
			},
		});
	});
	it("an export is whole or not there", async () => {
		const folder = path.join(dir, "exports");
		const file = path.join(folder, "out.db");
		const args = () => ["db", "export", file];

		fs.mkdirSync(folder);
		put_back();
		await ok(["db", "import", big, "--yes", "--keep-admin", "root"]);
		const large = path.join(dir, "large.db");
		await ok(["db", "export", large]);
		put_back(large);
		await kill_often(share(0.15), args, {
			reset: () => fs.rmSync(file, { force: true }),
			check: async (is_done) => {
				assert.ok(!is_done || fs.existsSync(file));
				if (fs.existsSync(file))
					await ok(["db", "validate", file]);
			},
			afterwards: async () => {
				fs.rmSync(file, { force: true });
				await ok(args());
				assert_tidy([folder, /^out\.db$/]);
			},
		});
	});
	it("a person's data as JSON is whole or not there", async () => {
		const folder = path.join(dir, "json");
		const file = path.join(folder, "out.json");
		const [{ id }] = await house.sql("SELECT user_id AS id FROM " +
		    "conversation JOIN message ON conversation_id = conversation.id " +
		    "GROUP BY 1 ORDER BY count(*) DESC LIMIT 1");
		const args = () => ["db", "export", file, "--format", "json",
		    "--user", id];
		const messages = () => JSON.parse(fs.readFileSync(file, "utf8"))
			.messages.length;

		fs.mkdirSync(folder);
		await kill_often(share(0.05), args, {
			reset: () => fs.rmSync(file, { force: true }),
			check: async (is_done) => {
				assert.ok(!is_done || fs.existsSync(file));
				if (fs.existsSync(file))
					assert.ok(messages() >= MESSAGES);
			},
			afterwards: async () => {
				fs.rmSync(file, { force: true });
				await ok(args());
				assert.ok(messages() >= MESSAGES);
				assert_tidy([folder, /^out\.json$/]);
			},
		});
	});
	it("a backup is whole or not there", async () => {
		const folder = path.join(dir, "backups");
		const named = /^[^.].*\.zst$|\.lock$/;
		const args = () => ["backup", "create", "-d", folder];
		const backups = () => fs.readdirSync(folder)
			.filter((n) => n.endsWith(".zst"));

		fs.mkdirSync(folder);
		await kill_often(share(0.15), args, {
			reset: () => backups().forEach((n) =>
			    fs.rmSync(path.join(folder, n))),
			check: async (is_done) => {
				assert.ok(!is_done || backups().length === 1);
				for (const n of backups())
					await ok(["backup", "verify",
					    path.join(folder, n)]);
			},
			afterwards: async () => {
				await ok(args());
				assert_tidy([folder, named]);
			},
		});
	});
	it("a restore leaves the old database or the one of the backup",
	    async () => {
		const folder = path.join(dir, "backups");
		put_back(path.join(dir, "large.db"));
		for (const n of fs.readdirSync(folder))
			fs.rmSync(path.join(folder, n));
		await ok(["backup", "create", "-d", folder]);
		const file = path.join(folder, fs.readdirSync(folder)
			.find((n) => n.endsWith(".zst")));
		const args = () => ["backup", "restore", file, "--yes"];

		await kill_often(share(0.15), args, {
			reset: put_back,
			check: async (is_done) => {
				const now = await which(2, 24 + MESSAGES);
				assert.ok(!is_done || now === "new");
			},
			afterwards: async () => {
				await ok(args());
				assert.equal(await which(2, 24 + MESSAGES), "new");
				assert_tidy();
			},
		});
	});
	it("a drill leaves no clear text", async () => {
		const folder = path.join(dir, "backups");
		const args = () => ["backup", "drill", "--latest", "-d", folder];

		put_back(path.join(dir, "large.db"));
		await kill_often(share(0.05), args, {
			reset: () => {},
			check: async () => {},
			// Whichever run comes next: a drill, or another backup.
			afterwards: async () => {
				await ok(random() < 0.5 ? args() : ["backup", "create",
				    "-d", folder, "--verify", "quick", "--prune",
				    "--keep-last", "2"]);
				assert_tidy([folder, /^[^.].*\.zst$|\.lock$/]);
			},
		});
	});
	it("a migration leaves the old schema or the new one, and every row",
	    async () => {
		const first = path.join(dir, "first.db");
		const sql = fs.readFileSync(new URL("../../libln/store/migrations/" +
		    "0001_initial.sql", import.meta.url), "utf8");
		const [id] = await house.sql("PRAGMA application_id", pristine);

		await sqlite(first, `BEGIN; ${sql}
		    PRAGMA application_id = ${id.application_id};
		    PRAGMA user_version = 1;
		    INSERT INTO user (id, username, username_key, role,
		    password_hash, created_ms) VALUES ('a', 'root', 'root',
		    'admin', '$argon2id$', 1);
		    INSERT INTO conversation (id, user_id, title, created_ms,
		    updated_ms) VALUES ('c', 'a', 'kept', 1, 1);
		    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
		    WHERE i < ${MESSAGES}) INSERT INTO message (conversation_id,
		    role, content, created_ms) SELECT 'c', 'user', 'number ' || i,
		    1 FROM n; INSERT INTO message_fts(rowid, content) SELECT id,
		    content FROM message; DELETE FROM search_queue; COMMIT;
		    PRAGMA journal_mode = WAL;`);
		// The first command that writes brings it up to date.
		const args = () => ["user", "unblock", "root"];

		await kill_often(share(0.1), args, {
			reset: () => put_back(first),
			recover: () => ok(args()),
			check: async () => {
				assert.equal(await which(MESSAGES, MESSAGES), "new");
			},
			afterwards: async () => assert_tidy(),
		});
	});
	it("an answer in the terminal keeps the question and what came",
	    async () => {
		put_back();
		for (let i = 0; i < share(0.075); i++) {
			const r = await lnctl(["ask", "--user", "ann", "-m", "slow",
			    `question ${i}`], 200 + random() * 1200,
			    { from_output: true });

			assert.equal(r.code, "SIGKILL", r.err);
			await assert_whole();
			assert.equal(await number("SELECT count(*) FROM message WHERE " +
			    `role = 'user' AND content = 'question ${i}'`), 1);
			const [answer] = await house.sql("SELECT content FROM message " +
			    "WHERE role = 'assistant' ORDER BY id DESC LIMIT 1");
			const both = Math.min(answer.content.length, r.out.length);
			assert.equal(answer.content.slice(0, both),
			    r.out.slice(0, both));
			assert.ok(r.out.length - answer.content.length <= LOSS_BYTES);
			await ok(["history", "list", "--user", "ann"]);
			assert_tidy();
		}
	});
	it("a server loses no message that it said was saved", async () => {
		put_back();
		for (let i = 0; i < share(0.075); i++) {
			await house.start();
			const ann = await house.login("ann");
			const ws = await ann.ws();
			const saved = [];

			for (let n = 0; n < 3; n++)
				ws.send({ type: "user_message", model: "slow",
				    prompt: `said ${i}.${n}`, temp_id: `${n}` });
			await ws.next("message_saved");
			await ws.next("stream_chunk");
			await new Promise((t) => setTimeout(t, random() * 1000));
			house.kill();
			await house.ended;
			for (const c of house.clients.splice(0))
				c.close();
			for (const e of ws.events)
				if (e.type === "message_saved")
					saved.push(`said ${i}.${e.temp_id}`);
			await assert_whole();
			for (const text of saved)
				assert.equal(await number("SELECT count(*) FROM message " +
				    `WHERE content = '${text}'`), 1, text);
			const heard = new Map();
			for (const e of ws.events)
				if (e.type === "stream_chunk")
					heard.set(e.session_id, (heard.get(e.session_id) ??
					    "") + e.chunk);
			for (const [id, text] of heard) {
				const kept = (await house.sql("SELECT content FROM " +
				    "message WHERE role = 'assistant' AND " +
				    `conversation_id = '${id}'`))[0].content;
				const both = Math.min(kept.length, text.length);

				assert.equal(kept.slice(0, both), text.slice(0, both));
				assert.ok(text.length - kept.length <= LOSS_BYTES);
			}
		}
		await house.start();
		await until(async () => await number("SELECT count(*) FROM message " +
		    "WHERE state = 'streaming'") === 0, "the marks of dead answers",
		    90000);
		await house.stop();
	});
});
