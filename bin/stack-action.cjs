#!/usr/bin/env node
// Written for the oldest Node that can read it: only a Node that is new enough may read anything else.
'use strict';
var version = process.versions.node;
if (Number(version.split('.')[0]) < 24) {
  process.stderr.write(
    'stack-action needs Node 24 or newer, and this is Node ' +
      version +
      '. Install it from https://nodejs.org.\n',
  );
  process.exitCode = 2;
} else {
  require('./start.cjs');
}
