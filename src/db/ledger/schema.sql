-- The ledger: what was attempted, what was set aside, what was published. Version 12. May be run again: what
-- an earlier version lacks is added.
-- Not readable by PUBLIC: it holds source data.
-- The schema is there: it was made in this transaction, or was found to be ours.
REVOKE ALL ON SCHEMA sluice FROM PUBLIC;

-- What is there already: its grants are those that somebody has given.
SELECT pg_catalog.set_config('sluice.there', coalesce((SELECT pg_catalog.string_agg(c.oid::text, ',')
  FROM pg_catalog.pg_class c WHERE c.relnamespace = 'sluice'::regnamespace), ''), true);

CREATE TABLE IF NOT EXISTS sluice.ledger_version (
  version    integer PRIMARY KEY,
  applied_at timestamptz NOT NULL DEFAULT now()
);

-- One tracked attempt at a pipeline.
CREATE TABLE IF NOT EXISTS sluice.migration_batch (
  id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  pipeline          text NOT NULL,
  -- How to find the pipeline again: its name, or the path it was loaded from.
  pipeline_from     text NOT NULL,
  -- The old system, where the pipeline names it; else how its rows were written: csv, json, parquet, sqlite, postgres, manual.
  source            varchar(50) NOT NULL,
  source_file       text,
  status            varchar(20) NOT NULL DEFAULT 'pending'
                    CHECK (status IN ('pending', 'running', 'staged', 'completed', 'failed', 'rolled_back')),
  -- Which step a running batch is in: check, load, validate, publish.
  phase             text,
  total_records     bigint NOT NULL DEFAULT 0,
  processed_records bigint NOT NULL DEFAULT 0,
  success_count     bigint NOT NULL DEFAULT 0,
  error_count       bigint NOT NULL DEFAULT 0,
  skip_count        bigint NOT NULL DEFAULT 0,
  created_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  started_at        timestamptz,
  completed_at      timestamptz,
  started_by        text NOT NULL DEFAULT session_user,
  dry_run           boolean NOT NULL DEFAULT true,
  stop_on_error     boolean NOT NULL DEFAULT false,
  settings          jsonb NOT NULL DEFAULT '{}',
  staging_schema    text,
  old_schema        text,
  -- The postmaster's start when staging was made: a restart since then may have emptied UNLOGGED tables.
  server_started_at timestamptz NOT NULL DEFAULT pg_postmaster_start_time(),
  accounting        jsonb,
  reports           jsonb,
  -- The columns of every input that was read, by its name.
  input_columns     jsonb,
  -- It read corrected rejects of that batch, and nothing else.
  only_rejects_of   bigint REFERENCES sluice.migration_batch ON DELETE SET NULL,
  timings           jsonb,
  -- Code, sentence and facts of the error that ended the batch.
  error             jsonb,
  log_file          text,
  sluice_version    text NOT NULL
);

-- How far the load of a batch is: each entry is committed with the rows that it tells of. Gone once the load
-- is complete. Counts and hash are of one end of one flow, up to and including the segment.
CREATE TABLE IF NOT EXISTS sluice.migration_segment (
  batch_id     bigint NOT NULL REFERENCES sluice.migration_batch ON DELETE CASCADE,
  -- The flow, counted from 0, and the branch of it, as in the accounting.
  flow         integer NOT NULL,
  branch       text NOT NULL,
  number       integer NOT NULL,
  table_schema text NOT NULL,
  table_name   text NOT NULL,
  -- Rows handed over, those that the server refused among them; rows in staging.
  handed       bigint NOT NULL,
  rows         bigint NOT NULL,
  hash         text NOT NULL,
  -- The line or ordinal that the segment's last row came from.
  position     bigint,
  -- The rows of this segment that the server refused, and why.
  refused      jsonb NOT NULL DEFAULT '[]',
  committed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (batch_id, flow, branch, number)
);

