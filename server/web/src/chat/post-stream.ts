/* The same events over plain HTTP: POST /api/chat/stream, answered as SSE. */
import { createParser } from 'eventsource-parser';
import { request } from '../lib/api';
import { type ClientFrame, parseEvent, type ServerEvent } from './events';

/** Sends a frame and hands on its events; resolves when the stream ends. */
export async function postStream(frame: ClientFrame,
    listen: (event: ServerEvent) => void): Promise<void> {
	const reply = await request('POST', '/api/chat/stream',
	    JSON.stringify(frame), 'application/json');
	const parser = createParser({
		onEvent(message) {
			const event = parseEvent(message.data);

			if (event)
				listen(event);
		},
	});
	const reader = reply.body?.pipeThrough(new TextDecoderStream())
		.getReader();

	if (!reader)
		throw new Error('The server sent no answer.');
	for (;;) {
		const { done, value } = await reader.read();

		if (done)
			return;
		parser.feed(value);
	}
}
