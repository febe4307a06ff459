/* Requests to this server's API. */

export class ApiError extends Error {
	constructor(
		readonly status: number,
		message: string,
		readonly field: string | undefined,
		readonly retryAfter: number,
	) {
		super(message);
	}

	/** The account is blocked: it reads, and nothing else. */
	get blocked(): boolean {
		return this.status === 403 && this.message.includes('blocked');
	}
}

/** Fetches with our headers; throws ApiError with the server's sentence. */
export async function request(method: string, path: string,
    body?: BodyInit | null, type?: string): Promise<Response> {
	const headers = new Headers({ 'X-Requested-With': 'XMLHttpRequest' });
	let reply: Response;

	if (type)
		headers.set('Content-Type', type);
	try {
		reply = await fetch(path, {
			method,
			headers,
			body: body ?? null,
			credentials: 'same-origin',
			redirect: 'error',
		});
	} catch {
		throw unreachable();
	}
	if (!reply.ok)
		throw await failure(reply);
	return reply;
}

function unreachable(): ApiError {
	return new ApiError(0, 'The server can’t be reached. ' +
	    'Check the connection and try again.', undefined, 0);
}

async function failure(reply: Response): Promise<ApiError> {
	const wait = Number(reply.headers.get('Retry-After')) || 0;
	let message = `The server answered ${reply.status}.`;
	let field: string | undefined;

	try {
		const body: unknown = await reply.json();

		if (body && typeof body === 'object') {
			const { error, field: named } = body as Record<string, unknown>;

			if (typeof error === 'string')
				message = sentence(error);
			if (typeof named === 'string')
				field = named;
		}
	} catch {
		/* Not JSON (a proxy's page): the status says it. */
	}
	if (reply.status === 429 && wait > 0)
		message = `Too many requests. Try again in ${wait} s.`;
	return new ApiError(reply.status, message, field, wait);
}

/** Ends a message of the API as a sentence. */
export function sentence(message: string): string {
	return /[.!?…]$/.test(message) ? message : `${message}.`;
}

/**
 * One JSON request, one JSON reply.  Whoever is not signed in (any more)
 * is sent to the login page.
 */
export async function api<T>(method: string, path: string,
    body?: unknown): Promise<T> {
	const reply = await signedIn(path, request(method, path,
	    body === undefined ? null : JSON.stringify(body),
	    body === undefined ? undefined : 'application/json'));

	return await reply.json() as T;
}

/** A page of a list, and where the next one begins (null: it is the last). */
export async function apiPage<T>(path: string):
Promise<{ body: T[]; next: string | null }> {
	const reply = await signedIn(path, request('GET', path));

	return {
		body: await reply.json() as T[],
		next: reply.headers.get('X-Next-Cursor'),
	};
}

/** Sends files as a form would. */
export async function upload<T>(path: string, name: string,
    files: File[], method = 'POST'): Promise<T> {
	const form = new FormData();

	for (const file of files)
		form.append(name, file, file.name);
	const reply = await signedIn(path, request(method, path, form));

	return await reply.json() as T;
}

/** Sends one file as a form would and tells how much of it is there (0 to 1);
 * fetch() can't say. */
export async function send(path: string, name: string, file: File,
    progress: (part: number) => void): Promise<void> {
	const form = new FormData();
	const wire = new XMLHttpRequest();

	form.append(name, file, file.name);
	wire.upload.addEventListener('progress', (event) => {
		if (event.lengthComputable)
			progress(event.loaded / event.total);
	});
	wire.open('POST', path);
	wire.setRequestHeader('X-Requested-With', 'XMLHttpRequest');
	await signedIn(path, new Promise((resolve, reject) => {
		wire.addEventListener('load', () => {
			const reply = new Response(wire.responseText, {
				status: wire.status,
				headers: {
					'Retry-After':
					    wire.getResponseHeader('Retry-After') ?? '',
				},
			});

			if (reply.ok)
				resolve(reply);
			else
				failure(reply).then(reject, reject);
		});
		wire.addEventListener('error', () => reject(unreachable()));
		wire.send(form);
	}));
}

async function signedIn(path: string,
    asked: Promise<Response>): Promise<Response> {
	try {
		return await asked;
	} catch (error) {
		if (error instanceof ApiError && error.status === 401 &&
		    !path.startsWith('/api/auth/'))
			location.assign('/login');
		throw error;
	}
}

/** What to tell a person about any failure. */
export function explain(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}

export async function signOut(): Promise<void> {
	await api('POST', '/api/auth/logout', {});
	sessionStorage.clear();
	location.assign('/login');
}
