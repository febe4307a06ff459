/* What goes over /ws/chat, one JSON object a frame. */
import type { AttachedFile, Doc, Source, ToolRun } from '../lib/types';
import type { Options } from './options';

export interface UserMessage {
	type: 'user_message';
	prompt: string;
	session_id?: string;
	temp_id: string;
	images?: string[];
	file_context?: AttachedFile;
	/** With msg_id: replaces that question and all that follows it. */
	is_edit?: true;
	msg_id?: number;
	/** Of a conversation that this message begins. */
	model?: string;
	system_prompt?: string;
	project_id?: string;
	options?: Options;
}

export type ClientFrame =
	| UserMessage
	| { type: 'regenerate'; session_id: string; options?: Options }
	| { type: 'continue'; session_id: string; options?: Options }
	| { type: 'tool_decision'; session_id: string; call_id: number;
	    allow: boolean }
	| { type: 'stop_generation'; session_id: string }
	| { type: 'resume'; session_id: string; after: number };

export interface Chunk {
	type: 'stream_chunk';
	session_id: string;
	chunk: string;
	/** Offset, in UTF-8 bytes of the answer, of the chunk's first byte. */
	from: number;
	/** The same of the byte behind its last. */
	seq: number;
	tokens?: number;
	/** Until the provider says a number, it is a guess. */
	is_estimated?: boolean;
	tps?: number;
}

/** A question is durable.  Every open tab hears it: the text is for those
 * that did not send it. */
export interface Saved {
	type: 'message_saved';
	session_id: string;
	temp_id?: string | null;
	db_id: number;
	prompt?: string;
}

export interface Done {
	type: 'stream_done';
	session_id: string;
	db_id?: number | null;
	tokens?: number;
	duration_ms?: number;
	finish_reason?: string;
	is_estimated?: boolean;
	sources?: Source[] | null;
}

/** A call of a tool changed its state. */
export interface ToolCall extends ToolRun {
	type: 'tool_call';
	session_id: string;
}

export type ServerEvent =
	| { type: 'session_created'; session_id: string; title: string }
	| Saved
	| Chunk
	| ToolCall
	| { type: 'thinking'; session_id: string; chunk: string }
	| Done
	| { type: 'title_updated'; session_id: string; title: string }
	| { type: 'error'; session_id?: string; error: string }
	/** Of one conversation, or of several. */
	| { type: 'history_changed'; session_id?: string }
	/** A document is new, has another state, or is gone (null). */
	| { type: 'document'; project_id: string; document_id: number;
	    document: Doc | null }
	| { type: 'pong' };

/** An event of the wire, or null for what this app does not know. */
export function parseEvent(text: string): ServerEvent | null {
	try {
		const value: unknown = JSON.parse(text);

		if (value && typeof value === 'object' && 'type' in value &&
		    typeof value.type === 'string')
			return value as ServerEvent;
	} catch {
		/* Not ours: a frame that is no JSON object says nothing. */
	}
	return null;
}
