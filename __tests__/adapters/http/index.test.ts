import http from 'node:http';
import type {AddressInfo} from 'node:net';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {createHttpClient, type HttpAnswer} from '../../../src/adapters/http/index.ts';

let server: http.Server;
let waiting: http.ServerResponse[];
let origin: string;
let isOver: boolean;

beforeEach(async () => {
  waiting = [];
  isOver = false;
  server = http.createServer((_, response) => void waiting.push(response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(() => {
  isOver = true;
  server.closeAllConnections();
  server.close();
});

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    if (isOver) throw new Error('the test is over');
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function ask(signal?: AbortSignal): (path: string, patience?: number) => Promise<HttpAnswer> {
  const client = createHttpClient(signal === undefined ? {} : {signal});
  return (path, patience) =>
    client.send({
      method: 'GET',
      url: new URL(path, origin),
      headers: {},
      trust: {host: 'localhost', verify: true},
      ...(patience === undefined ? {} : {patience}),
    });
}

describe('requests to one host', () => {
  it('go out 32 at a time, and all of them get their answer', async () => {
    const send = ask();
    const answers = Promise.all(Array.from({length: 100}, (_, index) => send(`/${index}`)));
    const sizes: number[] = [];
    for (let left = 100; left > 0; ) {
      const expected = Math.min(32, left);
      await until(() => waiting.length >= expected);
      sizes.push(waiting.length);
      left -= waiting.length;
      for (const response of waiting.splice(0)) response.end('here');
    }
    expect(sizes).toEqual([32, 32, 32, 4]);
    expect((await answers).map(({body}) => Buffer.from(body).toString())).toEqual(
      Array.from({length: 100}, () => 'here'),
    );
  });

  it('leave their place to the next when they fail', async () => {
    const send = ask();
    const failed = Promise.allSettled(Array.from({length: 40}, () => send('/')));
    await until(() => waiting.length === 32);
    for (const response of waiting.splice(0)) response.destroy();
    await until(() => waiting.length === 8);
    for (const response of waiting.splice(0)) response.end();
    expect((await failed).filter(({status}) => status === 'fulfilled')).toHaveLength(8);
  });

  it('end when their patience does, with a sentence', async () => {
    await expect(ask()('/', 20)).rejects.toThrow(
      /^no answer from 127\.0\.0\.1:\d+ within 0\.02 s$/,
    );
  });

  it('end with the reason of the run, those that wait for their turn too', async () => {
    const controller = new AbortController();
    const send = ask(controller.signal);
    const all = Promise.allSettled(Array.from({length: 40}, () => send('/')));
    await until(() => waiting.length === 32);
    controller.abort(new Error('cancelled by SIGINT'));
    const reasons = (await all).map((one) =>
      one.status === 'rejected' ? String(one.reason.message) : one.status,
    );
    expect(new Set(reasons)).toEqual(new Set(['cancelled by SIGINT']));
  });
});
