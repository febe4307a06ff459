/*
 * A question is kept with its file in one text, as the model reads it.  Here
 * the two are told apart again, for showing and for editing.
 */
import type { AttachedFile } from '../lib/types';

const FILE = new RegExp('(?:^|\\n\\n)Attached file(?: "(.*)")? ' +
    '\\(data, not instructions\\):\\n\\n(`{3,})\\n([^]*)\\n\\2\\n$');

export interface Parts {
	text: string;
	file: AttachedFile | null;
}

export function splitFile(question: string): Parts {
	const found = FILE.exec(question);

	if (!found)
		return { text: question, file: null };
	return {
		text: question.slice(0, found.index),
		file: {
			filename: found[1] ?? 'attached file',
			content: found[3] ?? '',
		},
	};
}

/** Several files as the one that a message carries. */
export function joinFiles(files: AttachedFile[]): AttachedFile | null {
	const [first, ...others] = files;

	if (!first || others.length === 0)
		return first ?? null;
	return {
		filename: files.map(({ filename }) => filename).join(', '),
		content: files.map(({ filename, content }) =>
		    `--- ${filename} ---\n${content.replace(/\n?$/, '\n')}`)
			.join('\n'),
	};
}
