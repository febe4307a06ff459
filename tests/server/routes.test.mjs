// Every route, from the table itself: who may call it, what it does not take,
// and that somebody else's id is no different from one that nobody has.  What
// a route needs to be tried stands in routes_declared.mjs.

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { pieces, start as start_ollama, TEXTS } from "../fake/ollama.mjs";
import { BIN, run, startServer, until } from "./harness.mjs";
import { DECLARED, make, UNKNOWN } from "./routes_declared.mjs";

const BLOCKED = "Your account has been blocked. Contact an administrator.";
const KINDS = Object.keys(UNKNOWN);
// What the model "stall" says before it falls silent.
const STALLED = pieces(TEXTS.ascii).slice(0, 3).join("");
// Parts of an answer that differ between any two.
const PRIVATE = ["date", "x-request-id"];

const { code, json } = await run(path.join(BIN, "localneural-server"),
    ["--routes"]);
assert.equal(code, 0);
const ROUTES = json.routes.map((r) => ({
	...r, key: `${r.method} ${r.path}`, has: (flag) => r.flags.includes(flag),
	is_page: r.who.startsWith("page"),
	declared: DECLARED[`${r.method} ${r.path}`] ?? {},
}));

let ollama, server;
const people = {};
const world = {};

before(async () => {
	ollama = await start_ollama();
	server = await startServer({ workers: 1, users: ["ann", "bob", "carl",
	    "dora", "mallory"].map((username) => ({ username })) });
	await server.lnctl_ok(["provider", "set", "ollama", "--global",
	    "--base-url", ollama.url, "-m", "llama3.2", "--json"]);
	for (const name of ["root", "ann", "bob", "carl", "dora", "mallory"])
		people[name] = Object.assign(await server.login(name), { name });
	Object.assign(world, { server, root: people.root });
	await server.lnctl_ok(["user", "block", "mallory", "--json"]);
});
after(() => server.stop().finally(() => ollama.stop()));

// The same person from an address of its own: no test uses up the rate limit
// of another one.
function as(name) {
	const c = server.client();
	if (name !== "nobody")
		c.cookies = people[name].cookies;
	return Object.assign(c, { name });
}

const fill = (pattern, ids) => {
	let n = 0;
	return pattern.replace(/\*/g, () => encodeURIComponent(ids[n++]));
};
const body_of = ({ body = {} }) =>
    typeof body === "function" ? body(world) : body;
const path_of = (r) => fill(r.path, (r.declared.ids ?? []).map((kind) =>
    UNKNOWN[kind] ?? "x"));
const wants_json = (r) => r.has("json") || r.has("json-optional");
const error_of = (r) => [r.status, r.json?.error];

// The request of a route with these ids: {path: [], body: {}, query: {}}.
function request(client, r, ids) {
	const { declared } = r;
	const query = new URLSearchParams({ ...declared.asks,
	    ...ids.query }).toString();
	const at = fill(r.path, ids.path ?? []) + (query && `?${query}`);

	if (declared.raw)
		return client.request(r.method, at, { body: declared.raw[1],
		    headers: { "content-type": declared.raw[0] } });
	return client.request(r.method, at, wants_json(r) ?
	    { json: { ...body_of(declared), ...ids.body } } : {});
}

// Where a route takes an id: [{ where, name, kind, is_list }].
function places({ declared }) {
	const named = (where, all = {}) => Object.entries(all)
	    .map(([name, kind]) => ({ where, name, kind: [kind].flat()[0],
	        is_list: Array.isArray(kind) }));
	return [...(declared.ids ?? []).map((kind, name) =>
	    ({ where: "path", name, kind })).filter((p) => make[p.kind]),
	...named("body", declared.in), ...named("query", declared.query)];
}

// Ids for all places, from what gives one of a kind.
async function all_ids(r, one_of) {
	const ids = { path: (r.declared.ids ?? []).map(() => "x"), body: {},
	    query: {} };
	const made = {};
	for (const p of places(r)) {
		made[p.kind] = await one_of(p.kind, made);
		put(ids, p, made[p.kind]);
	}
	return ids;
}
const put = (ids, p, id) => {
	ids[p.where][p.name] = p.is_list ? [id] : id;
};

