// A fake of the web outside: a SearXNG and an endpoint of somebody's tool,
// with a record of what was asked.  Loopback only.
//
//   const web = await start();
//   web.results = [{ title, url, content }];	// of the next searches
//   web.pages[path] = { status, type, location, body };
//   web.requests		// [{ method, url, headers, body }]
//   await web.stop();
//
// Paths: /search (SearXNG), /echo... (what was asked, as JSON), /redirect,
// /status/NNN, /binary, /huge (2 MiB), /silence (never answers; `closed`
// counts who gave up).

import { once } from "node:events";
import http from "node:http";

const BODY_MAX = 1024 * 1024;
const HUGE = 2 * 1024 * 1024;

class Web {
	constructor() {
		this.results = [];
		this.pages = {};
		this.requests = [];
		this.closed = 0;
		this.server = http.createServer((req, res) => {
			this.serve(req, res).catch(() => res.destroy());
		});
	}

	async serve(req, res) {
		const chunks = [];
		let size = 0;

		for await (const chunk of req) {
			size += chunk.length;
			if (size > BODY_MAX)
				throw new Error("too much");
			chunks.push(chunk);
		}
		const asked = { method: req.method, url: req.url,
		    headers: req.headers, body: Buffer.concat(chunks).toString() };
		this.requests.push(asked);
		this.answer(asked, res);
	}

	answer(asked, res) {
		const json = (status, value, headers = {}) => {
			res.writeHead(status, { "content-type": "application/json",
			    ...headers });
			res.end(JSON.stringify(value));
		};
		const { pathname, searchParams } = new URL(asked.url, "http://x");

		const page = this.pages[pathname];
		if (page !== undefined) {
			res.writeHead(page.status ?? 200, {
			    ...(page.type && { "content-type": page.type }),
			    ...(page.location && { location: page.location }) });
			res.end(page.body);
		} else if (pathname === "/search" && searchParams.get("format") === "json")
			json(200, { query: searchParams.get("q"),
			    number_of_results: this.results.length, results: this.results });
		else if (pathname === "/search")
			json(403, { error: "this instance gives no JSON" });
		else if (pathname.startsWith("/echo"))
			json(200, asked);
		else if (pathname === "/redirect")
			json(302, {}, { location: "/echo" });
		else if (pathname.startsWith("/status/"))
			json(Number(pathname.slice("/status/".length)), { error: "as told" });
		else if (pathname === "/binary") {
			res.writeHead(200, { "content-type": "image/png" });
			res.end(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 1, 2, 255]));
		} else if (pathname === "/huge") {
			res.writeHead(200, { "content-type": "text/plain" });
			res.end("x".repeat(HUGE));
		} else if (pathname === "/silence")
			res.on("close", () => this.closed++);
		else
			json(404, { error: "not here" });
	}

	async stop() {
		const closed = once(this.server, "close");
		this.server.close();
		this.server.closeAllConnections();
		await closed;
	}
}

export async function start() {
	const web = new Web();

	web.server.listen(0, "127.0.0.1");
	await once(web.server, "listening");
	web.port = web.server.address().port;
	web.url = `http://127.0.0.1:${web.port}`;
	return web;
}
