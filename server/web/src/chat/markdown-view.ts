/*
 * An answer on the page while it grows: at most once a frame, and only the
 * blocks whose source changed are made again, so that a long answer stays
 * cheap and a selection in its finished part survives.
 */
import { blocks, renderBlock } from '../lib/markdown';

interface Piece {
	key: string;
	nodes: Node[];
}

export class MarkdownView {
	private pieces: Piece[] = [];
	private text = '';
	private frame = 0;

	/** `drawn` runs after each change of the page. */
	constructor(readonly el: HTMLElement,
	    private readonly drawn: () => void = () => undefined) {
	}

	/** Shows the text at the next frame. */
	update(text: string): void {
		this.text = text;
		if (!this.frame)
			this.frame = requestAnimationFrame(() => this.flush());
	}

	/** Shows the text now; background tabs get no frames. */
	flush(text = this.text): void {
		cancelAnimationFrame(this.frame);
		this.frame = 0;
		this.text = text;
		this.draw();
		this.drawn();
	}

	private draw(): void {
		const { list, links } = blocks(this.text);
		let same = 0;

		while (same < list.length && same < this.pieces.length &&
		    list[same]?.key === this.pieces[same]?.key)
			same++;
		for (const piece of this.pieces.splice(same))
			for (const node of piece.nodes)
				node.parentNode?.removeChild(node);
		for (const { key, token } of list.slice(same)) {
			const nodes = renderBlock(token, links);

			this.el.append(...nodes);
			this.pieces.push({ key, nodes });
		}
	}
}
