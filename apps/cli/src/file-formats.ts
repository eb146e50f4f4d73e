// Apart from the commands that write them, whose code is loaded when they are asked for.

export const QUERY_FORMATS = ['table', 'json', 'csv', 'parquet'] as const;
export type QueryFormat = (typeof QUERY_FORMATS)[number];

export const EXPORT_FORMATS = ['pruning-mask', 'csv', 'npz'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];
