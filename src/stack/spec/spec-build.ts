import {asText, type Fields, isEmpty, readEntries, readTexts, show} from '../yaml/fields.ts';

const argName = /^[A-Za-z_][A-Za-z0-9_.-]*$/;
const secretWord =
  /(?:^|_)(?:TOKEN|PASSWORD|PASSWD|PASS|SECRET|SECRETS|CREDENTIAL|CREDENTIALS|PAT|(?:API|ACCESS|PRIVATE|SECRET|SSH|SIGNING|ENCRYPTION|DEPLOY)_?KEY)(?:_|$)/;
/** `TOKEN_URL` or `PASSWORD_FILE` say where a secret is, and are none. */
const harmlessEnd = /_(?:VERSION|URL|FILE|PATH|DIR|NAME)$/;

/**
 * `build_args`: every value with the characters of the source. A key without a value is left out and said aloud:
 * docker compose would take it from the environment, which a fingerprint cannot see.
 */
export function readBuildArgs(fields: Fields): ReadonlyMap<string, string> {
  const {findings, owner} = fields;
  const args = new Map<string, string>();
  for (const [name, {keyOffset, value}] of readEntries(fields, 'build_args')) {
    if (!argName.test(name)) {
      findings.mistake(keyOffset, `"${name}" in build_args of ${owner} is no name of an ARG.`);
    } else if (looksSecret(name)) {
      findings.mistake(
        keyOffset,
        `"${name}" in build_args of ${owner} looks like a secret, and build args stand in the image's history. Use "secrets: [id=${name.toLowerCase()},env=${name}]" with RUN --mount=type=secret.`,
      );
    } else if (isEmpty(value)) {
      findings.warning(
        keyOffset,
        `"${name}" in build_args of ${owner} has no value, so the Dockerfile's default is used. Write ${name}: "" for empty text.`,
      );
    } else if (value.kind === 'text') args.set(name, value.text);
    else {
      const message = `"${name}" in build_args of ${owner} must be text, not ${show(value)}.`;
      findings.mistake(value.offset, message);
    }
  }
  return args;
}

/** Without what the action gives to every child itself: a value in the spec would fight with it. */
export function withoutBase(
  {findings, owner, get}: Fields,
  args: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const own = ['BASE_TAG', 'BASE_IMAGE'].filter((name) => args.has(name));
  if (own.length === 0) return args;
  findings.warning(
    get('build_args')?.keyOffset ?? 0,
    `${own.join(' and ')} in build_args of ${owner} is not used: an image with depend_on gets it from the action.`,
  );
  return new Map([...args].filter(([name]) => !own.includes(name)));
}

/** `apiToken` and `API_TOKEN` read the same. */
export function looksSecret(name: string): boolean {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[.-]/g, '_')
    .toUpperCase();
  return secretWord.test(words) && !harmlessEnd.test(words);
}

/** `platforms`, as docker names them: `linux/arm64`, `linux/arm/v7`. */
export function readPlatforms(fields: Fields): readonly string[] {
  return readTexts(fields, 'platforms').flatMap(({text, offset}) => {
    if (/^[a-z0-9]+\/[a-z0-9_]+(?:\/[a-z0-9.]+)?$/.test(text)) return [text];
    const message = `platforms of ${fields.owner} has "${text}". Write os/architecture, such as linux/amd64.`;
    fields.findings.mistake(offset, message);
    return [];
  });
}

/** `secrets`: what `docker build --secret` takes. */
export function readSecrets(fields: Fields): readonly string[] {
  return readTexts(fields, 'secrets').flatMap(({text, offset}) => {
    const parts = text.split(',').map((part) => part.split('=')[0] ?? '');
    const isKnown = parts.every((part) => ['id', 'env', 'src', 'source', 'type'].includes(part));
    if (isKnown && /(?:^|,)id=[^,]/.test(text)) return [text];
    const message = `secrets of ${fields.owner} has "${text}". Write "id=NAME,env=VARIABLE" or "id=NAME,src=FILE".`;
    fields.findings.mistake(offset, message);
    return [];
  });
}

export function readTarget(fields: Fields): string | undefined {
  const value = fields.get('target')?.value;
  if (value === undefined) return undefined;
  const node = asText(fields, 'target', value);
  if (node === undefined || /^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(node.text)) return node?.text;
  const message = `target of ${fields.owner} is "${node.text}", which is no name of a stage.`;
  fields.findings.mistake(node.offset, message);
  return undefined;
}
