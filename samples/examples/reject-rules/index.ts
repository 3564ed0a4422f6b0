// Rows that break a rule are set aside with a reason, and everything that is wrong with a row is said at once. The run
// publishes the others where --max-rejects (or `maxRejects`) allows so many.
import { flow, memory, merge, pipeline } from 'sluice';
import { map, RowError, validate } from 'sluice/transforms';

export interface Booking {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly guests: string;
}

/** A rule across columns; one of a single column stands in the schema. */
const endsAfterItBegins = {
  name: 'ends_before_it_begins',
  column: 'to',
  test: ({ from, to }: Booking) => from < to || `it begins on ${from} and ends on ${to}`,
} as const;

export default pipeline({
  name: 'reject-rules',
  summary: 'Bookings that can be believed',
  inputs: {
    bookings: memory<Booking>('bookings', [
      { id: '1', from: '2025-03-01', to: '2025-03-04', guests: '2' },
      { id: '2', from: '2025-03-09', to: '2025-03-05', guests: 'two' },
    ]),
  },
  tables: { bookings: merge('bookings', { columns: ['id', 'from', 'to', 'guests'], key: ['id'] }) },
  flows: ({ inputs, tables }) => [
    flow(inputs.bookings)
      .through(
        validate<Booking>(
          {
            required: ['id', 'from', 'to'],
            properties: {
              from: { format: 'date' },
              to: { format: 'date' },
              guests: { type: 'integer', minimum: 1 },
            },
          },
          { rules: [endsAfterItBegins] },
        ),
        map((row: Booking) => {
          if (row.guests > '9' || row.guests.length > 1)
            throw new RowError('too_many_guests', 'the house has room for nine', {
              column: 'guests',
              value: row.guests,
            });
          return row;
        }),
      )
      .into(tables.bookings),
  ],
});