-- A row set aside. Written outside the load's transaction: a failed batch still has them.
CREATE TABLE IF NOT EXISTS sluice.migration_reject (
  batch_id     bigint NOT NULL REFERENCES sluice.migration_batch ON DELETE CASCADE,
  -- 1-based, in the order in which the batch met them; some are missing where a load was gone on with.
  number       bigint NOT NULL,
  input        text NOT NULL,
  line         bigint,
  byte_offset  bigint,
  -- What the old system calls the record, where a stage has told.
  record_type  text,
  source_id    text,
  stage        text NOT NULL,
  reason       text NOT NULL,
  column_name  text,
  value        text,
  expected     text,
  sqlstate     text,
  message      text NOT NULL,
  -- The input's record: an object in the order of its columns, or the text that could not be read as one.
  -- json, not jsonb, which would sort the columns. NULL where it is not known any more, or may not be kept.
  raw          json,
  -- The row as the stage saw it, where that was another.
  stage_row    json,
  -- The batch that was given the corrected row; it counts once that batch is published.
  corrected_by bigint REFERENCES sluice.migration_batch ON DELETE SET NULL,
  created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (batch_id, number)
);

-- What a batch made live, and what is kept for the way back.
CREATE TABLE IF NOT EXISTS sluice.migration_publish (
  batch_id        bigint NOT NULL REFERENCES sluice.migration_batch ON DELETE CASCADE,
  table_schema    text NOT NULL,
  table_name      text NOT NULL,
  mode            text NOT NULL CHECK (mode IN ('replace', 'append', 'merge', 'sync', 'patch')),
  -- The mode's own record: the live table's OID, rows before, and what its undo needs.
  facts           jsonb NOT NULL DEFAULT '{}',
  rows_staged     bigint NOT NULL,
  published_at    timestamptz,
  retained_schema text,
  retained_oid    oid,
  rolled_back_at  timestamptz,
  dropped_at      timestamptz,
  PRIMARY KEY (batch_id, table_schema, table_name)
);

-- Since version 2: what the command wanted of the publish (no_triggers), for a swap later.
ALTER TABLE sluice.migration_batch ADD COLUMN IF NOT EXISTS options jsonb NOT NULL DEFAULT '{}';

-- Since version 2: the files that the run has written; how it was run and what its inputs were, which is what
-- resuming it takes.
ALTER TABLE sluice.migration_batch ADD COLUMN IF NOT EXISTS files jsonb;
-- Before version 10 the latter was called run_record.
DO $$ BEGIN
  IF EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = 'sluice.migration_batch'::regclass AND attname = 'run_record' AND NOT attisdropped) THEN
    ALTER TABLE sluice.migration_batch RENAME COLUMN run_record TO manifest;
  END IF;
END $$;
ALTER TABLE sluice.migration_batch ADD COLUMN IF NOT EXISTS manifest jsonb;
-- Since version 10: how its rejects are resubmitted.
UPDATE sluice.migration_batch SET manifest = (manifest - 'feedBack') || jsonb_build_object('resubmit', manifest -> 'feedBack') WHERE manifest ? 'feedBack';

-- Since version 3: how far a running batch is, input by input, and what became of its records by type.
ALTER TABLE sluice.migration_batch ADD COLUMN IF NOT EXISTS progress jsonb;
ALTER TABLE sluice.migration_batch ADD COLUMN IF NOT EXISTS record_summary jsonb;

-- In versions 3 and 4 this was the table that is now behind the view of the same name.
DO $$ BEGIN
  IF (SELECT relkind FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass('sluice.migration_record')) = 'r' THEN
    ALTER TABLE sluice.migration_record RENAME TO migration_record_row;
  END IF;
END $$;

-- Since version 3: one record of the old system in one batch: what it was, what was made of it, what became of it.
-- Written while the batch runs, outside its transactions: a failed batch still has them, pending. To be read as
-- sluice.migration_record: of those that stay pending here, migration_record_outcome says what became.
CREATE TABLE IF NOT EXISTS sluice.migration_record_row (
  batch_id         bigint NOT NULL REFERENCES sluice.migration_batch ON DELETE CASCADE,
  -- 1-based, in the order in which the batch read them.
  number           bigint NOT NULL,
  -- A veterinary practice has client, pet, medical_record, vaccination, appointment and invoice; other pipelines
  -- have types of their own.
  record_type      varchar(50) NOT NULL CHECK (record_type ~ '^[a-z][a-z0-9_]*$'),
  -- The record's id in the old system.
  source_id        varchar(255) NOT NULL,
  status           varchar(20) NOT NULL DEFAULT 'pending'
                   CHECK (status IN ('pending', 'success', 'error', 'skipped', 'rolled_back')),
  -- The table, schema.table (two identifiers and a dot), and the id that the record has or will have there.
  target_model     varchar(127) NOT NULL DEFAULT '',
  target_id        bigint,
  source_data      jsonb NOT NULL DEFAULT '{}',
  transformed_data jsonb NOT NULL DEFAULT '{}',
  -- Of an error the sentence and the column; of a skipped record why.
  error_message    text NOT NULL DEFAULT '',
  error_field      varchar(100) NOT NULL DEFAULT '',
  created_at       timestamptz NOT NULL DEFAULT statement_timestamp(),
  -- Where the record stands: the input's name, and the line or ordinal.
  input            text NOT NULL,
  line             bigint,
  PRIMARY KEY (batch_id, number)
);

