/*
 * A search result's snippet: escaped text in which <mark> encloses what was
 * found.  It becomes text nodes; nothing of it is ever parsed as markup.
 */
import { h } from './dom';

const ENTITIES: Record<string, string> = {
	'&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': '\'',
};

function plain(text: string): string {
	return text.replace(/&(?:amp|lt|gt|quot|#39);/g,
	    (entity) => ENTITIES[entity] ?? entity);
}

/** The snippet as nodes, what was found in <mark>. */
export function highlighted(snippet: string): (Node | string)[] {
	return snippet.split(/(<mark>[^]*?<\/mark>)/).map((part) => {
		const found = /^<mark>([^]*)<\/mark>$/.exec(part);

		return found ? h('mark', {}, plain(found[1] ?? '')) : plain(part);
	});
}
