// What a browser does, without its forgiveness: cookies, headers, WebSockets,
// event streams.  Every header can be replaced or left out (null).

import { Buffer } from "node:buffer";
import http from "node:http";
import https from "node:https";
import WebSocket from "ws";

const WAIT_MS = 60000;

// Every client comes from an address of its own (all of 127.0.0.0/8 is
// loopback), as people do: they do not share a rate limit.
let addresses = 0;
function next_address() {
	const n = ++addresses;
	return `127.1.${n >> 8 & 255}.${n & 255}`;
}

export class Client {
	constructor(server, address = next_address()) {
		this.server = server;
		this.address = address;
		this.cookies = new Map();
		this.sockets = [];
	}

	close() {
		for (const s of this.sockets)
			s.terminate();
		this.sockets = [];
	}

	cookie_header() {
		return [...this.cookies].map(([k, v]) => `${k}=${v}`).join("; ");
	}

	keep_cookies(lines) {
		for (const line of lines ?? []) {
			const [pair, ...attributes] = line.split(/; */);
			const at = pair.indexOf("=");
			const name = pair.slice(0, at);
			const is_dead = attributes.some((a) => /^max-age=(0|-\d+)$/i.test(a));
			if (is_dead)
				this.cookies.delete(name);
			else
				this.cookies.set(name, pair.slice(at + 1));
		}
	}

	transport() {
		const { scheme, port, ca } = this.server;
		return {
			lib: scheme === "https" ? https : http,
			options: {
				host: "127.0.0.1",
				port,
				localAddress: this.address,
				agent: false,
				...(ca && { ca, servername: "localhost" }),
			},
		};
	}

	// Open a request; the answer's head.  body: Buffer, string or nothing;
	// tls: options for the connection; signal: cuts it off.
	open(method, path, { headers = {}, json, body, tls, signal } = {}) {
		const { lib, options } = this.transport();
		const all = { host: this.server.host };

		if (json !== undefined) {
			all["content-type"] = "application/json";
			body = JSON.stringify(json);
		}
		if (method !== "GET" && method !== "HEAD")
			all["x-requested-with"] = "XMLHttpRequest";
		if (this.cookies.size > 0)
			all.cookie = this.cookie_header();
		for (const [name, value] of Object.entries(headers)) {
			if (value === null)
				delete all[name.toLowerCase()];
			else
				all[name.toLowerCase()] = value;
		}
		if (body !== undefined)
			all["content-length"] ??= Buffer.byteLength(body);
		return new Promise((done, fail) => {
			const req = lib.request({
				...options, ...tls, method, path, headers: all,
				setHost: false, signal,
			}, (res) => {
				this.keep_cookies(res.headers["set-cookie"]);
				done(res);
			});
			req.setTimeout(WAIT_MS * 2, () =>
				req.destroy(new Error(`${method} ${path}: no answer`)));
			req.on("error", fail);
			req.end(body);
		});
	}

	// { status, headers, raw_headers, bytes, text, json }
	async request(method, path, opts) {
		const res = await this.open(method, path, opts);
		const chunks = [];
		for await (const c of res)
			chunks.push(c);
		const bytes = Buffer.concat(chunks);
		const text = bytes.toString("utf8");
		let json;
		try {
			json = JSON.parse(text);
		} catch {
			json = undefined;
		}
		return { status: res.statusCode, headers: res.headers,
		    raw_headers: res.rawHeaders, bytes, text, json };
	}

	get(path, opts) {
		return this.request("GET", path, opts);
	}

	post(path, json, opts) {
		return this.request("POST", path, { json, ...opts });
	}

	put(path, json, opts) {
		return this.request("PUT", path, { json, ...opts });
	}

	delete(path, json, opts) {
		return this.request("DELETE", path, { json, ...opts });
	}

	login(username, password) {
		return this.post("/api/auth/login", { username, password });
	}

