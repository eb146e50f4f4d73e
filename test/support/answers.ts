/** What `analyze --json` answers. */
export interface Summary {
  readonly run: string;
  readonly state: string;
  readonly images: number;
  readonly ok: number;
  readonly failed: number;
  readonly skipped: number;
  readonly duplicates: number;
  readonly reused: number;
  readonly output: string;
  readonly durationSeconds: number;
  readonly synthetic: boolean;
}

/** A row of `images --json` and `failures --json`. */
export interface ImageAnswer {
  readonly image: string;
  readonly class: string | null;
  readonly status: string;
  readonly code: string | null;
  readonly message: string | null;
  readonly blankFilters: Readonly<Record<string, number>> | null;
}

/** One of the `topImages` of `filter --json`. */
export interface TopImageAnswer {
  readonly image: string;
  readonly max: number;
  readonly position: number;
  readonly x: number;
  readonly y: number;
  readonly field: {
    readonly left: number;
    readonly top: number;
    readonly width: number;
    readonly height: number;
  };
  /** Path. */
  readonly picture: string | null;
  readonly missing: { readonly code: string; readonly message: string } | null;
}

/** `image --json`, as far as the tests look at it. */
export interface OneImageAnswer extends ImageAnswer {
  /** Path of each layer's grid. */
  readonly grids: Readonly<Record<string, string>>;
}
