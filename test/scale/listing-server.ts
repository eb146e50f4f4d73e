import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Keys in one answer, as S3 has it. */
const PAGE = 1000;

export interface ListingServer extends AsyncDisposable {
  readonly endpoint: string;
  /** Answers that were given. */
  readonly pages: () => number;
  readonly grow: (objects: number) => void;
}

/** Speaks as much of S3 as it takes to list a bucket of so many pictures that nobody could store in the time of a test. */
export async function startListingServer(atFirst: number): Promise<ListingServer> {
  let objects = atFirst;
  let pages = 0;
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://localhost');
    if (request.method !== 'GET' || searchParams.get('list-type') !== '2') {
      response.writeHead(404).end();
      return;
    }
    pages += 1;
    const from = Number(searchParams.get('continuation-token') ?? 0);
    response.writeHead(200, { 'content-type': 'application/xml' }).end(pageOf(from, objects));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    pages: () => pages,
    grow: (now) => void (objects = now),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function pageOf(from: number, objects: number): string {
  const to = Math.min(from + PAGE, objects);
  const contents = Array.from({ length: to - from }, (_, i) => contentsOf(from + i)).join('');
  const more = to < objects ? `<NextContinuationToken>${to}</NextContinuationToken>` : '';
  return (
    '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
    `<EncodingType>url</EncodingType><KeyCount>${to - from}</KeyCount><IsTruncated>${to < objects}</IsTruncated>${more}${contents}</ListBucketResult>`
  );
}

/** Keys of 44 bytes in a thousand folders. */
export function keyOf(index: number): string {
  const folder = String(index % 1000).padStart(4, '0');
  return `synset-${folder}/photograph-${String(index).padStart(10, '0')}-large.jpg`;
}

/** ETags as of objects stored in one piece. */
function contentsOf(index: number): string {
  const etag = createHash('md5').update(String(index)).digest('hex');
  return `<Contents><Key>${keyOf(index)}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;${etag}&quot;</ETag><Size>${100_000 + (index % 50_000)}</Size></Contents>`;
}
