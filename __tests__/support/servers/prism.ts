import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';

const prism = fileURLToPath(new URL('../../../node_modules/.bin/prism', import.meta.url));
const description = fileURLToPath(new URL('../../fixtures/github-openapi.json', import.meta.url));

export interface Prism extends AsyncDisposable {
  readonly url: string;
}

/**
 * Puts GitHub's own OpenAPI description (made by scripts/github-openapi.ts) in front of a server: a request that
 * GitHub would refuse becomes 422, an answer that GitHub would never give becomes 500.
 */
export async function startPrism(upstream: string): Promise<Prism> {
  const args = ['proxy', description, upstream, '--errors', '--port', '0', '--host', '127.0.0.1'];
  const child = spawn(process.execPath, [prism, ...args], {stdio: ['ignore', 'pipe', 'inherit']});
  const ended = once(child, 'exit');
  for await (const line of createInterface({input: child.stdout})) {
    const url = /listening on (http:\S+)/.exec(line)?.[1];
    if (url === undefined) continue;
    child.stdout.resume();
    return {
      url,
      [Symbol.asyncDispose]: async () => {
        child.kill();
        await ended;
      },
    };
  }
  throw new Error(`Prism ended before it listened, with ${JSON.stringify(await ended)}`);
}
