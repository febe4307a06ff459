// Many people ask at once.  The whole of it is `make bench-streams`.

import { test } from "node:test";
import { judge, load } from "../bench/load.mjs";

test("sixty answers at once arrive whole and in order, and leave no memory " +
    "behind", async () => {
	judge(await load({ streams: 60, tokens: 60, delay_ms: 25, each: 5 }));
});
