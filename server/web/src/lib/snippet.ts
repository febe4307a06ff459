/*
 * A search result's snippet: plain text, and the places in it where what was
 * found stands.  It becomes text nodes; nothing of it is ever parsed.
 */
import { h } from './dom';

/** The snippet as nodes, what was found in <mark>. */
export function highlighted(snippet: string,
    marks: [number, number][]): (Node | string)[] {
	let end = 0;
	const parts = marks.flatMap(([from, to]) => {
		const before = snippet.slice(end, from);

		end = to;
		return [before, h('mark', {}, snippet.slice(from, to))];
	});

	return [...parts, snippet.slice(end)];
}