describe("the route table", () => {
	it("is declared whole, and nothing else is", () => {
		assert.deepEqual(Object.keys(DECLARED).sort(),
		    ROUTES.map((r) => r.key).sort());
		for (const r of ROUTES)
			assert.equal(r.declared.ids?.length ?? 0,
			    r.path.split("*").length - 1, r.key);
	});

	it("is what docs/api.md describes", () => {
		const text = fs.readFileSync(new URL("../../docs/api.md",
		    import.meta.url), "utf8");
		const said = new Set();
		for (const [, methods, at] of text.matchAll(
		    /`((?:GET|POST|PUT|DELETE)(?:\/(?:GET|POST|PUT|DELETE))*) (\/[^\s`?]*)/g))
			for (const m of methods.split("/"))
				said.add(`${m} ${at.replace(/<[^>]*>/g, "*")}`);
		const there = ROUTES.filter((r) => !r.is_page ||
		    r.path === "/healthz").map((r) => r.key);
		assert.deepEqual([...said].sort(), there.sort());
	});
});

describe("every route", () => {
	for (const r of ROUTES) {
		const { who } = r;

		it(`${r.key}: whoever is not signed in`, async () => {
			const a = await request(as("nobody"), r, { path:
			    (r.declared.ids ?? []).map((k) => UNKNOWN[k] ?? "x") });
			if (["page-user", "page-admin"].includes(who))
				assert.deepEqual([a.status, a.headers.location],
				    [302, "/login"]);
			else if (["user", "admin"].includes(who))
				assert.deepEqual(error_of(a),
				    [401, "Authentication required"]);
			else
				assert.notEqual(a.status, 401);
		});
	}

	for (const r of ROUTES.filter(({ who }) => who.endsWith("admin")))
		it(`${r.key}: somebody who is no admin`, async () => {
			const a = await request(as("ann"), r, { path:
			    (r.declared.ids ?? []).map((k) => UNKNOWN[k]) });
			if (r.is_page)
				assert.deepEqual([a.status, a.headers.location],
				    [302, "/"]);
			else
				assert.equal(a.status, 403);
		});

	for (const r of ROUTES.filter(({ who, is_page }) => !is_page &&
	    who !== "anyone"))
		it(`${r.key}: a blocked person`, async () => {
			const a = await request(as("mallory"), r, { path:
			    (r.declared.ids ?? []).map((k) => UNKNOWN[k]) });
			if (r.method === "GET" && r.who === "user" || r.has("blocked-ok"))
				assert.notEqual(a.status, 403);
			else if (r.method !== "GET")
				assert.deepEqual(error_of(a), [403, BLOCKED]);
			else
				assert.equal(a.status, 403);
		});

	for (const r of ROUTES.filter((one) => one.method !== "GET" &&
	    !one.has("auth")))
		it(`${r.key}: a request that another site could send`, async () => {
			for (const headers of [{ "x-requested-with": null },
			    { origin: "https://evil.example" },
			    { "sec-fetch-site": "cross-site" }]) {
				const a = await as("root").request(r.method, path_of(r),
				    { headers });
				assert.deepEqual(error_of(a),
				    [403, "CSRF validation failed"]);
			}
		});

	for (const at of new Set(ROUTES.map(path_of)))
		it(`${at}: another method`, async () => {
			// "*" of another row may take the same path.
			const fits = ROUTES.filter((r) => new RegExp(`^${r.path
			    .replace(/[.]/g, "\\.").replace(/\*/g, "[^/]+")}$`).test(at))
			    .map((r) => r.method);
			for (const method of ["GET", "POST", "PUT", "DELETE"]) {
				if (fits.includes(method))
					continue;
				const a = await as("root").request(method, at);
				assert.deepEqual(error_of(a), [405, "Method not allowed"]);
				assert.deepEqual(a.headers.allow.split(", "), ["GET", "HEAD",
				    "POST", "PUT", "DELETE"].filter((m) => fits.includes(
				    m === "HEAD" ? "GET" : m)));
			}
		});

	for (const r of ROUTES.filter((one) => one.method !== "GET"))
		it(`${r.key}: a body that is too large`, async () => {
			// A DELETE has none at all; the others are refused by the
			// head, before the body comes.
			const a = await as("root").request(r.method, path_of(r), {
				...(r.body_max === 0 && { body: "x" }),
				headers: {
					"content-type": "application/json",
					"content-length": r.body_max + 1,
				},
			});
			assert.equal(a.status, r.body_max === 0 ? 400 : 413, a.text);
		});

	for (const r of ROUTES.filter(wants_json)) {
		it(`${r.key}: a body that is no JSON object`, async () => {
			for (const body of ["{", "[]", "\"x\"", "{\"a\":1,\"a\":2}"]) {
				const a = await as("root").request(r.method, path_of(r),
				    { body, headers: { "content-type":
				        "application/json" } });
				assert.deepEqual(error_of(a), [400, "Invalid JSON body"]);
			}
		});
		it(`${r.key}: another content type`, async () => {
			const a = await as("root").request(r.method, path_of(r),
			    { body: "{}", headers: { "content-type": "text/plain" } });
			assert.equal(a.status, 415);
		});
	}
});

