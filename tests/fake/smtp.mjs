// The mail server of smtp.py, from a test.
//
//   const smtp = await startSmtp({ mode: "starttls", cert, key });
//   smtp.port;
//   const mail = await smtp.next();		// see read_mail() there
//   await smtp.close();

import { spawn } from "node:child_process";

const SCRIPT = new URL("smtp.py", import.meta.url).pathname;
// Debian's own: the one that its package of aiosmtpd is for.
const PYTHON = "/usr/bin/python3";
const WAIT_MS = 30000;

const running = new Set();
process.on("exit", () => {
	for (const child of running)
		child.kill("SIGKILL");
});

export async function startSmtp(opts = {}) {
	const args = Object.entries(opts).flatMap(([k, v]) => [`--${k}`, String(v)]);
	const child = spawn(PYTHON, ["-I", "-W", "ignore", SCRIPT, ...args],
	    { stdio: ["pipe", "pipe", "inherit"] });
	const smtp = { port: 0, mails: [], events: [] };
	let rest = "", wake = () => {};

	running.add(child);
	const ended = new Promise((done) => child.on("close", () => {
		running.delete(child);
		wake();
		done();
	}));
	child.stdout.setEncoding("utf8");
	child.stdout.on("data", (d) => {
		const lines = (rest + d).split("\n");
		rest = lines.pop();
		for (const line of lines.map((l) => JSON.parse(l))) {
			if (line.ready !== undefined)
				smtp.port = line.ready;
			else if (line.mail !== undefined)
				smtp.mails.push(line.mail);
			else
				smtp.events.push(line.line ?? line.event);
		}
		wake();
	});
	const until = async (check, what) => {
		const end = Date.now() + WAIT_MS;
		while (!check()) {
			if (Date.now() > end || !running.has(child))
				throw new Error(`the mail server saw no ${what}: ` +
				    JSON.stringify(smtp.events));
			await new Promise((done) => {
				wake = done;
				setTimeout(done, 200);
			});
		}
	};
	// Take the oldest mail that has come, or wait for one.
	smtp.next = async () => {
		await until(() => smtp.mails.length > 0, "mail");
		return smtp.mails.shift();
	};
	smtp.saw = (event) => until(() => smtp.events.includes(event), event);
	smtp.close = async () => {
		child.stdin.end();
		const limit = setTimeout(() => child.kill("SIGKILL"), 30000);
		await ended;
		clearTimeout(limit);
	};
	await until(() => smtp.port !== 0, "ready line");
	return smtp;
}
