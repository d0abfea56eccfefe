export type Json = Readonly<Record<string, unknown>>;

export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An object, or an empty one: what a registry, a helper or a file holds may be anything. */
export function parseJson(text: Uint8Array | string): Json {
  try {
    const value: unknown = JSON.parse(
      typeof text === 'string' ? text : Buffer.from(text).toString(),
    );
    return isJson(value) ? value : {};
  } catch {
    return {};
  }
}

/** A text that is not empty. */
export function textIn(json: Json, key: string): string | undefined {
  const value = json[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function numberIn(json: Json, key: string): number | undefined {
  const value = json[key];
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

export function objectIn(json: Json, key: string): Json {
  const value = json[key];
  return isJson(value) ? value : {};
}

export function objectsIn(json: Json, key: string): readonly Json[] {
  const value = json[key];
  return Array.isArray(value) ? value.filter(isJson) : [];
}

export function textsIn(json: Json, key: string): readonly string[] {
  const value = json[key];
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

/** The entries of an object whose values are texts: labels, annotations, helpers. */
export function textEntries(json: Json): readonly (readonly [string, string])[] {
  return Object.entries(json).flatMap(([key, value]) =>
    typeof value === 'string' ? [[key, value] as const] : [],
  );
}
