import { z } from 'zod';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';

/**
 * A JSON object of the store, checked.
 * @param place the object's URL, for the message
 * @throws FilterscopeError `broken-object` naming every field that is wrong.
 */
export function parseStored<Schema extends z.ZodType>(
  schema: Schema,
  bytes: Uint8Array,
  place: string,
): z.infer<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new FilterscopeError('broken-object', `${place} is not JSON`, { cause });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
  throw new FilterscopeError(
    'broken-object',
    `${place} is not what this version of Filterscope writes (${problems})`,
  );
}

export function encodeJson(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value, null, 1) + '\n');
}
