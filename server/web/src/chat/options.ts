/* How answers are made, for every message sent from this browser. */

export interface Options {
	top_p?: number;
	top_k?: number;
	repeat_penalty?: number;
	max_tokens?: number;
}

/** A name, its words, and what the server takes. */
export const OPTIONS: {
	name: keyof Options; label: string; min: number; max: number;
	step: number;
}[] = [
	{ name: 'max_tokens', label: 'Most tokens',
	    min: 1, max: 1_000_000, step: 1 },
	{ name: 'top_p', label: 'Top p', min: 0, max: 1, step: 0.01 },
	{ name: 'top_k', label: 'Top k', min: 0, max: 1000, step: 1 },
	{ name: 'repeat_penalty', label: 'Repeat penalty', min: 0, max: 10,
	    step: 0.01 },
];

const KEY = 'options';

/** What this browser keeps; nothing that is out of range. */
export function readOptions(): Options {
	const options: Options = {};
	let kept: unknown;

	try {
		kept = JSON.parse(localStorage.getItem(KEY) ?? '{}');
	} catch {
		return options;
	}
	if (!kept || typeof kept !== 'object')
		return options;
	for (const { name, min, max } of OPTIONS) {
		const value = (kept as Record<string, unknown>)[name];

		if (typeof value === 'number' && value >= min && value <= max)
			options[name] = value;
	}
	return options;
}

export function keepOptions(options: Options): void {
	if (Object.keys(options).length)
		localStorage.setItem(KEY, JSON.stringify(options));
	else
		localStorage.removeItem(KEY);
}

/** As a member of a frame, which has none without a choice. */
export function chosenOptions(): { options?: Options } {
	const options = readOptions();

	return Object.keys(options).length ? { options } : {};
}