-- Since version 5: what became of all records at once that a batch has brought to a table, and of which nothing else
-- is said. A publish or a rollback writes one row, not every record anew.
CREATE TABLE IF NOT EXISTS sluice.migration_record_outcome (
  batch_id      bigint NOT NULL REFERENCES sluice.migration_batch ON DELETE CASCADE,
  -- As in migration_record_row.
  target_model  varchar(127) NOT NULL,
  status        varchar(20) NOT NULL CHECK (status IN ('success', 'skipped', 'rolled_back')),
  error_message text NOT NULL DEFAULT '',
  PRIMARY KEY (batch_id, target_model)
);

-- The records as they are to be read. Earlier versions wrote success into every record.
CREATE OR REPLACE VIEW sluice.migration_record AS
SELECT r.batch_id, r.number, r.record_type, r.source_id, coalesce(o.status, r.status) AS status, r.target_model,
       CASE WHEN coalesce(o.status, r.status) <> 'pending' THEN r.target_id END AS target_id,
       r.source_data, r.transformed_data, coalesce(o.error_message, r.error_message) AS error_message, r.error_field,
       r.created_at, r.input, r.line
FROM sluice.migration_record_row r
LEFT JOIN sluice.migration_record_outcome o
  ON o.batch_id = r.batch_id AND o.target_model = r.target_model AND r.status IN ('pending', 'success');

-- Since version 3: field mappings that are in force instead of a pipeline's own.
CREATE TABLE IF NOT EXISTS sluice.migration_field_mapping (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  source_system varchar(50) NOT NULL,
  record_type   varchar(50) NOT NULL,
  source_field  varchar(100) NOT NULL,
  target_field  varchar(100) NOT NULL,
  transform     varchar(255) NOT NULL DEFAULT '',
  is_required   boolean NOT NULL DEFAULT false,
  default_value varchar(255) NOT NULL DEFAULT '',
  UNIQUE (source_system, record_type, source_field)
);

-- Since version 4: the views under old names that a batch has made, and the old tables that are kept aside for them.
CREATE TABLE IF NOT EXISTS sluice.migration_view (
  batch_id       bigint NOT NULL REFERENCES sluice.migration_batch ON DELETE CASCADE,
  view_schema    text NOT NULL,
  view_name      text NOT NULL,
  view_oid       oid NOT NULL,
  kept_schema    text,
  kept_oid       oid,
  -- Whether a function stands after its writes.
  writes         boolean NOT NULL,
  published_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  rolled_back_at timestamptz,
  dropped_at     timestamptz,
  PRIMARY KEY (batch_id, view_schema, view_name)
);

-- Who writes through those views, and when last, to the minute.
CREATE TABLE IF NOT EXISTS sluice.migration_view_use (
  view_schema text NOT NULL,
  view_name   text NOT NULL,
  application text NOT NULL,
  role        text NOT NULL,
  first_write timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_write  timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (view_schema, view_name, application, role)
);

-- Since version 6: what a publish did to the rows of each table, counted in its transaction; NULL where an earlier
-- version published, and rows_deleted where writes during the load were not guarded against. Of the staged rows each is
-- inserted, updated, unchanged, missing (patch: no such key) or suppressed (by a trigger).
ALTER TABLE sluice.migration_publish
  ADD COLUMN IF NOT EXISTS rows_inserted bigint, ADD COLUMN IF NOT EXISTS rows_updated bigint,
  ADD COLUMN IF NOT EXISTS rows_unchanged bigint, ADD COLUMN IF NOT EXISTS rows_missing bigint,
  ADD COLUMN IF NOT EXISTS rows_suppressed bigint, ADD COLUMN IF NOT EXISTS rows_deleted bigint,
  ADD COLUMN IF NOT EXISTS deletes_suppressed bigint;

