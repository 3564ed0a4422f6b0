/** The columns of the table that is loaded: ten, of the usual types. */
export const EVENTS = [
  'id',
  'code',
  'customer',
  'quantity',
  'price',
  'status',
  'note',
  'created_at',
  'due',
  'paid',
] as const;

export const COLUMNS = `id bigint NOT NULL, code varchar(20) NOT NULL, customer text NOT NULL, quantity integer NOT NULL,
  price numeric(10,2) NOT NULL, status text NOT NULL, note text, created_at timestamptz NOT NULL, due date, paid boolean NOT NULL`;

export const INDEXES = (schema: string) => [
  `ALTER TABLE ${schema}.events ADD CONSTRAINT events_pkey PRIMARY KEY (id)`,
  `CREATE INDEX events_created_at_idx ON ${schema}.events (created_at)`,
];

export const FROM_STAGING = [
  ...INDEXES('incoming'),
  'ANALYZE incoming.events',
  'BEGIN',
  'ALTER TABLE public.events SET SCHEMA outgoing',
  'ALTER TABLE incoming.events SET SCHEMA public',
  'COMMIT',
];

/** What every row of it is. */
export const SCHEMA = {
  type: 'object',
  required: ['id', 'code', 'customer'],
  properties: {
    id: { type: 'integer', minimum: 1 },
    code: { type: 'string', pattern: '^AB-' },
    quantity: { type: 'integer', minimum: 0 },
    price: { type: 'number' },
    status: { enum: ['open', 'sent', 'closed'] },
  },
};
