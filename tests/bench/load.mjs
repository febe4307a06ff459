// Many answers at once through a real server, for tests/bench/streams.mjs and
// tests/server/load.test.mjs: does each arrive whole and in order, and what
// does it cost?  Provider, server and clients share the machine; nothing
// leaves it.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { performance } from "node:perf_hooks";
import { BIN, sleep, startServer, until } from "../server/harness.mjs";

const TICK_MS = 10;		// of the kernel's count of processor time
const PAGE = 4096;

// The processes of ${group}: { rss, cpu_ms } of all together.
function usage(group) {
	const sum = { rss: 0, cpu_ms: 0 };

	for (const pid of fs.readdirSync("/proc").filter((n) => /^\d+$/.test(n))) {
		try {
			const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
			// Behind the name, which may hold anything.
			const f = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
			if (Number(f[2]) !== group)
				continue;
			sum.cpu_ms += (Number(f[11]) + Number(f[12])) * TICK_MS;
			const [, resident, shared] = fs.readFileSync(
			    `/proc/${pid}/statm`, "utf8").split(" ");
			sum.rss += (Number(resident) - Number(shared)) * PAGE;
		} catch {
			// it has ended
		}
	}
	return sum;
}

async function start_provider() {
	const child = spawn(process.execPath,
	    [new URL("../fake/ollama.mjs", import.meta.url).pathname],
	    { stdio: ["ignore", "pipe", "inherit"], detached: true });
	const [line] = await once(child.stdout, "data");
	const url = `http://127.0.0.1:${String(line).match(/\d+/)[0]}`;

	return {
		pid: child.pid,
		url,
		behave: (model, behaviour) => fetch(`${url}/_fake/models/${model}`,
		    { method: "PUT", body: JSON.stringify(behaviour) }),
		async stop() {
			child.kill("SIGTERM");
			await once(child, "exit");
		},
	};
}

// A person with one socket and several conversations at once.
class Person {
	constructor(client) {
		this.client = client;
		this.streams = new Map();	// by temp_id, then by session_id too
	}

	async open() {
		this.ws = await this.client.ws();
		// Read here, not kept: half a million events would be.
		this.ws.raw.removeAllListeners("message");
		this.ws.raw.on("message", (data) => this.hear(JSON.parse(data)));
	}

	ask(id, model) {
		const stream = {
			asked: performance.now(), first: null, ended: null,
			length: 0, text: "", wrong: null, reason: null,
		};

		this.streams.set(id, stream);
		this.ws.send({ type: "user_message", prompt: `Question ${id}`,
		    temp_id: id, model });
		return new Promise((done) => {
			stream.done = () => done(stream);
		});
	}

	hear(e) {
		if (e.type === "message_saved")
			this.streams.set(e.session_id, this.streams.get(e.temp_id));
		const stream = this.streams.get(e.session_id ?? e.temp_id);
		if (stream === undefined)
			return;
		if (e.type === "stream_chunk") {
			stream.first ??= performance.now();
			if (e.from !== stream.length)
				stream.wrong ??= `a piece from ${e.from} at ${stream.length}`;
			stream.length = e.seq;
			stream.text += e.chunk;
		} else if (e.type === "error") {
			stream.wrong ??= e.error;
			stream.done();
		} else if (e.type === "stream_done") {
			stream.ended = performance.now();
			stream.reason = e.finish_reason;
			stream.session_id = e.session_id;
			stream.done();
		}
	}
}

const quantile = (sorted, q) =>
	sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];

function spread(values) {
	const sorted = [...values].sort((a, b) => a - b);
	return Object.fromEntries([["p50", 0.5], ["p95", 0.95], ["max", 1]]
	    .map(([name, q]) => [name, Math.round(quantile(sorted, q))]));
}

// The most that were being written at the same moment.
function at_once(all) {
	let n = 0, most = 0;

	for (const [, step] of all.flatMap((s) => [[s.first, 1], [s.ended, -1]])
	    .sort((a, b) => a[0] - b[0])) {
		n += step;
		most = Math.max(most, n);
	}
	return most;
}

