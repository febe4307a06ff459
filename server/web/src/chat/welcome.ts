/* What an empty conversation shows. */
import { h } from '../lib/dom';
import type { Prompt, Provider } from '../lib/types';

const STARTERS = [
	'Explain a hard idea in plain words.',
	'Help me plan a small project.',
	'Turn my notes into a short summary.',
];

/* What the handbook can answer without a model. */
const OFFLINE_STARTERS = [
	'How do I connect a language model?',
	'Who can read my conversations?',
	'How do I take a copy of the database?',
];

/** The person's own prompts come first; `use` takes a starter's text into the composer. */
export function welcome(provider: Provider | null, admin: boolean,
    own: Prompt[], use: (text: string) => void): HTMLElement {
	const offline = provider?.provider === 'offline';
	const starters = h('div', { class: 'starters' },
	    ...[
		    ...own.map(({ title, content }) => ({ title, content })),
		    ...(offline ? OFFLINE_STARTERS : STARTERS).map((text) =>
		        ({ title: text, content: text })),
	    ].slice(0, STARTERS.length).map(({ title, content }) => h('button', {
		    type: 'button', on: { click: () => use(content) },
	    }, title)));

	if (offline)
		return h('div', { class: 'welcome' },
		    h('h2', {}, 'No language model is connected yet'),
		    h('p', {}, 'You can chat right away: the built-in offline ' +
		        'provider searches your own conversations and the handbook ' +
		        'of this server, and quotes what it finds. It is not a ' +
		        'language model and does not pretend to be one.'),
		    h('p', {}, admin ?
		        'Three ways to connect a model:' :
		        'Three ways to connect a model; the first two are for an ' +
		            'administrator:'),
		    ways(admin), starters);
	return h('div', { class: 'welcome' },
	    h('h2', {}, 'What shall we look at?'), starters);
}

function ways(admin: boolean): HTMLElement {
	return h('ol', { class: 'ways' },
	    h('li', {}, h('strong', {}, 'On this machine. '),
	        'Install Ollama, then run ',
	        h('code', {}, 'lnctl provider set --global ollama -m MODEL'), '.'),
	    h('li', {}, h('strong', {}, 'On another machine of yours. '),
	        'Name its address in ', h('code', {}, 'LOCALNEURAL_ALLOWED_ENDPOINTS'),
	        ', then run ', h('code', {},
	            'lnctl provider set --global ollama --base-url URL -m MODEL'), '.'),
	    h('li', {}, h('strong', {}, 'In the browser. '),
	        'Choose provider, model and key ', ...(admin ? [
	            'for everybody on the ',
	            h('a', { href: '/admin#settings-h' },
	                'administration page'), '.'] : [
	            'for yourself on the page ',
	            h('a', { href: '/settings#model-h' }, 'Your account'),
	            '.'])));
}
