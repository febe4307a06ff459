/*
 * Puts an answer together from chunks that may arrive twice (a resumed
 * stream) or leave a hole (a dropped connection).  Offsets are in UTF-8
 * bytes, as the server counts them.
 */
import type { Chunk } from './events';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export type Verdict = 'applied' | 'seen' | 'gap';

export class Answer {
	text = '';
	/** UTF-8 bytes of `text`: what to resume after. */
	bytes = 0;

	/** Appends what is new of a chunk; a gap changes nothing. */
	apply(chunk: Pick<Chunk, 'chunk' | 'from' | 'seq'>): Verdict {
		if (chunk.seq <= this.bytes)
			return 'seen';
		if (chunk.from > this.bytes)
			return 'gap';
		if (chunk.from === this.bytes) {
			this.text += chunk.chunk;
		} else {
			const all = encoder.encode(chunk.chunk);

			this.text += decoder.decode(
			    all.subarray(this.bytes - chunk.from));
		}
		this.bytes = chunk.seq;
		return 'applied';
	}
}
