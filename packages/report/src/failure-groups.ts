import type { ImageRow } from '@filterscope/runs/image-row';

/** Images that did not count for one reason. */
export interface FailureGroup {
  readonly status: 'failed' | 'skipped';
  readonly code: string;
  readonly images: number;
  /** The first few in manifest order. */
  readonly examples: readonly { readonly image: string; readonly message: string }[];
}

const EXAMPLES = 3;

/** Failed and skipped images by code, failed ones first, most frequent first. */
export async function failureGroups(rows: AsyncIterable<ImageRow>): Promise<FailureGroup[]> {
  const groups = new Map<string, FailureGroup>();
  for await (const { image, status, code, message } of rows) {
    if (status === 'ok') continue;
    const key = `${status} ${code}`;
    const { images, examples } = groups.get(key) ?? { images: 0, examples: [] };
    const example = examples.length < EXAMPLES ? [{ image, message: message ?? '' }] : [];
    groups.set(key, { status, code: code ?? '', images: images + 1, examples: [...examples, ...example] });
  }
  return [...groups.values()].toSorted(
    (a, b) => a.status.localeCompare(b.status) || b.images - a.images || a.code.localeCompare(b.code),
  );
}
