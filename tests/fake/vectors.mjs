// Texts as vectors, the same in every fake: a hashed bag of words, so that
// texts which share words, or words that mean the same, are near.

import { createHash } from "node:crypto";

export const DIMENSION = 64;

const MEANINGS = [
	["car", "cars", "automobile", "automobiles", "vehicle", "vehicles"],
	["doctor", "doctors", "physician", "physicians"],
	["buy", "buys", "bought", "purchase", "purchased"],
];
const SAME = new Map(MEANINGS.flatMap((words) =>
	words.map((word) => [word, words[0]])));

function place(word) {
	return createHash("sha256").update(SAME.get(word) ?? word).digest()
	    .readUInt32BE() % DIMENSION;
}

// A unit vector; of a text without words, the same one always.
export function vector_of(text) {
	const v = new Array(DIMENSION).fill(0);

	for (const word of text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [""])
		v[place(word)]++;
	const norm = Math.hypot(...v);
	return v.map((x) => x / norm);
}