	// The events of POST /api/chat/stream.
	async *stream(path, json, opts) {
		const res = await this.open("POST", path, { json, ...opts });
		let text = "";

		if (res.statusCode !== 200) {
			for await (const c of res)
				text += c;
			throw Object.assign(new Error(`${res.statusCode}: ${text}`),
			    { status: res.statusCode, text });
		}
		const decoder = new TextDecoder("utf-8", { fatal: true });
		for await (const c of res) {
			text += decoder.decode(c, { stream: true });
			for (;;) {
				const end = text.search(/\r?\n\r?\n/);
				if (end < 0)
					break;
				const block = text.slice(0, end);
				text = text.slice(end).replace(/^\r?\n\r?\n/, "");
				const data = block.split(/\r?\n/)
				    .filter((l) => l.startsWith("data:"))
				    .map((l) => l.slice(5).replace(/^ /, "")).join("\n");
				if (data !== "")
					yield JSON.parse(data);
			}
		}
	}

	// The /ws/chat of this user.  Rejects with { status, text } when the
	// upgrade is refused.
	ws({ path = "/ws/chat", origin = this.server.url, headers = {} } = {}) {
		const { scheme, host, port, ca } = this.server;
		const all = { host, ...headers };

		if (this.cookies.size > 0)
			all.cookie ??= this.cookie_header();
		const socket = new Socket(new WebSocket(
		    `${scheme === "https" ? "wss" : "ws"}://127.0.0.1:${port}${path}`,
		    {
			    ca, servername: "localhost", headers: all,
			    localAddress: this.address,
			    ...(origin !== null && { origin }),
			    perMessageDeflate: false,
		    }));
		this.sockets.push(socket);
		return socket.opened.then(() => socket);
	}
}

// A WebSocket whose events can be waited for one after the other.
export class Socket {
	constructor(raw) {
		this.raw = raw;
		this.events = [];	// everything that came
		this.read = 0;		// events before this one were looked at
		this.wake = new Set();
		this.closed_with = null;
		this.opened = new Promise((done, fail) => {
			raw.on("open", done);
			raw.on("error", fail);
			raw.on("unexpected-response", (_req, res) => {
				let text = "";
				res.on("data", (d) => text += d);
				res.on("end", () => fail(Object.assign(
				    new Error(`upgrade refused: ${res.statusCode} ${text}`),
				    { status: res.statusCode, text })));
			});
		});
		raw.on("message", (data, is_binary) => {
			this.events.push(is_binary ? { type: "(binary)", data } :
			    JSON.parse(data.toString("utf8")));
			this.stir();
		});
		this.closed = new Promise((done) => raw.on("close", (code, reason) => {
			this.closed_with = { code, reason: reason.toString("utf8") };
			this.stir();
			done(this.closed_with);
		}));
	}

	stir() {
		for (const f of this.wake)
			f();
	}

	send(event) {
		this.raw.send(typeof event === "string" ? event : JSON.stringify(event));
	}

	close() {
		this.raw.close();
		return this.closed;
	}

	terminate() {
		this.raw.on("error", () => {});
		this.raw.terminate();
	}

	// The next event of that type (or that the function accepts); those
	// before it are passed over.
	async next(what, timeout_ms = WAIT_MS) {
		const fits = typeof what === "function" ? what :
		    (e) => what === undefined || e.type === what;
		const end = Date.now() + timeout_ms;

		for (;;) {
			while (this.read < this.events.length) {
				const e = this.events[this.read++];
				if (fits(e))
					return e;
			}
			if (this.closed_with !== null)
				throw new Error(`closed (${this.closed_with.code}) before ` +
				    `${what}; came: ${JSON.stringify(this.events)}`);
			const left = end - Date.now();
			if (left <= 0)
				throw new Error(`no ${what} in ${timeout_ms} ms; came: ` +
				    JSON.stringify(this.events.slice(-20)));
			await new Promise((done) => {
				const timer = setTimeout(step, left);
				const set = this.wake;
				function step() {
					clearTimeout(timer);
					set.delete(step);
					done();
				}
				set.add(step);
			});
		}
	}

	// All events up to and including that one.
	async collect(what, timeout_ms) {
		const from = this.read;
		await this.next(what, timeout_ms);
		return this.events.slice(from, this.read);
	}

	async *[Symbol.asyncIterator]() {
		for (;;) {
			if (this.closed_with !== null && this.read >= this.events.length)
				return;
			yield await this.next();
		}
	}
}

// The text that chunk events carry.
export function text_of(events) {
	return events.filter((e) => e.type === "stream_chunk")
	    .map((e) => e.chunk).join("");
}
