/* Pictures travel as base64 text; their first bytes say what they are. */

const KINDS: [string, string][] = [
	['iVBORw0KGgo', 'image/png'],
	['/9j/', 'image/jpeg'],
	['R0lGODdh', 'image/gif'],
	['R0lGODlh', 'image/gif'],
	['UklGR', 'image/webp'],
];

function kind(base64: string): string | undefined {
	return KINDS.find(([start]) => base64.startsWith(start))?.[1];
}

/** What an <img> shows, or null when it is no picture that we know. */
export function pictureSource(base64: string): string | null {
	const type = kind(base64);

	return type ? `data:${type};base64,${base64}` : null;
}
