// Files and pages as text for a question: each kind ends in its text or in a
// reason, and the server answers others meanwhile.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { after, before, test } from "node:test";
import { start as start_web } from "../fake/web.mjs";
import { docx, epub, odt, pdf, pdf_text, zip } from "./documents.mjs";
import { startServer } from "./harness.mjs";

const MIB = 1024 * 1024;

let server, web, hidden, ann;

before(async () => {
	[web, hidden] = await Promise.all([start_web(), start_web()]);
	server = await startServer({
		users: [{ username: "ann" }],
		env: { LOCALNEURAL_ALLOWED_PAGES: web.url },
	});
	ann = await server.login("ann");
});
after(async () => {
	await server.stop().finally(() => Promise.all([web.stop(),
	    hidden.stop()]));
});

function upload(name, bytes, part = "file") {
	const boundary = "----a boundary of a browser".replaceAll(" ", "");
	return ann.request("POST", "/api/chat/upload", {
		body: Buffer.concat([
			Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; ` +
			    `name="${part}"; filename="${name}"\r\n` +
			    "Content-Type: application/octet-stream\r\n\r\n"),
			Buffer.from(bytes), Buffer.from(`\r\n--${boundary}--\r\n`)]),
		headers: { "content-type": `multipart/form-data; boundary=${boundary}` },
	});
}

async function text_of(name, bytes) {
	const r = await upload(name, bytes);
	assert.equal(r.status, 200, `${name}: ${r.text}`);
	return r.json;
}

async function reason_of(name, bytes, status = 400) {
	const r = await upload(name, bytes);
	assert.equal(r.status, status, `${name}: ${r.text}`);
	assert.doesNotMatch(r.text, /\/|\.c:|errno|signal|pdftotext/);
	return r.json.error;
}

test("plain text comes back as it is, with its name and size", async () => {
	assert.deepEqual(await text_of("gr\u00fc\u00df.txt", "one\ntwo\n"), {
		filename: "gr\u00fc\u00df.txt", content: "one\ntwo\n", type: "text",
		is_cut: false, size: 8,
	});
	// No folder of the sender's machine, no name at all.
	assert.equal((await text_of("C:\\\\home\\\\ann\\\\a.md", "# x")).filename,
	    "a.md");
	assert.equal((await text_of("../../etc/a.csv", "a,b")).filename, "a.csv");
	assert.equal((await text_of("", "x")).filename, "document");
});

test("a PDF of 300 pages comes page by page", async () => {
	const r = await text_of("book.pdf", pdf(Array.from({ length: 300 },
	    (_, i) => pdf_text(`This is page ${i + 1}.`))));
	assert.equal(r.type, "pdf");
	assert.match(r.content, /^\[Page 1\]\nThis is page 1\.\n/);
	assert.match(r.content, /\n\[Page 300\]\nThis is page 300\.\n/);
});

test("a DOCX gives its headings, lists and tables, and no picture", async () => {
	const t = (s) => `<w:r><w:t xml:space="preserve">${s}</w:t></w:r>`;
	const p = (s, properties = "") =>
	    `<w:p><w:pPr>${properties}</w:pPr>${t(s)}</w:p>`;
	const cell = (s) => `<w:tc>${p(s)}</w:tc>`;
	const r = await text_of("report.docx", docx(
	    p("Head &amp; tail", "<w:pStyle w:val=\"berschrift2\"/>") +
	    `<w:p>${t("first ")}<w:del><w:r><w:delText>gone</w:delText></w:r></w:del>` +
	    `${t("second")}<w:r><w:drawing/></w:r></w:p>` +
	    p("item", "<w:numPr/>") +
	    `<w:tbl><w:tr>${cell("a")}${cell("b")}</w:tr>` +
	    `<w:tr>${cell("c")}${cell("d")}</w:tr></w:tbl>` + p("end"),
	    [["word/media/image1.png", Buffer.alloc(MIB, 7)]]));
	assert.equal(r.type, "docx");
	assert.equal(r.content, "## Head & tail\n\nfirst second\n\n- item\n\n" +
	    "a\tb\nc\td\n\nend");
});

test("ODT and EPUB are read", async () => {
	let r = await text_of("a.odt", odt("<text:h text:outline-level=\"1\">H</text:h>" +
	    "<text:p>a<text:s text:c=\"3\"/>b<text:line-break/>c</text:p>" +
	    "<text:list><text:list-item><text:p>x</text:p></text:list-item></text:list>"));
	assert.equal(r.content, "# H\n\na b\nc\n\n- x");
	r = await text_of("b.epub", epub([
		["one page.xhtml", "<html><body><h1>One</h1><p>a</p></body></html>"],
		["two.html", "<html><body><h1>Two</h1><p>b &nbsp;c</p></body></html>"],
	]));
	assert.equal(r.type, "epub");
	assert.equal(r.content, "# One\n\na\n\n# Two\n\nb \u00a0c");
});

test("what gives no text says why", async () => {
	assert.match(await reason_of("a.pdf", pdf([pdf_text("secret")],
	    { password: "hunter2" })), /protected by a password/);
	assert.match(await reason_of("scan.pdf", pdf(["0 0 9 9 re f"])),
	    /pages are pictures/);
	assert.match(await reason_of("a.odt", odt("", "<m:manifest xmlns:m=\"m\">" +
	    "<m:encryption-data/></m:manifest>")), /protected by a password/);
	assert.match(await reason_of("a.docx", zip([["word/document.xml", "<a/>",
	    { is_locked: true }]])), /protected by a password/);
	assert.match(await reason_of("a.docx", docx("<w:p><w:t>open")), /damaged/);
	assert.match(await reason_of("a.zip", zip([["a.txt", "text"]])),
	    /of this kind/);
	assert.match(await reason_of("a.txt", Buffer.from([1, 0, 2, 0])),
	    /of this kind/);
	assert.match(await reason_of("a.txt", ""), /no text/);
	assert.match(await reason_of("a.txt", Buffer.alloc(5 * MIB + 1, "x"), 413),
	    /5 MiB/);
});

test("bombs end in a reason", async () => {
	const bomb = docx("<w:p/>", [["word/footnotes.xml", Buffer.concat([Buffer.from("<f>"),
	    Buffer.alloc(130 * MIB, " "), Buffer.from("</f>")])]]);
	assert.ok(bomb.length < MIB);
	assert.match(await reason_of("bomb.docx", bomb, 413), /more text/);
	const lol = "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY a \"lol\">" +
	    "<!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]><a>&b;</a>";
	assert.match(await reason_of("lol.docx", zip([["word/document.xml", lol]])),
	    /damaged/);
});

test("text that is too long is cut, and says so", async () => {
	const r = await text_of("long.csv", "a,b,c\n".repeat(400000));
	assert.equal(r.is_cut, true);
	assert.ok(r.content.length > MIB && r.content.length < MIB + 1024);
	assert.match(r.content, /only its beginning\]\n$/);
});

test("an upload without a file, or not as a form, is refused", async () => {
	let r = await upload("a.txt", "x", "other");
	assert.equal(r.status, 400);
	assert.equal(r.json.field, "file");
	r = await ann.post("/api/chat/upload", { file: "x" });
	assert.equal(r.status, 415);
});

test("the server answers while documents are read", async () => {
	// Each takes its parser seconds.
	const slow = docx("<w:p><w:r><w:t>x</w:t></w:r></w:p>".repeat(200000));
	const reads = Array.from({ length: 3 }, () => upload("a.docx", slow));
	const r = await ann.get("/api/health");
	assert.equal(r.status, 200);
	for (const one of await Promise.all(reads))
		assert.equal(one.status, 200, one.text.slice(0, 200));
});

const scrape = (url) => ann.post("/api/urlscrape", { url });

test("a page by its address is text, also behind a redirect", async () => {
	web.pages["/page"] = { type: "text/html; charset=iso-8859-1", body:
	    Buffer.from("<html><h1>Gr\u00fc\u00df</h1><script>x()</script><p>text</p></html>",
	    "latin1") };
	web.pages["/moved"] = { status: 301, location: "/page" };
	web.pages["/file.pdf"] = { type: "application/pdf",
	    body: pdf([pdf_text("hello")]) };
	let r = await scrape(`${web.url}/moved`);
	assert.equal(r.status, 200, r.text);
	assert.deepEqual(r.json, { url: `${web.url}/page`, type: "html",
	    content: "# Gr\u00fc\u00df\n\ntext", is_cut: false });
	r = await scrape(`${web.url}/file.pdf`);
	assert.match(r.json.content, /hello/);
});

test("a page that is none says why", async () => {
	web.pages["/loop"] = { status: 302, location: "/loop" };
	web.pages["/away"] = { status: 302, location: `${hidden.url}/echo` };
	web.pages["/file"] = { status: 302, location: "file:///etc/passwd" };
	for (const [status, path, words] of [
		[400, "/binary", /neither a page/],
		[413, "/huge", /larger than 1 MiB/],
		[502, "/status/404", /no page/],
		[502, "/loop", /without end/],
		[403, "/away", /local network/],
		[400, "/file", /no address of a page/],
	]) {
		const r = await scrape(web.url + path);
		assert.equal(r.status, status, `${path}: ${r.text}`);
		assert.match(r.json.error, words);
	}
	for (const [status, url] of [[400, ""], [400, "nonsense"],
		[400, "ftp://example.org/"], [400, "http://a:b@example.org/"],
		[403, hidden.url], [403, "http://[::1]:1/"], [403, "http://0x7f.1/"],
		[403, "http://169.254.169.254/latest/"]]) {
		const r = await scrape(url);
		assert.equal(r.status, status, `${url}: ${r.text}`);
	}
	assert.equal((await ann.post("/api/urlscrape", { url: 7 })).status, 400);
	assert.deepEqual(hidden.requests, []);
});
