// Whether time tells what answers do not: `make check-timing`.
//
// Known and unknown user, free and taken name, known and unknown e-mail, asked
// in turns, COUNT times each (200, or the first argument), at the full price of
// a password hash.  Prints a table; ends with 1 when two medians are more than
// a tenth apart.  Not part of `make check`: a busy machine has a right to be
// slow.  There tests/unit/service/test_same_work.c counts the work instead.

import { performance } from "node:perf_hooks";
import { startServer } from "../server/harness.mjs";

const COUNT = Number(process.argv[2] ?? 200);
const TOLERANCE = 0.1;
// After 10 failures on one name the next try is slow on purpose.
const TRIES_PER_NAME = 8;
const NAMES = Math.ceil(COUNT / TRIES_PER_NAME);

const users = Array.from({ length: NAMES },
    (_, i) => ({ username: `known${i}`, email: `known${i}@example.test` }));
const server = await startServer({
	users,
	workers: 2,
	env: {
		LOCALNEURAL_PWHASH: "",
		// Mail is set up, so that it is asked for; nobody takes it.
		LOCALNEURAL_SMTP_URL: "smtp://127.0.0.1:9",
		LOCALNEURAL_MAIL_FROM: "server@example.test",
		LOCALNEURAL_PUBLIC_URL: "https://localhost",
	},
});

const name_of = (kind, i) => `${kind}${i % NAMES}`;

// Each asks once and says which status it wants.
const pairs = [
	["login", 401, {
		"known user": (c, i) =>
			c.login(name_of("known", i), "Wrong-password-1"),
		"unknown user": (c, i) =>
			c.login(name_of("nobody", i), "Wrong-password-1"),
	}],
	["register", 200, {
		"taken name": (c, i) => c.post("/api/auth/register", {
			username: name_of("known", i), password: "Some-Password-1",
		}),
		"free name": (c, i) => c.post("/api/auth/register", {
			username: `free${i}`, password: "Some-Password-1",
		}),
	}],
	["forgot", 404, {
		"known e-mail": (c, i) => c.post("/api/auth/forgot-password",
		    { email: `${name_of("known", i)}@example.test` }),
		"unknown e-mail": (c, i) => c.post("/api/auth/forgot-password",
		    { email: `${name_of("nobody", i)}@example.test` }),
	}],
];

// From an address of its own each time: limits are another test's business.
async function measure(ask, i, status) {
	const client = server.client();
	const from = performance.now();
	const r = await ask(client, i);
	const ms = performance.now() - from;

	if (r.status !== status)
		throw new Error(`${r.status} instead of ${status}: ${r.text}`);
	return ms;
}

function quantile(sorted, q) {
	return sorted[Math.min(sorted.length - 1,
	    Math.floor(q * sorted.length))];
}

let is_apart = false;
console.log("what      who              count    p10    median    p90  ms");
for (const [what, status, kinds] of pairs) {
	const names = Object.keys(kinds);
	const times = Object.fromEntries(names.map((n) => [n, []]));

	for (let i = 0; i < COUNT; i++) {
		// Who comes first takes turns as well.
		for (const n of i % 2 === 0 ? names : [...names].reverse())
			times[n].push(await measure(kinds[n], i, status));
	}
	const medians = names.map((n) => {
		const t = times[n].sort((a, b) => a - b);
		console.log(what.padEnd(9), n.padEnd(15),
		    ...[String(t.length).padStart(6),
		        ...[0.1, 0.5, 0.9].map((q) =>
		            quantile(t, q).toFixed(1).padStart(7))]);
		return quantile(t, 0.5);
	});
	const apart = Math.abs(medians[0] - medians[1]) / Math.max(...medians);
	console.log(`${what.padEnd(9)} medians ${(apart * 100).toFixed(1)}% ` +
	    `apart: ${apart <= TOLERANCE ? "ok" : "too far"}`);
	is_apart ||= apart > TOLERANCE;
}
await server.stop();
process.exitCode = is_apart ? 1 : 0;
