#!/usr/bin/env node
require('../scripts/ensure-installed.cjs').ensureInstalled();
require('../scripts/build.cjs').build();
require('../dist/baverly.cjs');