-- Since version 6: the same of a batch that published nothing, a rehearsal or one that found nothing to change: an
-- object by table.
ALTER TABLE sluice.migration_batch ADD COLUMN IF NOT EXISTS changes jsonb;

-- Since version 7: the constraint that a rejected row breaks.
ALTER TABLE sluice.migration_reject ADD COLUMN IF NOT EXISTS constraint_name text;

-- Since version 8: tables that are published by differences (sync).
ALTER TABLE sluice.migration_publish DROP CONSTRAINT IF EXISTS migration_publish_mode_check;
ALTER TABLE sluice.migration_publish ADD CONSTRAINT migration_publish_mode_check
  CHECK (mode IN ('replace', 'append', 'merge', 'sync', 'patch'));

-- Since version 12: a source may be of any name, as pipelines name their old systems.
ALTER TABLE sluice.migration_batch DROP CONSTRAINT IF EXISTS migration_batch_source_check;

-- Since version 9: the schemas that the batch has made, by name: the OID, and those of the tables as they were made.
-- Nothing else of such a name is the batch's. Of batches of earlier versions: what is there.
ALTER TABLE sluice.migration_batch ADD COLUMN IF NOT EXISTS schemas jsonb;
UPDATE sluice.migration_batch b SET schemas = coalesce((
  SELECT jsonb_object_agg(n.nspname, jsonb_build_object('oid', n.oid::int8, 'tables', coalesce(
    (SELECT jsonb_object_agg(c.relname, c.oid::int8) FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid AND c.relkind = 'r'), '{}')))
  FROM pg_catalog.pg_namespace n
  WHERE n.nspname ~ ('^sluice_(staging|old|guard|guard_undo|undo|undone|compat)_' || b.id || '(_[1-9][0-9]*)?$')), '{}')
WHERE schemas IS NULL;
ALTER TABLE sluice.migration_batch ALTER COLUMN schemas SET DEFAULT '{}', ALTER COLUMN schemas SET NOT NULL;

-- Since version 11: the parts of inputs that are loaded, each committed with the rows that it tells of. Gone once the load
-- is complete. Before, segments had places to read on from.
ALTER TABLE sluice.migration_segment DROP COLUMN IF EXISTS mark;
CREATE TABLE IF NOT EXISTS sluice.migration_part (
  batch_id     bigint NOT NULL REFERENCES sluice.migration_batch ON DELETE CASCADE,
  -- The flow, counted from 0, and the branch of it, as in the accounting.
  flow         integer NOT NULL,
  branch       text NOT NULL,
  -- The bytes of the input's text (unpacked, UTF-8) from one up to before the other; the line at which they begin, how many.
  starts_at    bigint NOT NULL,
  ends_at      bigint NOT NULL,
  line         bigint NOT NULL,
  lines        bigint NOT NULL,
  table_schema text NOT NULL,
  table_name   text NOT NULL,
  -- Rows handed over, those that the server refused among them; rows in staging.
  handed       bigint NOT NULL,
  rows         bigint NOT NULL,
  -- Of the rows in COPY's text format or, where the text itself was handed to COPY (raw), of that.
  hash         text NOT NULL,
  raw          boolean NOT NULL,
  -- The rows that the server refused, and why.
  refused      jsonb NOT NULL DEFAULT '[]',
  -- What became of its rows at each stage: the source first, the end last.
  account      json NOT NULL,
  columns      json NOT NULL,
  note         json,
  committed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (batch_id, flow, branch, starts_at)
);

-- Since version 12: of a part that a worker has loaded, its host, how long that took it (by its own clock), and how often the
-- part was begun; and what hosts have loaded of a batch, which stays when the parts are gone.
ALTER TABLE sluice.migration_part
  ADD COLUMN IF NOT EXISTS host text, ADD COLUMN IF NOT EXISTS took_ms bigint, ADD COLUMN IF NOT EXISTS tries integer;
