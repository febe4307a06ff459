/* Measurements in words. */

/** "62 tokens", "~62 tokens" when they were not counted by the provider. */
export function tokenCount(tokens: number | null | undefined,
    isEstimated = false): string {
	if (!tokens)
		return '';
	return `${isEstimated ? '~' : ''}${tokens} ` +
	    (tokens === 1 ? 'token' : 'tokens');
}

export function rate(tokensPerSecond: number | undefined): string {
	if (!tokensPerSecond)
		return '';
	return `${tokensPerSecond.toFixed(tokensPerSecond < 10 ? 1 : 0)} tok/s`;
}

/** The parts that say something, apart. */
export function joined(...parts: string[]): string {
	return parts.filter(Boolean).join(' · ');
}

/** "1,234" as people here write it. */
export function whole(count: number): string {
	return count.toLocaleString();
}

/** "48 kB", "1.2 MB": powers of 1000, as file managers say it. */
export function bytes(count: number): string {
	const units = ['bytes', 'kB', 'MB', 'GB'];
	let value = count;
	let unit = 0;

	while (value >= 1000 && unit < units.length - 1) {
		value /= 1000;
		unit++;
	}
	return `${unit && value < 10 ? value.toFixed(1) : Math.round(value)} ` +
	    units[unit];
}
