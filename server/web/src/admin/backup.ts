/* The last verified backup.  Asked for again and again while the page is seen,
 * and judged in between: an old one has to show itself unasked. */
import { api, explain } from '../lib/api';
import { byId, h } from '../lib/dom';
import { bytes } from '../lib/numbers';

const PERIOD = 60_000;

interface Receipt {
	name: string;
	created_at: string;
	age_seconds: number;
	bytes: number;
	is_encrypted: boolean;
	verified: string;
}

interface Status {
	backup: {
		state: 'fresh' | 'old' | 'future' | 'none';
		is_stale: boolean;
		max_age_seconds: number;
		last: Receipt | null;
	};
}

function duration(seconds: number): string {
	const units: [string, number][] =
	    [['day', 86_400], ['hour', 3600], ['minute', 60]];

	for (const [unit, size] of units) {
		const count = Math.floor(seconds / size);

		if (count > 1 || (count === 1 && unit !== 'day'))
			return `${count} ${unit}${count > 1 ? 's' : ''}`;
	}
	return 'less than a minute';
}

export class BackupState {
	private readonly box = byId('backup', HTMLElement);
	private status: Status['backup'] | null = null;
	private askedAt = 0;
	private trouble = '';
	private timer = 0;

	watch(): void {
		document.addEventListener('visibilitychange', () => this.ask());
		this.ask();
	}

	private ask(): void {
		clearTimeout(this.timer);
		if (document.hidden)
			return;
		this.timer = window.setTimeout(() => this.ask(), PERIOD);
		api<Status>('GET', '/api/admin/status').then((status) => {
			this.status = status.backup;
			this.askedAt = performance.now();
			this.trouble = '';
		}, (error: unknown) => {
			this.trouble = explain(error);
		}).finally(() => this.draw());
	}

	/* The server's clock said how old it was; since then only time passed. */
	private age(last: Receipt): number {
		return last.age_seconds + (performance.now() - this.askedAt) / 1000;
	}

	private draw(): void {
		const lines: string[] = [];
		const { status } = this;
		const last = status?.last;
		const stale = status !== null && (status.is_stale ||
		    (!!last && this.age(last) > status.max_age_seconds));

		if (status && !last)
			lines.push('No backup was ever verified. Let cron or the ' +
			    'timer run “lnctl backup create”.');
		if (status && last) {
			const age = duration(this.age(last));
			const limit = duration(status.max_age_seconds);

			lines.push(status.state === 'future' ?
			    'The last verified backup is from the future: check ' +
			    'the clock.' : `The last verified backup is ${age} old` +
			    (stale ? `, older than ${limit}. See why the nightly ` +
			    'one did not run.' : '.'));
		}
		if (this.trouble)
			lines.push(this.trouble);
		this.box.className = stale || this.trouble ? 'backup stale' :
		    'backup';
		/* Replaced only by something else: a reader need not hear it again. */
		const parts = [lines.join(' ')];

		if (last)
			parts.push(`${last.name} · ${bytes(last.bytes)} · ` +
			    `verified: ${last.verified}` +
			    (last.is_encrypted ? ' · encrypted' : ''));
		if (parts.join('\n') === this.box.dataset['said'])
			return;
		this.box.dataset['said'] = parts.join('\n');
		this.box.replaceChildren(...parts.filter(Boolean).map((text, i) =>
		    h(i ? 'code' : 'strong', {}, text)));
	}
}
