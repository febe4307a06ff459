// What each row of the route table needs to be tried: routes.test.mjs makes
// its tests from the table (`localneural-server --routes`) and from this.
//
//   ids     what each "*" of the path is, in order (an id kind, see make)
//   in      what ids the body may carry: { field: kind }, [kind] for a list
//   query   the same for the query string
//   asks    the rest of a good query string
//   body    the rest of a good body, or a function of the World
//   raw     [type, bytes] instead, for what takes no JSON
//   as      who does it well: "ann" unless said, "root" on admin routes
//   status  what that gives, 200 unless said
//   silent  somebody else's id is not an error here (as is no unknown one)
//
// A route without a row here fails the test.

import { until } from "./harness.mjs";

const NEW_PASSWORD = "Another-pass-0002";
const GIF = Buffer.from("R0lGODlhAQABAIAAAAAAAP///yH5BAAAAAAALAAAAAABAAEAAAIBRAA7",
    "base64");

// One part of a form, as a browser sends it.
export function form(name, filename, type, bytes) {
	const edge = "a-boundary-of-ours";
	return [`multipart/form-data; boundary=${edge}`, Buffer.concat([
	    Buffer.from(`--${edge}\r\ncontent-disposition: form-data; ` +
	    `name="${name}"; filename="${filename}"\r\n` +
	    `content-type: ${type}\r\n\r\n`), bytes,
	    Buffer.from(`\r\n--${edge}--\r\n`)])];
}

let count = 0;
export const unique = (word) => `${word}-${++count}`;

const tool = () => ({ definition: { name: `tool_${++count}`,
    description: "A tool", parameters: { type: "object", properties: {} } } });
const person = () => ({ username: unique("person"),
    password: "A-long-password-1" });

// Ids that nobody has.
export const UNKNOWN = {
	conversation: "00000000-0000-4000-8000-000000000001",
	group: "00000000-0000-4000-8000-000000000002",
	tool: "00000000-0000-4000-8000-000000000003",
	user: "00000000-0000-4000-8000-000000000004",
	session: "00000000-0000-4000-8000-000000000005",
	project: "00000000-0000-4000-8000-000000000006",
	message: 1999999991,
	prompt: 1999999992,
	document: 1999999993,
	tag: "nobody-has-this",
};

async function good(promise) {
	const r = await promise;
	if (r.status !== 200)
		throw new Error(`${r.status} ${r.text}`);
	return r.json;
}

// A new thing of that kind which belongs to the client: its id.  A message is
// one of the conversation that it is to go with, if there is one.
export const make = {
	async conversation(client) {
		let id;
		for await (const e of client.stream("/api/chat/stream",
		    { prompt: unique("What is a backup?") }))
			id = e.session_id ?? id;
		return id;
	},
	async message(client, _world, with_it) {
		const id = with_it.conversation ?? await make.conversation(client);
		const list = await good(client.get(`/api/sessions/${id}/messages`));
		return list[0].id;
	},
	async group(client) {
		return (await good(client.post("/api/groups",
		    { title: unique("Group") }))).id;
	},
	async tag(client) {
		const id = await make.conversation(client), tag = unique("tag");
		await good(client.post(`/api/sessions/${id}/tags`, { tag }));
		return tag;
	},
	async tool(client) {
		return (await good(client.post("/api/tools", tool()))).id;
	},
	async prompt(client) {
		return (await good(client.post("/api/prompts",
		    { title: unique("Prompt"), content: "Say {it}." }))).id;
	},
	async project(client) {
		return (await good(client.post("/api/projects",
		    { title: unique("Project") }))).id;
	},
	// One that is read: it does not change on its own any more.
	async document(client, _world, with_it) {
		const at = `/api/projects/${with_it.project ??
		    await make.project(client)}/documents`;
		const [type, body] = form("files", "a.txt", "text/plain",
		    Buffer.from("Tulips want sun."));
		const [{ id }] = await good(client.request("POST", at,
		    { body, headers: { "content-type": type } }));
		await until(async () => (await good(client.get(at))).find((d) =>
		    d.id === id).status === "ready", "the document");
		return id;
	},
	// Another sign-in of the same person.
	async session(client, world) {
		const name = client.name;
		await world.server.login(name);
		const { sessions } = await good(client.get("/api/profile/sessions"));
		return sessions.find((s) => !s.current).id;
	},
	async user(_client, world) {
		const { username } = person();
		await good(world.root.post("/api/admin/users",
		    { username, password: "A-long-password-1" }));
		const { users } = await good(world.root.get(
		    `/api/admin/users?q=${username}`));
		return users[0].user_id ?? users[0].id;
	},
};

