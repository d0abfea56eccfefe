import {spawn} from 'node:child_process';
import type {RunCommand} from '../../src/ports.ts';

export const runCommand: RunCommand = (request) =>
  new Promise((resolve) => {
    const child = spawn(request.file, request.args, {
      cwd: request.cwd,
      env: request.env,
      signal: request.signal,
    });
    let stdout = '';
    let all = '';
    child.stdout.on('data', (d) => {
      stdout += d;
      all += d;
    });
    child.stderr.on('data', (d) => {
      all += d;
    });
    child.on('error', () => {});
    child.on('close', (code) => {
      const tail = all.trim().split('\n');
      if (request.signal?.aborted)
        return resolve({
          ok: false,
          failure: {reason: 'cancelled', class: 'cancelled', message: 'c', tail},
        });
      if (code === 0) return resolve({ok: true, value: {stdout, stderr: '', tail, durationMs: 0}});
      const command = `git ${request.args.join(' ')}`;
      resolve({
        ok: false,
        failure: {
          reason: 'exit-code',
          command,
          exitCode: code ?? -1,
          class: 'internal',
          message: `${command} failed`,
          tail,
        },
      });
    });
  });
