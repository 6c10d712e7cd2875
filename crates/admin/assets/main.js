// Puts the parts of the page together.

import { announce } from "./announce.js";
import { stay } from "./connection.js";
import { detail } from "./detail.js";
import { keys } from "./keys.js";
import { list } from "./list.js";
import { summary } from "./summary.js";

summary();
list();
detail();
announce();
keys();
stay();