ALTER TABLE sluice.migration_batch ADD COLUMN IF NOT EXISTS workers jsonb;

-- Since version 9: what belongs to a batch is changed by the role that has begun it, by roles that have its rights, and by
-- the ledger's owner; whoever may only read reads as before. Triggers rather than policies: our sessions refuse to be
-- shown a part of a table (row_security = off), and so could not read a table with policies at all.
CREATE OR REPLACE FUNCTION sluice.own_batch() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $own$
DECLARE
  batch text;
  starter text;
BEGIN
  IF NOT pg_has_role((SELECT c.relowner FROM pg_class c WHERE c.oid = TG_RELID), 'USAGE') THEN
    FOR batch, starter IN
      SELECT r.of ->> 'id', r.of ->> 'started_by' FROM (VALUES (to_jsonb(OLD)), (to_jsonb(NEW))) r(of)
      WHERE TG_TABLE_NAME = 'migration_batch' AND r.of IS NOT NULL
      UNION ALL SELECT b.id::text, b.started_by FROM sluice.migration_batch b
      WHERE TG_TABLE_NAME <> 'migration_batch'
        AND b.id IN ((to_jsonb(OLD) ->> 'batch_id')::bigint, (to_jsonb(NEW) ->> 'batch_id')::bigint)
    LOOP
      IF starter IS DISTINCT FROM session_user
         AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = starter AND pg_has_role(r.oid, 'USAGE')) THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
          MESSAGE = format('batch %s was begun by %s, and the role %s may not change what belongs to it', batch, starter, current_user),
          HINT = format('Do it as %I, or as a member of that role, or as the owner of the ledger.', starter);
      END IF;
    END LOOP;
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $own$;

DO $$ DECLARE each record; BEGIN
  FOR each IN
    SELECT c.oid::regclass AS name, c.relowner AS owner FROM pg_catalog.pg_class c
    WHERE c.relnamespace = 'sluice'::regnamespace AND c.relkind = 'r' AND EXISTS (SELECT FROM pg_catalog.pg_attribute a
      WHERE a.attrelid = c.oid AND NOT a.attisdropped AND (a.attname = 'batch_id' OR c.relname = 'migration_batch' AND a.attname = 'started_by'))
  LOOP
    -- For the owner, who writes nearly all rows, it costs one look at the roles.
    EXECUTE format('CREATE OR REPLACE TRIGGER own_batch BEFORE INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW
      WHEN (pg_catalog.pg_has_role(%s::oid, ''USAGE'') IS NOT TRUE) EXECUTE FUNCTION sluice.own_batch()', each.name, each.owner);
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER own_batch', each.name);
  END LOOP;
END $$;

-- Default privileges that somebody has set up would open what is made here to readers.
DO $$ DECLARE each record; BEGIN
  FOR each IN
    SELECT DISTINCT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END || ' ' || c.oid::regclass AS object, coalesce(quote_ident(r.rolname), 'PUBLIC') AS role
    FROM pg_catalog.pg_class c CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) a LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
    WHERE c.relnamespace = 'sluice'::regnamespace AND a.grantee <> c.relowner
      AND NOT c.oid = ANY (string_to_array(current_setting('sluice.there'), ',')::oid[])
    UNION SELECT 'FUNCTION ' || p.oid::regprocedure, coalesce(quote_ident(r.rolname), 'PUBLIC')
    FROM pg_catalog.pg_proc p CROSS JOIN LATERAL pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) a
    LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee WHERE p.pronamespace = 'sluice'::regnamespace AND a.grantee <> p.proowner
  LOOP EXECUTE format('REVOKE ALL ON %s FROM %s CASCADE', each.object, each.role);
  END LOOP;
END $$;

-- Whoever might read the table of earlier versions may read the view.
DO $$ DECLARE reader name; BEGIN
  FOR reader IN
    SELECT DISTINCT r.rolname FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) a
    JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
    WHERE c.oid = 'sluice.migration_record_row'::regclass AND a.privilege_type = 'SELECT' AND a.grantee <> c.relowner
  LOOP EXECUTE format('GRANT SELECT ON sluice.migration_record TO %I', reader);
  END LOOP;
END $$;

INSERT INTO sluice.ledger_version (version) VALUES (12) ON CONFLICT DO NOTHING;
