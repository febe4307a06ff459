// 500 answers at once, 40 words a second and 200 words each, through the real
// server: `make bench-streams`, with the number of streams as an argument if
// another one is wanted.  Prints what was measured; ends with 1 when an answer
// did not arrive whole and in order, or memory did not come back.
//
// tests/server/load.test.mjs runs a smaller one with `make check`.

import { judge, load } from "./load.mjs";

const result = await load({
	streams: Number(process.argv[2] ?? 500), tokens: 200, delay_ms: 25, each: 5,
});
console.log(JSON.stringify(result, null, 2));
judge(result);
