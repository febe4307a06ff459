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
