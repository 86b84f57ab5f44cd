// All tests of the installed npm package. They are in one file, because it is built and installed once for each.

import { globalsTests } from "./globals.ts";
import { networkTests } from "./network.ts";
import { perlTests } from "./perl.ts";
import { programTestsOnNode } from "./program.ts";
import { runtimesTests } from "./runtimes.ts";
import { smokeTests } from "./smoke.ts";
import { unitTests } from "./unit.ts";
import { webSocketTests } from "./web_sockets.ts";

smokeTests();
globalsTests();
networkTests();
runtimesTests();
webSocketTests();
perlTests();
unitTests();
programTestsOnNode();
