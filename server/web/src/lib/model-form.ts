/*
 * The form for what answers: provider, model, address, key, temperature,
 * context, titles and system prompt, of a person or of everybody.  A field is empty where nothing
 * was chosen on this level; what is in force then stands in it as a hint.
 */
import { api } from './api';
import { byId, control, h } from './dom';
import type { ModelSettings, ProviderChoice } from './types';

export class ModelForm {
	private readonly provider: HTMLSelectElement;
	private readonly model: HTMLInputElement;
	private readonly baseUrl: HTMLInputElement;
	private readonly key: HTMLInputElement;
	private readonly temperature: HTMLInputElement;
	private readonly context: HTMLInputElement;
	private readonly titles: HTMLSelectElement;
	private readonly prompt: HTMLTextAreaElement;
	private readonly clearKey = byId('key-clear', HTMLButtonElement);
	private readonly names = byId('settings-models', HTMLElement);
	private settings: ModelSettings | null = null;

	/** `level` says which choices are this form's own. */
	constructor(private readonly form: HTMLFormElement,
	    private readonly level: 'user' | 'instance',
	    clearKey: () => void) {
		this.provider = control(form, 'provider', HTMLSelectElement);
		this.model = control(form, 'model', HTMLInputElement);
		this.baseUrl = control(form, 'base_url', HTMLInputElement);
		this.key = control(form, 'api_key', HTMLInputElement);
		this.temperature = control(form, 'temperature', HTMLInputElement);
		this.context = control(form, 'context_tokens', HTMLInputElement);
		this.titles = control(form, 'auto_title', HTMLSelectElement);
		this.prompt = control(form, 'system_prompt', HTMLTextAreaElement);
		this.provider.addEventListener('change', () => {
			this.model.value = this.baseUrl.value = this.key.value = '';
			this.chosen();
		});
		this.clearKey.addEventListener('click', clearKey);
	}

	fill(settings: ModelSettings): void {
		const own = settings.provider_origin === this.level;
		const inForce = settings.providers.find(({ name }) =>
		    name === settings.provider)?.title ?? settings.provider;
		const none = this.level === 'user' ? 'As on this server' :
		    'Not chosen';

		this.settings = settings;
		this.provider.replaceChildren(
		    h('option', { value: '' }, own ? none : `${none} (${inForce})`),
		    ...settings.providers.map(({ name, title }) =>
		        h('option', { value: name }, title)));
		this.provider.value = own ? settings.provider : '';
		this.model.value = settings.model_origin === this.level ?
		    settings.model ?? '' : '';
		this.baseUrl.value = settings.base_url_origin === this.level ?
		    settings.base_url ?? '' : '';
		this.temperature.value = settings.temperature === null ? '' :
		    String(settings.temperature);
		this.context.value = settings.context_tokens === null ? '' :
		    String(settings.context_tokens);
		this.titles.value = settings.auto_title === null ? '' :
		    String(settings.auto_title);
		this.prompt.value = settings.system_prompt ?? '';
		this.key.value = '';
		this.chosen();
		void this.offer();
	}

	/** What to send; throws what the person has to mend. */
	changes(): Record<string, unknown> {
		const temperature = this.temperature.value.trim();
		if (!this.temperature.validity.valid)
			throw new Error('The temperature is a number from 0 to 2.');
		const context = this.context.value.trim();
		if (!this.context.validity.valid)
			throw new Error('The context is a whole number of tokens ' +
			    'from 256 to 10000000.');
		const titles = this.titles.value;
		return {
			provider: this.provider.value,
			model: this.model.value.trim(),
			base_url: this.isWired() ? this.baseUrl.value.trim() : '',
			temperature: temperature === '' ? null : Number(temperature),
			context_tokens: context === '' ? null : Number(context),
			auto_title: titles === '' ? null : titles === 'true',
			system_prompt: this.prompt.value,
			...(this.key.value ? { api_key: this.key.value } : {}),
		};
	}

	private choice(): ProviderChoice | undefined {
		return this.settings?.providers.find(({ name }) =>
		    name === this.provider.value);
	}

	/* It is somewhere, and may want a key. */
	private isWired(): boolean {
		return !['', 'offline'].includes(this.provider.value);
	}

	/* Shows what matters to the provider that is chosen now. */
	private chosen(): void {
		const { settings } = this;
		const choice = this.choice();
		const isSaved = settings?.provider_origin === this.level &&
		    settings.provider === this.provider.value;
		const isInForce = isSaved || (settings?.provider_origin !==
		    this.level && !choice);
		const hasKey = isSaved && settings?.api_key_set;
		const last = settings?.api_key_last4;

		byId('settings-provider-note', HTMLElement).textContent =
		    choice ? `${choice.help}.` : '';
		this.field('address').hidden = !this.isWired();
		this.field('key').hidden = !this.isWired();
		byId('settings-base-url-note', HTMLElement).textContent =
		    choice?.base_url ? 'Empty: the provider’s own address.' :
		    'Where it is; this kind has no address of its own.';
		this.baseUrl.placeholder = choice?.base_url ?? '';
		this.model.placeholder = isInForce && settings?.model ?
		    settings.model : '';
		this.clearKey.hidden = !hasKey;
		byId('key-note', HTMLElement).textContent = hasKey ?
		    `A key is set${last ? ` (ends in ${last})` : ''}. ` +
		    'Leave this empty to keep it.' :
		    choice?.wants_key ? 'No key is set; this provider needs one.' :
		    'No key is set.';
		this.suggest(choice?.models ?? []);
	}

	private field(what: string): HTMLElement {
		const el = this.form.querySelector(`[data-for="${what}"]`);

		if (!(el instanceof HTMLElement))
			throw new Error(`the form has no ${what}`);
		return el;
	}

	/* The models that the provider in force has now, if it says. */
	private async offer(): Promise<void> {
		const asked = this.settings;
		const names = await api<string[]>('GET', '/api/provider/models')
			.catch((): string[] => []);

		if (this.settings === asked && names.length &&
		    [asked?.provider, ''].includes(this.provider.value))
			this.suggest(names);
	}

	private suggest(names: string[]): void {
		this.names.replaceChildren(...names.map((value) =>
		    h('option', { value })));
	}
}
