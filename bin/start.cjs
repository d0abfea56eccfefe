'use strict';
// The committed bundle that the action runs. A file of its own: a Node without import() cannot even parse this one.
import('../dist/index.js').catch((error) => {
  process.stderr.write(`stack-action cannot be started: ${error.message}\n`);
  process.exitCode = 1;
});
