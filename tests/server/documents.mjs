// Documents made by hand: zip archives and what is inside, and PDF files.

import { Buffer } from "node:buffer";
import crypto from "node:crypto";
import zlib from "node:zlib";

// [[name, content, { is_locked }]...] as a zip archive.
export function zip(entries) {
	const files = [], central = [];
	let at = 0;

	for (const [name, content, { is_locked = false } = {}] of entries) {
		const bytes = Buffer.from(content);
		// The same stream with a checksum behind.
		const gz = zlib.gzipSync(bytes, { level: 1 });
		const packed = gz.subarray(10, -8);
		const head = Buffer.alloc(26), more = Buffer.alloc(16);

		head.writeUInt16LE(20, 0);
		head.writeUInt16LE(is_locked ? 1 : 0, 2);
		head.writeUInt16LE(8, 4);
		head.writeUInt32LE(gz.readUInt32LE(gz.length - 8), 10);
		head.writeUInt32LE(packed.length, 14);
		head.writeUInt32LE(bytes.length, 18);
		head.writeUInt16LE(Buffer.byteLength(name), 22);
		const file = Buffer.concat([Buffer.from("PK\x03\x04"), head,
		    Buffer.from(name), packed]);
		files.push(file);
		// Version made by, and behind the head: comment, disk,
		// attributes, place.
		more.writeUInt32LE(at, 10);
		central.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x00"),
		    head, more.subarray(0, 14), Buffer.from(name)]));
		at += file.length;
	}
	const list = Buffer.concat(central), end = Buffer.alloc(18);
	end.writeUInt16LE(entries.length, 4);
	end.writeUInt16LE(entries.length, 6);
	end.writeUInt32LE(list.length, 8);
	end.writeUInt32LE(at, 12);
	return Buffer.concat([...files, list, Buffer.from("PK\x05\x06"), end]);
}

const W = "xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"";

export function docx(body, more = []) {
	return zip([
		["[Content_Types].xml", "<Types/>"],
		["word/document.xml", `<?xml version="1.0"?><w:document ${W}>` +
		    `<w:body>${body}</w:body></w:document>`],
		["word/styles.xml", `<w:styles ${W}><w:style w:styleId="berschrift2">` +
		    "<w:name w:val=\"heading 2\"/></w:style></w:styles>"],
		...more,
	]);
}

export function odt(body, manifest = "<manifest/>") {
	return zip([
		["mimetype", "application/vnd.oasis.opendocument.text"],
		["META-INF/manifest.xml", manifest],
		["content.xml", "<office:document-content xmlns:office=\"o\" " +
		    "xmlns:text=\"t\" xmlns:table=\"b\"><office:body>" +
		    `<office:text>${body}</office:text></office:body>` +
		    "</office:document-content>"],
	]);
}

export function epub(pages) {
	return zip([
		["mimetype", "application/epub+zip"],
		["META-INF/container.xml", "<container><rootfiles><rootfile " +
		    "full-path=\"OPS/book.opf\"/></rootfiles></container>"],
		...pages.map(([name, html]) => [`OPS/${name}`, html]).reverse(),
		["OPS/book.opf", "<package><manifest>" + pages.map(([name], i) =>
		    `<item id="p${i}" href="${encodeURI(name)}"/>`).join("") +
		    "</manifest><spine>" + pages.map((_, i) =>
		    `<itemref idref="p${i}"/>`).join("") + "</spine></package>"],
	]);
}

function rc4(key, bytes) {
	const s = Array.from({ length: 256 }, (_, i) => i);
	const out = Buffer.alloc(bytes.length);

	for (let i = 0, j = 0; i < 256; i++) {
		j = (j + s[i] + key[i % key.length]) & 255;
		[s[i], s[j]] = [s[j], s[i]];
	}
	for (let n = 0, i = 0, j = 0; n < bytes.length; n++) {
		i = (i + 1) & 255;
		j = (j + s[i]) & 255;
		[s[i], s[j]] = [s[j], s[i]];
		out[n] = bytes[n] ^ s[(s[i] + s[j]) & 255];
	}
	return out;
}

// The Encrypt dictionary for a password (ISO 32000, 7.6, revision 2).
function encryption(password) {
	const pad = Buffer.from("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E80" +
	    "2F0CA9FE6453697A", "hex");
	const padded = Buffer.concat([Buffer.from(password), pad]).subarray(0, 32);
	const md5 = (...parts) => crypto.createHash("md5")
	    .update(Buffer.concat(parts)).digest().subarray(0, 5);
	const p = Buffer.alloc(4);

	p.writeInt32LE(-44);
	const o = rc4(md5(padded), padded);
	const u = rc4(md5(padded, o, p, Buffer.alloc(1)), pad);
	return `<</Filter/Standard/V 1/R 2/P -44/O<${o.toString("hex")}>` +
	    `/U<${u.toString("hex")}>>>`;
}

// Streams, one a page.
export function pdf(streams, { password } = {}) {
	const objects = ["<</Type/Catalog/Pages 2 0 R>>",
	    `<</Type/Pages/Count ${streams.length}/Kids[` +
	    streams.map((_, i) => `${4 + 2 * i} 0 R`).join(" ") + "]>>",
	    "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"];
	let text = "%PDF-1.4\n", trailer = "";
	const offsets = [];

	streams.forEach((s, i) => objects.push("<</Type/Page/Parent 2 0 R" +
	    "/MediaBox[0 0 612 792]/Resources<</Font<</F1 3 0 R>>>>" +
	    `/Contents ${5 + 2 * i} 0 R>>`,
	    `<</Length ${s.length}>>stream\n${s}\nendstream`));
	if (password !== undefined) {
		objects.push(encryption(password));
		trailer = `/Encrypt ${objects.length} 0 R/ID[<00><00>]`;
	}
	objects.forEach((o, i) => {
		offsets.push(text.length);
		text += `${i + 1} 0 obj\n${o}\nendobj\n`;
	});
	const at = text.length;
	text += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n` +
	    offsets.map((n) => `${String(n).padStart(10, "0")} 00000 n \n`).join("") +
	    `trailer\n<</Size ${objects.length + 1}/Root 1 0 R${trailer}>>\n` +
	    `startxref\n${at}\n%%EOF\n`;
	return Buffer.from(text, "latin1");
}

export const pdf_text = (s) => `BT /F1 12 Tf 72 700 Td (${s}) Tj ET`;
