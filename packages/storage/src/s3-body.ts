/**
 * An object's bytes as they come in, in one piece.
 * @throws Error named `IncompleteBody` when they are not as many as the server said, or the stream breaks.
 */
export async function readBody(
  body: AsyncIterable<Uint8Array>,
  lengthBytes: number | undefined,
): Promise<Uint8Array> {
  try {
    if (lengthBytes === undefined) throw new Error('the server did not say how many bytes there are');
    const bytes = new Uint8Array(lengthBytes);
    let received = 0;
    for await (const part of body) {
      if (received + part.length > lengthBytes)
        throw new Error(`more than the ${lengthBytes} bytes announced`);
      bytes.set(part, received);
      received += part.length;
    }
    if (received < lengthBytes) throw new Error(`${received} of ${lengthBytes} bytes`);
    return bytes;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw Object.assign(new Error(message), { name: 'IncompleteBody' });
  }
}
