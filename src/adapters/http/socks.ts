import {type ClientRequestArgs, Agent as HttpAgent} from 'node:http';
import {type AgentOptions, Agent as HttpsAgent} from 'node:https';
import {connect, isIPv4, isIPv6, type Socket} from 'node:net';
import type {Duplex} from 'node:stream';
import {type ConnectionOptions, connect as connectTls} from 'node:tls';

/**
 * Connections through a SOCKS 5 proxy (RFC 1928, passwords by RFC 1929), as Go's programs make them: the proxy resolves
 * the names, whether it is written `socks5` or `socks5h`.
 */

type Connected = (error: Error | null, stream: Duplex) => void;
/** What node hands to an agent for a connection; `servername` only where TLS is spoken. */
type Wanted = ClientRequestArgs & {readonly servername?: string};

export class PlainSocksAgent extends HttpAgent {
  readonly #way: Way;
  constructor(proxy: URL, options: AgentOptions) {
    super(options);
    this.#way = new Way(proxy);
  }
  override createConnection(wanted: Wanted, done: Connected): undefined {
    this.#way.open(wanted, done, (socket) => socket);
  }
  override destroy(): void {
    this.#way.close();
    super.destroy();
  }
}

export class TlsSocksAgent extends HttpsAgent {
  readonly #way: Way;
  constructor(proxy: URL, options: AgentOptions) {
    super(options);
    this.#way = new Way(proxy);
  }
  override createConnection(wanted: Wanted, done: Connected): undefined {
    this.#way.open(wanted, done, (socket) => connectTls({...asTls(wanted), socket}));
  }
  override destroy(): void {
    this.#way.close();
    super.destroy();
  }
}

/** Host, port and certificates; `path` would be that of a local socket. */
function asTls(wanted: Wanted): ConnectionOptions {
  const {path: _, ...rest} = wanted;
  return rest as ConnectionOptions;
}

/** Opens connections, and ends those that are still being opened. */
class Way {
  readonly #proxy: URL;
  readonly #opening = new Set<Socket>();
  constructor(proxy: URL) {
    this.#proxy = proxy;
  }

  open({host, port}: Wanted, done: Connected, wrap: (socket: Socket) => Duplex): void {
    const {hostname, port: own} = this.#proxy;
    const socket = connect({host: hostname.replace(/^\[|\]$/g, ''), port: Number(own || 1080)});
    this.#opening.add(socket);
    const target = {host: host ?? '', port: Number(port)};
    greet(socket, this.#proxy, target)
      .then(() => wrap(socket))
      .then(
        (stream) => done(null, stream),
        (error: unknown) => {
          socket.destroy();
          done(named(error, `${hostname}:${own || 1080}`), socket);
        },
      )
      .finally(() => this.#opening.delete(socket));
  }

  close(): void {
    for (const socket of this.#opening) socket.destroy();
  }
}

const [noLogin, password] = [0x00, 0x02];

async function greet(
  socket: Socket,
  proxy: URL,
  target: {readonly host: string; readonly port: number},
): Promise<void> {
  const read = readerOf(socket);
  const login = proxy.username === '' ? undefined : loginOf(proxy);
  socket.write(Buffer.from(login === undefined ? [5, 1, noLogin] : [5, 2, noLogin, password]));
  const [version, method] = await read(2);
  if (version !== 5) throw refused('it does not speak SOCKS 5');
  if (method === password && login !== undefined) {
    socket.write(login);
    if ((await read(2))[1] !== 0) throw refused('it refused its user name and password');
  } else if (method !== noLogin) {
    throw refused('it wants a login: write it as socks5://user:password@host:port');
  }
  socket.write(
    Buffer.from([5, 1, 0, ...addressOf(target.host), target.port >> 8, target.port & 255]),
  );
  const [, code = 1, , kind] = await read(4);
  if (code !== 0) throw failureOf(code);
  // The address that it bound, which nobody needs.
  const length = kind === 1 ? 4 : kind === 4 ? 16 : ((await read(1))[0] ?? 0);
  await read(length + 2);
}

/** So many bytes, and none more: what follows is the other end's. */
function readerOf(socket: Socket): (count: number) => Promise<Buffer> {
  return (count) => {
    const {promise, resolve, reject} = Promise.withResolvers<Buffer>();
    const look = (): void => {
      const bytes: Buffer | null = socket.read(count);
      if (bytes !== null) resolve(bytes);
    };
    const end = (): void => reject(new Error('it closed the connection'));
    socket.on('readable', look);
    socket.once('error', reject);
    socket.once('close', end);
    look();
    return promise.finally(() => {
      socket.off('readable', look);
      socket.off('error', reject);
      socket.off('close', end);
    });
  };
}

function loginOf({username, password: secret}: URL): Buffer {
  const [user, word] = [username, secret].map((text) => Buffer.from(decodeURIComponent(text)));
  if (user === undefined || word === undefined || user.length > 255 || word.length > 255)
    throw refused('it has a user name or password of more than 255 bytes');
  return Buffer.from([1, user.length, ...user, word.length, ...word]);
}

function addressOf(host: string): readonly number[] {
  const name = host.replace(/^\[|\]$/g, '');
  if (isIPv4(name)) return [1, ...name.split('.').map(Number)];
  if (isIPv6(name)) return [4, ...groupsOf(name).flatMap((group) => [group >> 8, group & 255])];
  const bytes = Buffer.from(name);
  return [3, bytes.length, ...bytes];
}

/** The eight numbers of an IPv6 address, whatever its spelling. */
function groupsOf(address: string): readonly number[] {
  const plain = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = '', tail] = plain.split('::');
  const numbers = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const [first, last] = [numbers(head), numbers(tail ?? '')];
  return [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last];
}

/** What a proxy answers, by RFC 1928, and what node calls the same. */
const answers: Readonly<Record<number, readonly [words: string, code: string]>> = {
  2: ['does not allow the connection', 'ERR_PROXY_REFUSED'],
  3: ['finds no way to the network', 'ENETUNREACH'],
  4: ['cannot reach the host, or resolve its name', 'EHOSTUNREACH'],
  5: ['was refused by the host', 'ECONNREFUSED'],
};

function failureOf(answer: number): Error {
  const [words, code] = answers[answer] ?? [`could not connect (${answer})`, 'EHOSTUNREACH'];
  return Object.assign(new Error(`it ${words}`), {code});
}

function named(error: unknown, proxy: string): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  error.message = `the SOCKS proxy ${proxy}: ${error.message}`;
  return error;
}

/** It would say the same again. */
function refused(what: string): Error {
  return Object.assign(new Error(what), {code: 'ERR_PROXY_REFUSED'});
}
