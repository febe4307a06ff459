/*
 * The WebSocket to the server: opens it, opens it again when it drops
 * (0.5 s to 15 s apart, with jitter), and says where it stands.
 */
import { type ClientFrame, parseEvent, type ServerEvent } from './events';

/**
 * open: frames go through; waiting: it was open and comes back; refused: it
 * never opened, so that messages go by HTTP while it is tried on.
 */
export type LinkState = 'connecting' | 'open' | 'waiting' | 'refused';

export interface LinkListener {
	event(event: ServerEvent): void;
	state(state: LinkState): void;
	/** Two tries failed in a row: perhaps the session ended. */
	doubt(): void;
}

/** A frame the server takes is at most 64 KiB; this leaves some room. */
export const FRAME_MAX = 60 * 1024;

const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;

export class Link {
	state: LinkState = 'connecting';
	private socket: WebSocket | null = null;
	private failures = 0;
	private opened = false;
	private timer = 0;

	constructor(private readonly listener: LinkListener) {
		addEventListener('online', () => {
			if (!this.socket)
				this.connect();
		});
		addEventListener('pagehide', () => this.socket?.close());
		addEventListener('pageshow', (event) => {
			if (event.persisted && !this.socket)
				this.connect();
		});
	}

	connect(): void {
		const url = new URL('/ws/chat', location.href);

		clearTimeout(this.timer);
		url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
		url.hash = '';
		const socket = new WebSocket(url);

		this.socket = socket;
		socket.addEventListener('open', () => {
			this.failures = 0;
			this.opened = true;
			this.become('open');
		});
		socket.addEventListener('message', (message) => {
			const event = typeof message.data === 'string' ?
			    parseEvent(message.data) : null;

			if (event)
				this.listener.event(event);
		});
		socket.addEventListener('close', () => {
			if (this.socket !== socket)
				return;
			this.socket = null;
			this.retry();
		});
	}

	/** False when the frame did not leave. */
	send(frame: ClientFrame): boolean {
		if (this.socket?.readyState !== WebSocket.OPEN)
			return false;
		this.socket.send(JSON.stringify(frame));
		return true;
	}

	private retry(): void {
		const wait = Math.min(LONGEST_WAIT,
		    FIRST_WAIT * 2 ** this.failures);

		this.failures++;
		if (this.opened)
			this.become('waiting');
		else if (this.failures >= 2)
			this.become('refused');
		if (this.failures % 4 === 2)
			this.listener.doubt();
		this.timer = window.setTimeout(() => this.connect(),
		    wait * (0.75 + Math.random() / 2));
	}

	private become(state: LinkState): void {
		if (this.state === state)
			return;
		this.state = state;
		this.listener.state(state);
	}
}
