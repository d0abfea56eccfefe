/** One HTTP exchange; header names are lower case. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
}

/** Which registry an exchange belongs to: its certificates count for its token service and its store too, as docker has it. */
export interface Trust {
  readonly host: string;
  /** `false`: any certificate will do, because the engine lists the registry as insecure. */
  readonly verify: boolean;
}

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'DELETE' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly trust: Trust;
  /** Most bytes of the answer. */
  readonly limit?: number;
  /** Milliseconds to the answer; half a minute by default. */
  readonly patience?: number;
}

/** Sends requests over connections that are kept alive, at most {@link mostConnections} at once to a host. */
export interface HttpClient {
  /** @throws {Error} when there is no answer within the deadline */
  send(request: HttpRequest): Promise<HttpAnswer>;
  close(): void;
}

export interface HttpOptions {
  /** Ends requests, or `grace` seconds after it (those that begin later: after their begin). */
  readonly signal?: AbortSignal;
  readonly grace?: number;
  /** Of this program, for the header `User-Agent`. */
  readonly version?: string;
  /** Where the proxies are named. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Folders with one folder a host: docker's `certs.d`. */
  readonly certificateFolders?: readonly string[];
}
