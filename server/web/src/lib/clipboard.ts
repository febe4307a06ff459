import { toast } from './toast';

/** Copies text and says so; a refusal (no permission) is said too. */
export async function copy(text: string): Promise<void> {
	try {
		await navigator.clipboard.writeText(text);
		toast('Copied.');
	} catch {
		toast('The browser did not allow copying.');
	}
}
