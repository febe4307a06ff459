/* The JSON this app reads; see the API's documentation. */

export interface Me {
	user_id: string;
	username: string;
	email: string | null;
	role: 'user' | 'admin';
	blocked?: boolean;
}

export interface Conversation {
	id: string;
	title: string;
	model: string | null;
	archived: boolean;
	pinned: boolean;
	total_tokens: number;
	updated_at: string;
}

export interface Message {
	id: number;
	role: 'user' | 'assistant' | 'system' | 'tool';
	content: string;
	timestamp: string;
	tokens: number | null;
	model: string | null;
	state?: 'complete' | 'streaming' | 'stopped' | 'failed' | 'interrupted';
}

export interface Thread {
	messages: Message[];
	model: string | null;
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

export interface Settings {
	allow_registration: boolean;
	provider: string;
	model: string | null;
	base_url: string | null;
	system_prompt: string | null;
	api_key_set: boolean;
	api_key_last4?: string | null;
}
