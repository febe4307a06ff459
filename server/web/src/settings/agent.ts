/* What a browser calls itself, in words a person knows it by. */

/* In this order: each one also claims to be those after it. */
const BROWSERS: [RegExp, string][] = [
	[/\bEdg\//, 'Edge'],
	[/\bOPR\//, 'Opera'],
	[/\bFirefox\//, 'Firefox'],
	[/Chrom(e|ium)\//, 'Chrome'],
	[/\bSafari\//, 'Safari'],
	[/\bcurl\//, 'curl'],
];
const SYSTEMS: [RegExp, string][] = [
	[/\bAndroid\b/, 'Android'],
	[/\b(iPhone|iPad)\b/, 'iOS'],
	[/\bWindows\b/, 'Windows'],
	[/\bMac OS X\b/, 'macOS'],
	[/\bLinux\b/, 'Linux'],
];

function first(names: [RegExp, string][], agent: string): string | undefined {
	return names.find(([pattern]) => pattern.test(agent))?.[1];
}

export function browserName(agent: string | null): string {
	const browser = first(BROWSERS, agent ?? '');
	const system = first(SYSTEMS, agent ?? '');

	if (!browser)
		return agent?.slice(0, 60) || 'Unknown browser';
	return system ? `${browser} on ${system}` : browser;
}
