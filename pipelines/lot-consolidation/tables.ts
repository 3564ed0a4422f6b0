/** The columns of `lots` that the pipeline knows; others are carried along (others.ts). */
export const LOT_COLUMNS = [
  'id',
  'lot_number',
  'production_line_id',
  'product_model_id',
  'production_month',
  'status',
  'target_quantity',
  'created_at',
  'closed_at',
] as const;

/** The columns of `serials` that the pipeline knows; others are carried along. */
export const SERIAL_COLUMNS = ['id', 'lot_id', 'serial_number', 'status', 'created_at'] as const;
