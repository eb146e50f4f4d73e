import type { Dataset, File, Group } from 'h5wasm';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import type { LayerArray } from './layer-arrays.ts';

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/** Groups below groups, and groups altogether, that are followed: links may form circles. */
const MAX_DEPTH = 8;
const MAX_GROUPS = 2000;

let opened = 0;

/** An open HDF5 file. Arrays can be read until it is disposed of. */
export interface KerasH5 extends Disposable {
  /** The rank-4 and rank-1 arrays below every group named like a convolution, whatever Keras version laid them out. */
  readonly arrays: readonly LayerArray[];
  /** Names of what is at the top, for messages. */
  readonly names: readonly string[];
}

/** Whether these are the bytes of an HDF5 file, whatever its name. */
export function isHdf5(bytes: Uint8Array): boolean {
  return SIGNATURE.every((byte, i) => bytes[i] === byte);
}

/**
 * Opens Keras weights saved as HDF5, in memory: links to other files lead nowhere.
 * @throws FilterscopeError `bad-weights-file` when HDF5 cannot read it.
 */
export async function openKerasH5(bytes: Uint8Array, fileName: string): Promise<KerasH5> {
  const h5wasm = await import('h5wasm');
  const hdf5 = await h5wasm.ready;
  hdf5.activate_throwing_error_handler(); // instead of printing errors on stderr and going on
  const { FS } = hdf5;
  const path = `weights-${++opened}.h5`;
  const damaged = (cause: unknown): FilterscopeError => {
    const message = `${fileName} is a damaged HDF5 file; fetch or save it again`;
    return new FilterscopeError('bad-weights-file', message, { cause });
  };
  FS.writeFile(path, bytes);
  let file: File | undefined;
  const close = (): void => {
    FS.unlink(path);
    file?.close();
  };
  try {
    file = new h5wasm.File(path, 'r');
    const arrays: LayerArray[] = [];
    collect(file, { path: '', depth: 0, seen: { groups: 0 }, damaged, add: (array) => arrays.push(array) });
    return { arrays, names: file.keys(), [Symbol.dispose]: close };
  } catch (cause) {
    try {
      close();
    } catch {
      // what cannot be read may not close either
    }
    throw damaged(cause);
  }
}

interface Place {
  readonly path: string;
  readonly depth: number;
  readonly seen: { groups: number };
  /** The convolution that the group belongs to. */
  readonly layer?: string;
  readonly damaged: (cause: unknown) => FilterscopeError;
  readonly add: (array: LayerArray) => void;
}

function collect(group: Group, place: Place): void {
  if (place.depth > MAX_DEPTH || ++place.seen.groups > MAX_GROUPS) return;
  for (const name of group.keys()) {
    if (name === 'optimizer_weights') continue; // moments of the same names and shapes
    const entity = group.get(name);
    const path = `${place.path}/${name}`;
    if (entity === null) continue;
    if (isGroup(entity)) {
      const layer = /^block\d_conv\d$/.test(name) ? name : place.layer;
      const below = { ...place, path, depth: place.depth + 1 };
      collect(entity, layer === undefined ? below : { ...below, layer });
    } else if (place.layer !== undefined && isDataset(entity)) {
      const { shape } = entity.metadata;
      const part = shape?.length === 4 ? 'kernel' : shape?.length === 1 ? 'bias' : undefined;
      if (shape === null || part === undefined) continue;
      const read = (): unknown => {
        try {
          return entity.value;
        } catch (cause) {
          throw place.damaged(cause);
        }
      };
      place.add({ layer: place.layer, part, name: path.slice(1), shape, layout: 'HWIO', read });
    }
  }
}

function isGroup(entity: object): entity is Group {
  return 'keys' in entity;
}

function isDataset(entity: object): entity is Dataset {
  return 'metadata' in entity && 'slice' in entity;
}
