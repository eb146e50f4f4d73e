import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';

const schema = z.object({
  FILTERSCOPE_CACHE: z.string().min(1).optional(),
  FILTERSCOPE_WEIGHTS_URL: z.url({ protocol: /^https?$/ }).optional(),
  XDG_CACHE_HOME: z.string().min(1).optional(),
  LOCALAPPDATA: z.string().min(1).optional(),
});

/** What the command takes from its environment; nothing else reads it. */
export interface Environment {
  /** Folder that downloaded weights are kept in. */
  readonly cacheDirectory: string;
  /** Where the ImageNet weights come from, if not from their official address. */
  readonly weightsUrl?: string;
}

/** @throws FilterscopeError `bad-environment` naming every variable that is wrong. */
export function parseEnvironment(variables: NodeJS.ProcessEnv, platform: NodeJS.Platform): Environment {
  const result = schema.safeParse(variables);
  if (!result.success) {
    const problems = result.error.issues
      .map(({ path, message }) => `${path.join('.')}: ${message}`)
      .join('; ');
    throw new FilterscopeError('bad-environment', `the environment is not right: ${problems}`);
  }
  const { FILTERSCOPE_CACHE, FILTERSCOPE_WEIGHTS_URL, XDG_CACHE_HOME, LOCALAPPDATA } = result.data;
  const cacheHome =
    platform === 'darwin'
      ? join(homedir(), 'Library', 'Caches')
      : platform === 'win32'
        ? (LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'))
        : (XDG_CACHE_HOME ?? join(homedir(), '.cache'));
  return {
    cacheDirectory: FILTERSCOPE_CACHE ?? join(cacheHome, 'filterscope'),
    ...(FILTERSCOPE_WEIGHTS_URL !== undefined && { weightsUrl: FILTERSCOPE_WEIGHTS_URL }),
  };
}
