// What every fake provider does: scripted models, a record of everything that
// was asked, control from outside, and answers that go wrong as told.
// Loopback only.  A dialect is a subclass (see ollama.mjs) with
//
//   routes                   { "POST /path": (fake, body, res, record) => ... }
//   refuse(res, status, error, headers)
//                            an error in the dialect's words
//   full_name(name)          the key of a model (the default: as it is)
//   key_of(headers)          what a client showed as its key; with the option
//                            `key` any other one is refused with 401
//
// Each is used as a module:
//
//   const fake = await start();      // { url, port, behave, requests, ... }
//   await fake.stop();
//
// or as a process: `node FILE [--port N] [--key K]` prints "listening PORT"
// and runs until SIGTERM.  Control from outside:
//   PUT    /_fake/models/NAME   a behaviour (behaviours.mjs)
//   DELETE /_fake/models/NAME
//   GET    /_fake/requests      what was asked so far
//   DELETE /_fake/requests

import { setTimeout as delay } from "node:timers/promises";
import { once } from "node:events";
import http from "node:http";
import { pathToFileURL } from "node:url";
import { DEFAULT, MODELS, pieces } from "./behaviours.mjs";

const BODY_MAX = 64 * 1024 * 1024;
const HUGE_LINE = 10 * 1024 * 1024;

const turn = () => new Promise((done) => setImmediate(done));
export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

export const BASE64 =
    /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

// The fields of a form; of a file its name, type and bytes.
async function form_of(req, bytes) {
	const form = await new Response(bytes, { headers:
	    { "content-type": req.headers["content-type"] } }).formData();
	const body = {};

	for (const [name, value] of form)
		body[name] = typeof value === "string" ? value : { name: value.name,
		    type: value.type, bytes: Buffer.from(await value.arrayBuffer()) };
	return body;
}

export class Fake {
	constructor({ key = null, models = MODELS } = {}) {
		this.key = key;
		this.models = new Map(Object.entries(models)
		    .map(([name, b]) => [this.full_name(name), b]));
		this.requests = [];
		this.sockets = new Set();
		this.server = http.createServer((req, res) => {
			this.serve(req, res).catch((e) => {
				if (!res.headersSent)
					this.refuse(res, 500, String(e.message));
				else
					res.destroy();
			});
		});
		this.server.on("connection", (s) => {
			this.sockets.add(s);
			s.on("close", () => this.sockets.delete(s));
		});
	}

	async listen(port = 0) {
		await new Promise((done, fail) => {
			this.server.once("error", fail);
			this.server.listen(port, "127.0.0.1", done);
		});
		this.port = this.server.address().port;
		this.url = `http://127.0.0.1:${this.port}`;
		return this;
	}

	async stop() {
		for (const s of this.sockets)
			s.destroy();
		await new Promise((done) => this.server.close(done));
	}

	full_name(name) {
		return name;
	}

	key_of() {
		return null;
	}

	// Script a model, known or new.
	behave(name, behaviour) {
		this.models.set(this.full_name(name), behaviour);
	}

	forget(name) {
		return this.models.delete(this.full_name(name));
	}

	behaviour(name) {
		const own = this.models.get(this.full_name(name));
		return own && { ...DEFAULT, ...own };
	}

	// The requests of one path, in order.
	asked(path) {
		return this.requests.filter((r) => r.path === path);
	}

	// Wait until check(requests) is true.
	async until(check, timeout_ms = 60000) {
		const end = Date.now() + timeout_ms;
		while (!check(this.requests)) {
			if (Date.now() > end)
				throw new Error("the fake waited in vain: " +
				    JSON.stringify(this.requests));
			await sleep(10);
		}
	}

	// --- serving ------------------------------------------------------