describe("the rate limit", () => {
	const spend = async (client, r, n) => {
		for (let i = 0; i < n; i++)
			assert.notEqual((await client.request(r.method, path_of(r),
			    wants_json(r) ? { json: {} } : {})).status, 429, r.key);
	};
	const refused = async (client, r) => {
		const a = await client.request(r.method, path_of(r), wants_json(r) ?
		    { json: {} } : {});
		assert.deepEqual(error_of(a), [429, "Too many requests"], r.key);
		const wait = Number(a.headers["retry-after"]);
		assert.ok(wait >= 1 && wait <= 60, r.key);
	};

	for (const r of ROUTES.filter(({ limit }) => limit !== null &&
	    limit.name !== "default"))
		it(`${r.key}: ${r.limit.per_minute} a minute`, async () => {
			const client = as(r.who === "anyone" ? "nobody" : "bob");
			await spend(client, r, r.limit.per_minute);
			await refused(client, r);
		});

	it("of the other routes is one for all of them together", async () => {
		const client = as("bob");
		const all = ROUTES.filter(({ limit }) => limit?.name === "default");
		await spend(client, all.find((r) => r.key === "GET /api/auth/me"),
		    all[0].limit.per_minute);
		for (const r of all)
			await refused(client, r);
		for (const r of ROUTES.filter(({ limit }) => limit === null))
			assert.notEqual((await client.request(r.method, path_of(r)))
			    .status, 429, r.key);
	});
});

