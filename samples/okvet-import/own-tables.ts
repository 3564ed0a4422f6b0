// For a practice whose tables and columns are called otherwise: a pipeline of its own that extends the one of Sluice.
//   sluice run ./own-tables.ts --source export/ --execute
import { okvetImport } from 'sluice/pipelines/okvet-import';

export default okvetImport({
  name: 'our-import',
  summary: 'Customers and patients out of the files of OkVet',
  tables: { clients: 'customers', pets: 'patients' },
  columns: {
    clients: { id: 'customer_id', first_name: 'given_name', last_name: 'family_name' },
    pets: { client_id: 'customer_id', birth_date: 'born_on', source_id: 'old_id' },
  },
});
