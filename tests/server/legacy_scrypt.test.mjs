import { takes_over } from "./legacy.mjs";

takes_over("scrypt");