const conversation = { ids: ["conversation"] };
const user = { ids: ["user"] };

export const DECLARED = {
	"GET /": {},
	"GET /settings": {},
	"GET /profile": {},
	"GET /login": { as: "nobody" },
	"GET /reset-password/*": { ids: ["token"] },
	"GET /admin": {},
	"GET /admin_dashboard": {},
	"GET /admin/user/*": user,
	"GET /healthz": {},
	"GET /favicon.ico": {},
	"GET /static/*": { ids: ["file"], status: 404 },
	"GET /static/*/*": { ids: ["folder", "file"], status: 404 },
	"GET /ws/chat": { status: 426 },

	"POST /api/auth/register": { body: person, as: "nobody" },
	"POST /api/auth/login": { as: "nobody",
	    body: (w) => ({ username: "ann", password: w.server.passwords.ann }) },
	"POST /api/auth/logout": { as: "nobody" },
	"GET /api/auth/me": {},
	"POST /api/auth/forgot-password": { as: "nobody",
	    body: { email: "ann@example.test" }, status: 404 },
	"POST /api/auth/reset-password": { as: "nobody", status: 400,
	    body: { token: "none", password: NEW_PASSWORD, cpassword: NEW_PASSWORD } },
	"GET /api/profile": {},
	"PUT /api/profile": { body: { full_name: "Ann" } },
	// The rows are tried in this order: there has to be one to be seen.
	"POST /api/profile/pic": { raw: form("pic", "a.gif", "image/gif", GIF) },
	"GET /api/profile/pic": {},
	"DELETE /api/profile/pic": {},
	"POST /api/profile/password": { as: "carl", body: (w) => ({
	    current_password: w.server.passwords.carl, new_password: NEW_PASSWORD,
	    confirm_new_password: NEW_PASSWORD }) },
	"GET /api/profile/sessions": {},
	"DELETE /api/profile/sessions/*": { ids: ["session"] },
	"POST /api/account/delete": { as: "dora",
	    body: (w) => ({ password: w.server.passwords.dora }) },

	"GET /api/history": { query: { before: "conversation", group_id: "group" } },
	"GET /api/chat/*": conversation,
	"POST /api/chat/stream": {
	    body: { prompt: "What is a backup?", is_edit: true },
	    in: { session_id: "conversation", project_id: "project",
	        msg_id: "message" } },
	// No tool asks first in these conversations.
	"POST /api/chat/tool": { body: { call_id: 1, allow: true },
	    in: { session_id: "conversation" }, status: 404 },
	"POST /api/chat/upload": { raw: form("file", "a.txt", "text/plain",
	    Buffer.from("A text.")) },
	// This machine is nobody's to be read through us.
	"POST /api/urlscrape": { body: { url: "http://127.0.0.1/" }, status: 403 },
	"GET /api/sessions/*/messages": conversation,
	"DELETE /api/sessions/*": conversation,
	"POST /api/sessions/*/fork": { ids: ["conversation"],
	    in: { message_id: "message" } },
	"GET /api/sessions/*/branches": conversation,
	"GET /api/search": { asks: { q: "backup" },
	    query: { project_id: "project" } },
	"POST /api/bulk-delete": { in: { ids: ["conversation"] } },
	"POST /api/rename/*": { ...conversation, body: { title: "Named" } },
	"POST /api/summarize/*": conversation,
	"POST /api/pin/*": conversation,
	"POST /api/archive/*": conversation,
	"GET /api/session/*/config": conversation,
	"POST /api/session/*/config": { ...conversation,
	    in: { project_id: "project" }, body: { system_prompt: "Be brief." } },
	"GET /api/export/db": {},
	"GET /api/export/*": conversation,
	"POST /api/messages/*/pin": { ids: ["message"] },
	"GET /api/messages/*/export": { ids: ["message"] },
	"GET /api/groups": {},
	"POST /api/groups": { body: () => ({ title: unique("Group") }) },
	"PUT /api/groups/*": { ids: ["group"],
	    body: () => ({ title: unique("Group") }) },
	"DELETE /api/groups/*": { ids: ["group"] },
	"POST /api/sessions/group": {
	    in: { session_id: "conversation", group_id: "group" } },
	"GET /api/sessions/*/tags": conversation,
	"POST /api/sessions/*/tags": { ...conversation, body: { tag: "green" } },
	"DELETE /api/sessions/*/tags/*": { ids: ["conversation", "tag"],
	    silent: true },
	"GET /api/tags": {},
	"DELETE /api/tags/*": { ids: ["tag"], silent: true },
	"GET /api/tags/*/sessions": { ids: ["tag"], silent: true },

	"GET /api/user/settings": {},
	"POST /api/user/settings": { body: { theme: "dark" } },
	"GET /api/provider/config": {},
	"POST /api/provider/config": { body: { model: "" } },
	"GET /api/provider/models": {},
	"GET /api/models": {},
	// Ollama writes down no speech.
	"POST /api/audio/transcribe": { status: 501, raw: form("audio", "a.ogg",
	    "audio/ogg", Buffer.from("OggS")) },
	"GET /api/models/manage": {},
	"POST /api/models/pull": { body: { name: "llama3.2" } },
	"DELETE /api/models/*": { ids: ["model"], status: 404 },
	"DELETE /api/models/*/*": { ids: ["space", "model"], status: 404 },
	"DELETE /api/models/*/*/*": { ids: ["host", "space", "model"],
	    status: 404 },
	"GET /api/tools": {},
	"POST /api/tools": { body: tool },
	"PUT /api/tools/*": { ids: ["tool"], body: { enabled: false } },
	"DELETE /api/tools/*": { ids: ["tool"] },
	"GET /api/prompts": {},
	"POST /api/prompts": { body: () => ({ title: unique("Prompt"),
	    content: "Say it." }) },
	"PUT /api/prompts/*": { ids: ["prompt"], body: { content: "Sing it." } },
	"DELETE /api/prompts/*": { ids: ["prompt"] },
	"GET /api/projects": {},
	"POST /api/projects": { body: () => ({ title: unique("Project") }) },
	"PUT /api/projects/*": { ids: ["project"],
	    body: () => ({ title: unique("Project") }) },
	"DELETE /api/projects/*": { ids: ["project"] },
	"GET /api/projects/*/documents": { ids: ["project"] },
	"POST /api/projects/*/documents": { ids: ["project"],
	    raw: form("files", "b.txt", "text/plain", Buffer.from("Moss.")) },
	"DELETE /api/projects/*/documents/*": { ids: ["project", "document"] },
	"GET /api/stats": {},
	"GET /api/config": {},
	"POST /api/config": { body: { system_prompt: "Be kind." } },
	// Neither is set up on a server as it comes.
	"POST /api/websearch": { body: { query: "backup" }, status: 501 },
	"POST /api/file/read": { body: { path: "/etc/hostname" }, status: 501 },
	"GET /api/health": {},

	"GET /api/admin/users": {},
	"POST /api/admin/users": { body: person },
	"DELETE /api/admin/users/*": user,
	"PUT /api/admin/users/*/role": { ...user, body: { role: "user" } },
	"GET /api/admin/user/*": user,
	"POST /api/admin/user/*/password": { ...user,
	    body: { password: NEW_PASSWORD } },
	"POST /api/admin/user/*/block": { ...user, body: { blocked: true } },
	"POST /api/admin/user/*/sessions/revoke": user,
	"GET /api/admin/settings": {},
	"POST /api/admin/settings": { body: { allow_registration: false } },
	"GET /api/admin/status": {},
	"GET /api/admin/audit": {},
	"POST /api/import/data": { status: 400,
	    raw: ["application/json", Buffer.from("no JSON")] },
	"POST /api/import/db": { status: 400,
	    raw: ["application/octet-stream", Buffer.from("no database")] },
};
