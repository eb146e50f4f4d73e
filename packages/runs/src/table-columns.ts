import type { Columns } from './parquet.ts';

// Columns of the index's tables. Shares and rates are fractions 0–1. `images` is beside its rows (image-row.ts),
// `readings` beside its encoding (readings-table.ts). No file has a column `run`: the folder `run=…` says it, and pandas
// refuses a table that has it in both.

export const RUN_COLUMNS: Columns = {
  dataset: 'string',
  createdAt: 'string',
  weights: 'string',
  weightsSha256: 'string',
  flavour: 'string',
  synthetic: 'boolean',
  labels: 'string',
  layers: 'string',
  fit: 'string',
  kernel: 'string',
  countDuplicates: 'string',
  images: 'int64',
  ok: 'int64',
  failed: 'int64',
  skipped: 'int64',
  duplicates: 'int64',
};

export const LAYER_COLUMNS: Columns = {
  layer: 'string',
  filters: 'int32',
  positions: 'int32',
  images: 'int64',
  blankRate: 'float64',
  blankRateLow: 'float64',
  blankRateHigh: 'float64',
  zeroShare: 'float64',
  zeroShareLow: 'float64',
  zeroShareHigh: 'float64',
  dead: 'int32',
  deadBound: 'float64',
  mostlyZero: 'int32',
  moreImages: 'int32',
  synthetic: 'boolean',
};

export const FILTER_COLUMNS: Columns = {
  layer: 'string',
  filter: 'int32',
  images: 'int64',
  blank: 'int64',
  blankRate: 'float64',
  blankRateLow: 'float64',
  blankRateHigh: 'float64',
  zeroShare: 'float64',
  zeroShareLow: 'float64',
  zeroShareHigh: 'float64',
  maxActivation: 'float64',
  meanMax: 'float64',
  dead: 'boolean',
  deadBound: 'float64',
  moreImages: 'int32',
  synthetic: 'boolean',
};