// ${streams} answers of ${tokens} words, one every ${delay_ms}, all at once,
// asked by people with ${each} conversations.  What was measured.
export async function load({ streams, tokens, delay_ms, each,
    patience_ms = 120000 }) {
	const provider = await start_provider();
	const server = await startServer({
		users: Array.from({ length: Math.ceil(streams / each) },
		    (_, i) => ({ username: `person${i}` })),
		workers: 2,
	});

	try {
		await server.lnctl_ok(["provider", "set", "ollama", "--global",
		    "--base-url", provider.url, "-m", "load", "--json"]);
		await provider.behave("load", { text: null, tokens, delay_ms });
		await provider.behave("warm", { text: null, tokens: 3 });
		const people = [];
		for (const username of Object.keys(server.passwords)) {
			if (!username.startsWith("person"))
				continue;
			const p = new Person(await server.login(username));
			await p.open();
			people.push(p);
		}
		// Caches are filled and libraries loaded before the level is taken.
		await Promise.all(people.slice(0, 16).map((p) => p.ask("warm", "warm")));
		await sleep(500);

		const group = server.child.pid;
		const idle = usage(group);
		const before = { provider: usage(provider.pid), self: process.cpuUsage() };
		let peak = 0;
		const timer = setInterval(() => {
			peak = Math.max(peak, usage(group).rss);
		}, 250);
		const from = performance.now();
		const limit = setTimeout(() => {
			for (const p of people)
				for (const s of p.streams.values())
					s.done();
		}, patience_ms);
		const all = await Promise.all(Array.from({ length: streams },
		    (_, i) => people[i % people.length].ask(`t${i}`, "load")));
		const took = performance.now() - from;
		clearTimeout(limit);
		clearInterval(timer);
		const busy = usage(group);
		const self = process.cpuUsage(before.self);

		const want = Array.from({ length: tokens }, (_, i) =>
			`word${i + 1}`).join(" ");
		const failed = all.filter((s) => s.wrong !== null ||
		    s.reason !== "stop" || s.text !== want || s.length !== want.length);
		const [{ saved }] = await server.sql("SELECT count(*) AS saved FROM " +
		    "message WHERE role = 'assistant' AND state = 'complete' AND " +
		    `content = '${want}'`);
		// The allocator gives back what is free; a socket's queue is gone.
		const rest = await until(() => {
			const { rss } = usage(group);
			return rss <= Math.max(idle.rss * 1.5, idle.rss + 16e6) ? rss : null;
		}, "memory to return to the idle level", 15000).catch(() =>
			usage(group).rss);
		return {
			streams, tokens, delay_ms,
			took_ms: Math.round(took),
			ideal_ms: tokens * delay_ms,
			failed: failed.length,
			first_failure: failed[0]?.wrong ?? failed[0]?.reason ?? null,
			saved,
			at_once: at_once(all),
			first_piece_ms: spread(all.map((s) => s.first - s.asked)),
			end_ms: spread(all.map((s) => s.ended - s.asked)),
			rss_mb: Object.fromEntries(Object.entries({ idle: idle.rss, peak,
			    after: rest }).map(([k, v]) => [k, Math.round(v / 1e5) / 10])),
			cpu_ms: {
				server: busy.cpu_ms - idle.cpu_ms,
				provider: usage(provider.pid).cpu_ms - before.provider.cpu_ms,
				clients: Math.round((self.user + self.system) / 1000),
			},
		};
	} finally {
		await server.stop().finally(() => provider.stop());
	}
}

// What any run of it has to hold.
export function judge(r) {
	assert.equal(r.failed, 0, `${r.failed} answers: ${r.first_failure}`);
	assert.equal(r.saved, r.streams);
	// The sanitizer keeps what was freed, to see whether it is used.
	if (path.basename(BIN) === "asan")
		return;
	assert.ok(r.rss_mb.peak < r.rss_mb.idle + 64 + r.streams * 0.5,
	    `memory: ${JSON.stringify(r.rss_mb)}`);
	assert.ok(r.rss_mb.after <= Math.max(r.rss_mb.idle * 1.5,
	    r.rss_mb.idle + 16), `memory: ${JSON.stringify(r.rss_mb)}`);
}
