/* The JSON this app reads; see the API's documentation. */

export interface Me {
	user_id: string;
	username: string;
	email: string | null;
	full_name?: string | null;
	/** Where the picture is, or null. */
	profile_pic?: string | null;
	role: 'user' | 'admin';
	blocked?: boolean;
}

/** A text of the prompt library. */
export interface Prompt {
	id: number;
	title: string;
	content: string;
	/** Everybody has it; administrators write it. */
	is_global: boolean;
}

export interface Conversation {
	id: string;
	title: string;
	model: string | null;
	archived: boolean;
	pinned: boolean;
	total_tokens: number;
	updated_at: string;
	group_id?: string | null;
	project_id?: string | null;
	project_title?: string | null;
	tags?: string[];
}

/** A folder of the list. */
export interface Group {
	id: string;
	title: string;
}

/** A tag and how many conversations have it. */
export interface Tag {
	tag: string;
	count: number;
}

export interface Project {
	id: string;
	title: string;
	description: string | null;
	/** How many it has. */
	documents: number;
}

/** A document of a project. */
export interface Doc {
	id: number;
	filename: string;
	/** In bytes. */
	size: number;
	/** Passages so far, and pages where it has any. */
	chunks: number;
	pages?: number | null;
	status: 'queued' | 'reading' | 'ready' | 'failed';
	/** Why it was not read. */
	reason?: string | null;
}

/** What an answer was given to read. */
export interface Source {
	n: number;
	document_id: number | null;
	filename: string;
	page?: number | null;
	line?: number | null;
}

/** A message that a search found. */
export interface Hit {
	/** Null when the title was found. */
	id: number | null;
	session_id: string;
	session_title: string;
	role: Message['role'] | 'title';
	/** Plain text. */
	snippet: string;
	/** Where what was found begins and ends in it, in UTF-16 units. */
	marks: [number, number][];
	timestamp: string;
	model: string | null;
}

/** One call of a tool that the model asked for. */
export interface ToolRun {
	call_id: number;
	name: string;
	status: 'asking' | 'running' | 'done' | 'failed' | 'denied';
	/** A JSON object, as text. */
	arguments?: string | null;
	result?: string | null;
	error?: string | null;
}

export interface Message {
	id: number;
	role: 'user' | 'assistant' | 'system' | 'tool';
	content: string;
	/** Base64, without a data: prefix. */
	images?: string[] | null;
	timestamp: string;
	pinned?: boolean;
	tokens: number | null;
	/** The tokens were counted here, not by the provider. */
	is_estimated?: boolean;
	model: string | null;
	state?: 'complete' | 'streaming' | 'stopped' | 'failed' | 'interrupted';
	finish_reason?: string | null;
	/** What was said when it failed. */
	error?: string | null;
	thinking?: string | null;
	tools?: ToolRun[] | null;
	sources?: Source[] | null;
}

/** A text file that goes with a question, as the model is shown it. */
export interface AttachedFile {
	filename: string;
	content: string;
}

/** What a person sends: words, pictures (base64) and a file. */
export interface Question {
	text: string;
	images: string[];
	file: AttachedFile | null;
}

export interface Thread {
	messages: Message[];
	model: string | null;
	project_id?: string | null;
}

export interface Provider {
	provider: string;
	model?: string | null;
	base_url?: string | null;
}

export interface Account {
	user_id: string;
	username: string;
	email: string | null;
	full_name?: string | null;
	role: 'user' | 'admin';
	blocked: boolean;
	created_at: string;
	last_login_at?: string | null;
}

/** One sign-in session of the own account. */
export interface SignIn {
	id: string;
	current: boolean;
	address: string | null;
	agent: string | null;
	created_at: string;
}

/** A provider of the server's build. */
export interface ProviderChoice {
	name: string;
	title: string;
	help: string;
	/** Where it is when nobody says otherwise; null: somebody has to. */
	base_url: string | null;
	is_local: boolean;
	wants_key: boolean;
	/** Well-known ones. */
	models: string[];
}

type Origin = 'user' | 'instance' | 'environment' | 'default';

/** What answers, and how, for a person or for all: the values in force, and
 * where each came from. */
export interface ModelSettings {
	provider: string;
	provider_origin: Origin;
	model: string | null;
	model_origin: Origin;
	base_url: string | null;
	base_url_origin: Origin;
	temperature: number | null;
	context_tokens: number | null;
	/** Null: as the next level says. */
	auto_title: boolean | null;
	system_prompt: string | null;
	api_key_set: boolean;
	api_key_last4?: string | null;
	providers: ProviderChoice[];
}

export interface Settings extends ModelSettings {
	allow_registration: boolean;
}

/** A tool that a model may call. */
export interface Tool {
	id: string;
	name: string;
	description: string | null;
	definition: unknown;
	/** bare: without an endpoint, so that a call ends in an error. */
	kind: 'builtin' | 'http' | 'bare';
	is_global: boolean;
	enabled: boolean;
	asks_first: boolean;
	/** False when it lacks what an administrator has to set up. */
	available: boolean;
}

/** What a person has asked and got. */
export interface Stats {
	session_count: number;
	message_count: number;
	total_tokens: number;
	/** Most tokens first; null: nobody knows which it was. */
	models: { model: string | null; answers: number; tokens: number }[];
	/** The last 30, UTC, today last. */
	days: Day[];
}

export interface Day {
	/** "2026-01-31". */
	date: string;
	messages: number;
	tokens: number;
}
