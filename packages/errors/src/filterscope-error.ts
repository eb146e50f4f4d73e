/**
 * How the system treats an error:
 * - `transient`: the world may be different in a moment (a disk full, a server away); the same work may be tried again;
 * - `permanent`: the same input gives the same error; the message tells a person what to change;
 * - `poison`: the input ends the process that touches it.
 */
export type ErrorClass = 'transient' | 'permanent' | 'poison';

/** An error with a stable code to branch on and a message written for the person who runs the command. */
export class FilterscopeError extends Error {
  override readonly name = 'FilterscopeError';
  readonly code: string;
  readonly class: ErrorClass;

  constructor(code: string, message: string, options: { class?: ErrorClass; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.class = options.class ?? 'permanent';
  }

  toJSON(): { code: string; class: ErrorClass; message: string } {
    return { code: this.code, class: this.class, message: this.message };
  }
}
