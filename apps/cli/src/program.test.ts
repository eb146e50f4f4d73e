import { CommanderError } from 'commander';
import { describe, expect, test } from 'vitest';
import type { Context } from './context.ts';
import { exitCodeOf } from './exit-code.ts';
import { parseEnvironment } from './environment.ts';
import { createProgram } from './program.ts';

/** Parses a command line that must be refused before anything is done. @returns the error and what was said. */
async function refused(...args: string[]): Promise<{ error: unknown; said: string }> {
  const said: string[] = [];
  const stream = { write: (text: string) => said.push(text) } as unknown as NodeJS.WriteStream;
  const context: Context = {
    terminal: { stdout: stream, stderr: stream },
    environment: { ...parseEnvironment({}, 'linux'), cacheDirectory: '/nonexistent' },
    versions: {},
    signal: AbortSignal.abort(new Error('nothing may begin')),
    showDownload: () => undefined,
  };
  const error: unknown = await createProgram(context, () => undefined)
    .parseAsync(args, { from: 'user' })
    .then(
      () => undefined,
      (error: unknown) => error,
    );
  return { error, said: said.join('') };
}

describe('a wrong value is refused with 2 and what there is to choose from', () => {
  test.each([
    [['--fit', 'squeeze'], 'Allowed choices are crop, stretch'],
    [['--grid-style', 'pretty'], 'Allowed choices are filter, layer, tile, chollet'],
    [['--grid-format', 'bmp'], 'Allowed choices are jpeg, png'],
    [['--readings', 'some'], 'Allowed choices are full, none'],
    [['--flavour', 'caffe'], 'Allowed choices are keras, torchvision'],
    [['--engine', 'abacus'], 'Allowed choices are auto, onnx-cpu'],
    [['--limit', '-3'], 'give a whole number of at least 1'],
    [['--chunk-size', 'big'], 'give a whole number of at least 1'],
    [['--threads', '1.5'], 'give a whole number of at least 1'],
    [['--grids', 'some'], 'give all, none'],
    [['--max-failures', '-1'], 'give a number of images'],
    [['--unheard-of'], "unknown option '--unheard-of'"],
    [['one-more'], 'too many arguments'],
  ])('analyze photos %s', async (options, sentence) => {
    const { error, said } = await refused('analyze', 'photos', ...options);
    expect(error).toBeInstanceOf(CommanderError);
    expect(exitCodeOf(error)).toBe(2);
    expect(said).toContain(sentence);
  });

  test.each(['block6_conv1', 'block2_conv1..block1_conv1', ''])(
    'analyze photos --layers "%s"',
    async (layers) => {
      const { error } = await refused('analyze', 'photos', '--layers', layers);
      expect(error).toMatchObject({ code: 'unknown-layer' });
      expect(exitCodeOf(error)).toBe(2);
    },
  );

  test.each([
    ['analyze'],
    ['status'],
    ['image', 'latest'],
    ['query', 'latest'],
    ['filters', 'latest', '--sort', 'beauty'],
    ['filter', 'latest', 'block1_conv1'],
    ['query', 'latest', 'SELECT 1', '--format', 'xml'],
    ['gc', '--older-than', 'yesterday'],
    ['no-such-command'],
    [],
  ])('%s %s %s %s', async (...args) => {
    const { error, said } = await refused(...args);
    expect(exitCodeOf(error)).toBe(2);
    expect(said).not.toBe('');
  });
});

test('help is no error, and names every command', async () => {
  const { error, said } = await refused('--help');
  expect(exitCodeOf(error)).toBe(0);
  const commands =
    'analyze runs status layers filters filter classes images failures image compare query delete gc doctor';
  for (const command of commands.split(' ')) expect(said).toMatch(new RegExp(`^  ${command}\\b`, 'm'));
});
