import { FilterscopeError } from '@filterscope/errors/filterscope-error';

export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** What an error of the file system means for the person at the keyboard. Anything unknown comes back as it is. */
export function folderError(error: unknown, path: string): unknown {
  const make = (code: string, message: string, kind: 'transient' | 'permanent' = 'permanent') =>
    new FilterscopeError(code, message, { class: kind, cause: error });
  switch (errnoOf(error)) {
    case 'ENOENT':
      return make('object-missing', `${path} does not exist`);
    case 'EACCES':
    case 'EPERM':
      return make('object-forbidden', `no permission for ${path}; check its owner and mode`);
    case 'EROFS':
      return make('store-read-only', `${path} is on a read-only file system; choose another --output`);
    case 'ENOTDIR':
    case 'EEXIST':
      return make('not-a-folder', `a part of ${path} is a file, not a folder; choose another --output`);
    case 'EISDIR':
      return make('not-a-file', `${path} is a folder, not a file`);
    case 'ENAMETOOLONG':
      return make('name-too-long', `the name ${path} is too long for this file system`);
    case 'ENOSPC':
    case 'EDQUOT':
      return make(
        'store-full',
        `no space left for ${path}; free some and run the same command again`,
        'transient',
      );
    case 'EIO':
    case 'ESTALE':
    case 'EMFILE':
    case 'ENFILE':
    case 'EBUSY':
    case 'ETIMEDOUT':
      return make(
        'store-unavailable',
        `${path} cannot be read or written now (${errnoOf(error)})`,
        'transient',
      );
    default:
      return error;
  }
}
