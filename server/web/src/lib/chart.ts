/*
 * A line over days, drawn without a style of its own: the sheet colours it.
 * Whoever cannot see it hears its sentence; the numbers belong in a table.
 */
import { draw, h } from './dom';
import { whole } from './numbers';

export interface Point {
	/** What stands for it on the axis: "3 Nov". */
	label: string;
	value: number;
}

/* Units of the drawing, which is stretched to the width there is. */
const STEP = 10;
const HEIGHT = 100;
const MARGIN = 6;

/** The greatest one, the last of several. */
function peak(points: Point[]): Point | undefined {
	return points.reduce<Point | undefined>((best, point) =>
	    best && best.value > point.value ? best : point, undefined);
}

/** `what` names the values: "Messages a day". */
export function lineChart(what: string, points: Point[]): HTMLElement {
	const top = peak(points);
	const first = points[0];
	const last = points.at(-1);

	if (!first || !last || !top)
		return h('p', { class: 'note' }, `${what}: no days.`);
	const sum = points.reduce((all, { value }) => all + value, 0);
	const x = (i: number): number => STEP * (i + .5);
	const y = (value: number): number => HEIGHT - MARGIN -
	    (HEIGHT - 2 * MARGIN) * value / Math.max(top.value, 1);
	const at = points.map(({ value }, i) => `${x(i)} ${y(value).toFixed(1)}`);
	const most = `at most ${whole(top.value)}, on ${top.label}`;

	return h('figure', { class: 'chart' },
	    h('figcaption', {}, h('span', {}, what),
	        h('small', { class: 'mono' }, most)),
	    draw('svg', {
		    role: 'img',
		    viewBox: `0 0 ${STEP * points.length} ${HEIGHT}`,
		    preserveAspectRatio: 'none',
		    'aria-label': `${what}, ${first.label} to ${last.label}: ` +
		        `${whole(sum)} in all, ${most}.`,
	    },
	        ...points.map(({ label, value }, i) => draw('rect', {
		        x: STEP * i, y: 0, width: STEP, height: HEIGHT,
	        }, draw('title', {}, `${label}: ${whole(value)}`))),
	        draw('path', { class: 'floor',
	            d: `M0 ${y(0)}H${STEP * points.length}` }),
	        draw('path', { d: `M${at.join('L')}` }),
	        /* A line without a length is a dot, however the rest stretches. */
	        draw('path', { class: 'dots', d: at.filter((_, i) =>
	            points[i]?.value).map((place) => `M${place}h0`).join('') })),
	    h('div', { class: 'axis mono', 'aria-hidden': 'true' },
	        h('span', {}, first.label), h('span', {}, last.label)));
}