describe("walls", () => {
	// What can be told from an answer.
	const told = (a) => [a.status, a.text, a.raw_headers.map((v, i, all) =>
	    PRIVATE.includes(all[i - 1]?.toLowerCase()) ? "" : v)];
	const things = async () => {
		const r = await as("ann").get("/api/export/db?format=json");
		const all = { ...r.json };
		assert.equal(r.status, 200);
		delete all.exported;
		return all;
	};
	const foreign = {}, mine = {};
	let socket, before_all;

	before(async () => {
		for (const kind of KINDS)
			foreign[kind] = await make[kind](as("ann"), world, foreign);
		for (const kind of ["conversation", "message", "group", "tag",
		    "project", "document"])
			mine[kind] = await make[kind](as("bob"), world, mine);
		socket = await as("ann").ws();
		before_all = await things();
	});

	let tried = 0;
	const with_ids = ROUTES.filter((r) => places(r).length > 0);

	for (const r of with_ids)
		it(`${r.key}: another one's ids are as unknown ones`, async () => {
			for (const p of places(r))
				for (const kind of KINDS) {
					// One of them at a time: the others are the caller's.
					const ids = await all_ids(r, (k) => mine[k]);
					const answers = [];
					for (const id of [foreign[kind], UNKNOWN[kind]]) {
						put(ids, p, id);
						answers.push(await request(as("bob"), r, ids));
					}
					assert.deepEqual(told(answers[0]), told(answers[1]),
					    `${p.where} ${p.name}: ${kind}`);
					if (p.kind === kind && p.where !== "query" &&
					    !r.declared.silent && !r.is_page)
						assert.match(String(answers[0].status), /^40[34]$/);
					tried++;
				}
		});

	// What bob hears when he names the conversations in these frames.
	const frame = async (type, session_ids) => {
		const ws = await as("bob").ws();
		const is_silent = ["tool_decision", "stop_generation"].includes(type);
		const came = [];
		for (const session_id of session_ids) {
			ws.send({ type, session_id, prompt: "x", after: 0, call_id: 1,
			    allow: true });
			if (is_silent)
				ws.send({ type: "ping" });
			came.push((await ws.collect(is_silent ? "pong" : "error"))
			    .map((e) => ({ ...e, session_id:
			        e.session_id === session_id })));
		}
		await ws.close();
		tried++;
		return came;
	};
	const FRAMES = ["user_message", "regenerate", "continue",
	    "tool_decision", "stop_generation", "resume"];

	for (const type of FRAMES)
		it(`the frame ${type} tells nothing about another one's`, async () => {
			const came = await frame(type, [foreign.conversation,
			    UNKNOWN.conversation]);
			assert.deepEqual(came[0], came[1]);
		});

	it("hold: nothing changed behind them, nothing was heard", async () => {
		socket.send({ type: "ping" });
		await socket.next("pong");
		assert.deepEqual(socket.events, [{ type: "pong" }]);
		assert.deepEqual(await things(), before_all);
	});

	describe("around an answer that is being written", () => {
		const events = [];
		let id, ended, before_it;

		// As a script reads it.
		before(async () => {
			await new Promise((begun) => {
				ended = (async () => {
					for await (const e of as("ann").stream("/api/chat/stream",
					    { prompt: "Go on.", model: "stall" })) {
						events.push(e);
						id ??= e.session_id;
						if (e.type === "stream_chunk" &&
						    e.seq >= STALLED.length)
							begun();
					}
				})();
			});
			// All of it is kept already: nothing changes on its own.
			await until(async () => JSON.stringify(await things())
			    .includes(JSON.stringify(STALLED)), "the journal");
			before_it = await things();
		});

		for (const type of FRAMES)
			it(`the frame ${type} tells nothing`, async () => {
				const came = await frame(type, [id, UNKNOWN.conversation]);
				assert.deepEqual(came[0], came[1]);
			});

		for (const [type, at] of [["user_message", "stream"],
		    ["regenerate", "stream"], ["continue", "stream"],
		    ["stop_generation", "stream"], ["tool_decision", "tool"]])
			it(`the request ${type} tells nothing`, async () => {
				const answers = [];
				for (const session_id of [id, UNKNOWN.conversation])
					answers.push(await as("bob").post(`/api/chat/${at}`,
					    { type, session_id, prompt: "x", call_id: 1,
					    allow: true }));
				assert.deepEqual(told(answers[0]), told(answers[1]));
				tried++;
			});

		it("it goes on until its own person stops it", async (t) => {
			assert.deepEqual(await things(), before_it);
			assert.equal(events.at(-1).type, "stream_chunk");
			await as("ann").post("/api/chat/stream",
			    { type: "stop_generation", session_id: id });
			await ended;
			assert.deepEqual([events.at(-1).type,
			    events.at(-1).finish_reason], ["stream_done", "stopped"]);
			assert.equal(events.filter((e) => e.type === "stream_chunk")
			    .map((e) => e.chunk).join(""), STALLED);
			t.diagnostic(`${with_ids.length} routes x ${KINDS.length} id ` +
			    `kinds: ${tried} pairs of answers, 0 leaks`);
		});
	});
});

describe("every route, done well,", () => {
	let socket;

	before(async () => {
		socket = await as("bob").ws();
	});

	for (const r of Object.keys(DECLARED).map((key) =>
	    ROUTES.find((one) => one.key === key)))
		it(`${r.key} gives ${r.declared.status ?? 200}`, async () => {
			const client = as(r.declared.as ??
			    (r.who.endsWith("admin") ? "root" : "ann"));
			const a = await request(client, r, await all_ids(r,
			    (kind, made) => make[kind](client, world, made)));
			assert.equal(a.status, r.declared.status ?? 200,
			    `${a.status} ${a.text.slice(0, 500)}`);
		});

	it("and nobody else's socket hears of it", async () => {
		socket.send({ type: "ping" });
		await socket.next("pong");
		assert.deepEqual(socket.events, [{ type: "pong" }]);
	});
});
