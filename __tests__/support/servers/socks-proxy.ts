import {type AddressInfo, connect, createServer, type Socket} from 'node:net';

export interface SocksProxy {
  readonly address: string;
  /** What was asked for: the kind of address as RFC 1928 counts them (1, 3, 4), its bytes, the port; and the login. */
  readonly seen: {readonly kind: number; readonly name: string; readonly login: string}[];
  close(): Promise<void>;
}

export interface SocksOptions {
  /** Where everything leads, whatever host is named. */
  readonly port: number;
  /** The code of RFC 1928 that is answered; 0 connects. */
  readonly answer?: number;
  /** `user:password` that it insists on. */
  readonly login?: string;
  /** Sent instead of a greeting, before the end. */
  readonly greeting?: string;
}

/** A SOCKS 5 proxy that takes its questions byte by byte and answers in single bytes, as a network may. */
export async function startSocksProxy(options: SocksOptions): Promise<SocksProxy> {
  const seen: SocksProxy['seen'] = [];
  const sockets = new Set<Socket>();
  const serve = async (socket: Socket): Promise<void> => {
    const bytes = bytesOf(socket);
    const take = async (count: number): Promise<Buffer> => {
      const taken: number[] = [];
      while (taken.length < count) taken.push((await bytes.next()).value ?? 0);
      return Buffer.from(taken);
    };
    const send = async (answer: readonly number[]): Promise<void> => {
      for (const byte of answer) {
        socket.write(Buffer.from([byte]));
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const [, count = 0] = await take(2);
    const methods = await take(count);
    if (options.greeting !== undefined) return void socket.end(options.greeting);
    let login = '';
    if (options.login !== undefined) {
      if (!methods.includes(2)) return void (await send([5, 255]));
      await send([5, 2]);
      const [, user = 0] = await take(2);
      login = (await take(user)).toString();
      login += `:${await take((await take(1))[0] ?? 0)}`;
      await send([1, login === options.login ? 0 : 1]);
      if (login !== options.login) return;
    } else await send([5, 0]);
    const [, , , kind = 0] = await take(4);
    const length = kind === 1 ? 4 : kind === 4 ? 16 : ((await take(1))[0] ?? 0);
    const name = await take(length);
    const port = (await take(2)).readUInt16BE();
    const text = kind === 3 ? name.toString() : name.toString('hex');
    seen.push({kind, name: `${text}:${port}`, login});
    const {answer = 0} = options;
    // Its own address may be of any kind; here a name.
    await send([5, answer, 0, 3, 2, 104, 105, 0, 1]);
    if (answer !== 0) return;
    const onward = connect(options.port, '127.0.0.1');
    sockets.add(onward);
    onward.on('error', () => socket.destroy());
    onward.on('data', (chunk) => socket.write(chunk));
    onward.on('end', () => socket.end());
    for await (const byte of bytes) onward.write(Buffer.from([byte]));
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    serve(socket).catch(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

async function* bytesOf(socket: Socket): AsyncGenerator<number, undefined> {
  for await (const chunk of socket) for (const byte of chunk as Buffer) yield byte;
  return undefined;
}
