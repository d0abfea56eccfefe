import http from 'node:http';
import {type AddressInfo, connect} from 'node:net';

export interface HttpProxy {
  readonly url: string;
  /** `CONNECT host:port`, or `METHOD http://…`, with what came as authorization. */
  readonly seen: {readonly line: string; readonly authorization: string | undefined}[];
  close(): Promise<void>;
}

/** A proxy that leads everything to one server on this machine, whatever host is named: no DNS is needed. */
export async function startHttpProxy(port: number, refuses = false): Promise<HttpProxy> {
  const seen: HttpProxy['seen'] = [];
  const note = (request: http.IncomingMessage): void => {
    const authorization = request.headers['proxy-authorization'];
    seen.push({line: `${request.method} ${request.url}`, authorization});
  };
  const server = http.createServer((request, response) => {
    note(request);
    const {pathname, search} = new URL(request.url ?? '');
    const {method, headers} = request;
    const onward = http.request({port, path: pathname + search, method, headers}, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
  });
  const sockets = new Set<{destroy(): unknown}>();
  server.on('connect', (request, socket) => {
    note(request);
    sockets.add(socket);
    socket.on('error', () => undefined);
    if (refuses) return void socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
    const onward = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
    onward.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        for (const socket of sockets) socket.destroy();
      }),
  };
}