	async serve(req, res) {
		const url = new URL(req.url, this.url);
		const chunks = [];
		let size = 0;

		for await (const c of req) {
			size += c.length;
			if (size > BODY_MAX)
				return this.refuse(res, 413, "http: request body too large");
			chunks.push(c);
		}
		let body = null;
		try {
			if (/^multipart\//.test(req.headers["content-type"] ?? ""))
				body = await form_of(req, Buffer.concat(chunks));
			else if (size > 0)
				body = JSON.parse(Buffer.concat(chunks).toString("utf8"));
		} catch (e) {
			return this.refuse(res, 400, e.message);
		}
		if (url.pathname.startsWith("/_fake/"))
			return this.control(req.method, url, body, res);

		const record = {
			method: req.method,
			path: url.pathname,
			query: url.search,
			headers: req.headers,
			body,
			tokens: 0,
			closed: null,	// "whole", "by client" or "by fake"
		};
		this.requests.push(record);
		res.on("close", () => {
			record.closed = res.writableFinished ? "whole" :
			    res.cut_by_us ? "by fake" : "by client";
			record.closed_ms = Date.now();
		});
		if (this.key !== null && this.key_of(req.headers) !== this.key)
			return this.refuse(res, 401, "invalid API key");
		const route = this.route(req.method, url.pathname);
		if (route === undefined)
			return this.lost(res);
		return route(this, body ?? {}, res, record);
	}

	route(method, path) {
		return this.routes[`${method} ${path}`];
	}

	// No such path.
	lost(res) {
		res.writeHead(404, { "content-type": "text/plain" });
		return res.end("404 page not found");
	}

	control(method, url, body, res) {
		const model = url.pathname.match(/^\/_fake\/models\/(.+)$/);

		if (model && method === "PUT")
			this.behave(decodeURIComponent(model[1]), body ?? {});
		else if (model && method === "DELETE")
			this.forget(decodeURIComponent(model[1]));
		else if (url.pathname === "/_fake/requests" && method === "DELETE")
			this.requests.length = 0;
		else if (url.pathname !== "/_fake/requests" || method !== "GET")
			return this.refuse(res, 404, "no such control");
		return this.reply(res, this.requests);
	}

	// How this provider's encoder writes JSON.
	json(value) {
		return JSON.stringify(value);
	}

	reply(res, value, status = 200, headers = {}) {
		res.writeHead(status, {
			"content-type": "application/json; charset=utf-8",
			...headers,
		});
		res.end(this.json(value));
	}

	// The behaviour of the model, unless the request is refused for it.
	pick(name, res) {
		const b = this.behaviour(name);

		if (b === undefined) {
			this.no_model(res, name);
			return null;
		}
		if (b.status !== null) {
			this.refuse(res, b.status, b.error, b.retry_after === null ?
			    {} : { "retry-after": String(b.retry_after) });
			return null;
		}
		return b;
	}

	no_model(res, name) {
		this.refuse(res, 404, `model '${name}' not found`);
	}

	// Whether the model calls its tools now: it was given some, and has not
	// got their results yet.
	calls_tools(b, is_offered, has_result) {
		return b.tool_calls !== null && is_offered &&
		    (b.endless_calls || !has_result);
	}

	// Send an answer as the behaviour says.  The dialect's part:
	//   streams       false: one JSON value, `whole`
	//   type          content type of a stream
	//   head          frames (strings) before the text
	//   piece(text)   the frame of a piece of text
	//   bad           a frame that breaks the dialect
	//   error(text)   the frame of an error in the middle
	//   tail()        frames behind the text
	async answer(res, record, b, text, as) {
		const tokens = pieces(text);
		const end = b.endless ? Infinity : tokens.length;
		const write = async (bytes) => {
			if (!res.destroyed && !res.write(bytes))
				await drained(res);
		};
		const send = async (frame) => {
			if (!b.bytewise)
				return write(frame);
			for (const byte of Buffer.from(frame)) {
				await write(Buffer.of(byte));
				await turn();
			}
		};

		await delay(b.first_ms, undefined, { ref: false });
		if (as.streams) {
			res.writeHead(200, { "content-type": as.type });
			res.flushHeaders();
			for (const frame of as.head)
				await send(frame);
		}
		for (let i = 0; i <= end; i++) {
			if (res.destroyed)
				return;
			if (i === b.stall_after)
				return;
			if (i === b.cut_after) {
				await sleep(20);
				res.cut_by_us = true;
				res.socket.resetAndDestroy();
				return;
			}
			if (i === b.end_after) {
				res.end();
				return;
			}
			if (i === b.bad_line_after)
				await send(as.bad);
			if (i === b.long_line_after)
				await write(as.piece("x".repeat(HUGE_LINE)));
			if (i === b.bad_utf8_after)
				await send_broken(write, as.piece("\u{1F980}"));
			if (i === b.error_after) {
				if (!as.streams) {
					this.refuse(res, 500, b.error);
					return;
				}
				await sleep(20);	// a packet of its own
				await send(as.error(b.error));
				res.end();
				return;
			}
			if (i === end)
				break;
			if (b.delay_ms > 0)
				await sleep(b.delay_ms);
			if (as.streams && !res.destroyed)
				await send(as.piece(tokens[i % tokens.length]));
			record.tokens++;
			if (b.endless && i % 64 === 0)
				await turn();
		}
		if (!as.streams) {
			this.reply(res, as.whole());
			return;
		}
		for (const frame of as.tail())
			await send(frame);
		res.end();
	}
}

// Its buffer is empty, or nobody reads any more.
async function drained(res) {
	const over = new AbortController();

	await Promise.race(["drain", "close"].map((event) =>
		once(res, event, over))).finally(() => over.abort());
}

// The crab of ${frame} without its last byte, in two packets.
async function send_broken(write, frame) {
	const bytes = Buffer.from(frame);
	const at = bytes.indexOf(Buffer.from("\u{1F980}"));

	await write(bytes.subarray(0, at + 2));
	await sleep(5);
	await write(Buffer.concat([bytes.subarray(at + 2, at + 3),
	    bytes.subarray(at + 4)]));
}

// Run ${Dialect} when its file was given to node.
export async function run_as_process(file_url, Dialect) {
	if (file_url !== pathToFileURL(process.argv[1] ?? "").href)
		return;
	const option = (name) => {
		const at = process.argv.indexOf(name);
		return at > 0 ? process.argv[at + 1] : null;
	};
	const fake = await new Dialect({ key: option("--key") })
	    .listen(Number(option("--port") ?? 0));
	console.log(`listening ${fake.port}`);
	for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"])
		process.on(signal, () => process.exit(0));
}
