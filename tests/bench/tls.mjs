// What testssl.sh makes of the server as it comes: `make check-tls`.
//
// Fails on any finding above LOW that is not in EXPECTED, and when testssl.sh
// did not get to its end.  All findings are kept beside the test logs.

import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { startServer } from "../server/harness.mjs";

// The certificate that a first start makes is signed by nobody else.  An
// operator's own (LOCALNEURAL_TLS_CERT) has none of these.
const EXPECTED = {
	cert_chain_of_trust: "self-signed: no authority vouches for it",
	cert_revocation: "self-signed: there is nobody to ask",
};
const SEVERE = ["MEDIUM", "HIGH", "CRITICAL"];
// What must have been looked at in a run that was whole.
const SECTIONS = ["TLS1_2", "TLS1_3", "cipherlist_STRONG", "PFS",
    "cert_keySize", "cipher_order", "HSTS_time", "heartbleed", "ROBOT",
    "BREACH", "SWEET32", "RC4"];
// Protocols, ciphers, forward secrecy, certificate, order, headers, known
// holes.  Left out is what takes longest and can find nothing: the list of
// every cipher again, and what each of a hundred clients would choose.
const TESTS = ["-p", "-s", "-f", "-S", "-P", "-h", "-U"];

const logs = process.argv[2] ?? ".";
const report = path.join(logs, "testssl.json");
const server = await startServer();
let findings = [];

try {
	fs.mkdirSync(logs, { recursive: true });
	fs.rmSync(report, { force: true });
	const r = spawnSync("testssl", ["--quiet", "--color", "0", "--warnings",
	    "off", "--ip", "127.0.0.1", "--jsonfile", report, ...TESTS,
	    server.url],
	    { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
	if (r.error !== undefined)
		throw r.error;
	fs.writeFileSync(path.join(logs, "testssl.txt"), r.stdout);
	findings = JSON.parse(fs.readFileSync(report, "utf8"));
} finally {
	await server.stop();
}

let failed = 0;
function fail(text) {
	console.log(`not ok: ${text}`);
	failed++;
}

for (const id of SECTIONS)
	if (!findings.some((f) => f.id.split(" ")[0] === id))
		fail(`testssl.sh did not get to ${id}`);
for (const f of findings) {
	const id = f.id.split(" ")[0];
	if (f.severity === "FATAL" || f.finding === "Scan interrupted")
		fail(`${f.id}: ${f.finding}`);
	else if (!SEVERE.includes(f.severity))
		continue;
	else if (EXPECTED[id] !== undefined)
		console.log(`expected: ${id}: ${f.finding} (${EXPECTED[id]})`);
	else
		fail(`${f.severity} ${f.id}: ${f.finding}`);
}
for (const f of findings)
	if (f.severity === "LOW")
		console.log(`low: ${f.id}: ${f.finding}`);
console.log(`${findings.length} findings, ${failed} not as they should be`);
process.exitCode = failed === 0 ? 0 : 1;
