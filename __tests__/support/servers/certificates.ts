import {execFileSync} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';

export interface Identity {
  readonly key: string;
  readonly cert: string;
}

/** An authority, and what it signed for each name (`DNS:…` or `IP:…`): nobody outside the test knows it. */
export function makeCertificates(
  folder: string,
  names: readonly string[],
): {readonly ca: string; readonly identities: readonly Identity[]} {
  const openssl = (...args: readonly string[]): void =>
    void execFileSync('openssl', args, {cwd: folder, stdio: 'ignore'});
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-subj',
    '/CN=Test authority',
  );
  const identities = names.map((name, index) => {
    const file = `c${index}`;
    writeFileSync(join(folder, `${file}.ext`), `subjectAltName=${name}\n`);
    openssl(
      'req',
      ...key,
      '-keyout',
      `${file}.key`,
      '-out',
      `${file}.csr`,
      '-subj',
      `/CN=${index}`,
    );
    const by = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', `${file}.ext`];
    openssl('x509', '-req', '-in', `${file}.csr`, ...by, '-out', `${file}.crt`);
    return {key: read(folder, `${file}.key`), cert: read(folder, `${file}.crt`)};
  });
  return {ca: read(folder, 'ca.crt'), identities};
}

function read(folder: string, name: string): string {
  return readFileSync(join(folder, name), 'utf8');
}
