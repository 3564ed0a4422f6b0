-- The new system, in a schema of its own: old and new both have task_types, tasks and supplier_task_instances, and
-- both are in use for a while. The pipeline fills these tables; `prisma db push` or this file makes them.

CREATE SCHEMA IF NOT EXISTS v2;

CREATE TABLE v2.suppliers (
  id text PRIMARY KEY,
  name text NOT NULL,
  contact_info text NOT NULL,
  created_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE v2.projects (
  id text PRIMARY KEY,
  name text NOT NULL,
  description text,
  created_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE v2.task_types (
  id text PRIMARY KEY,
  name text NOT NULL UNIQUE,
  description text,
  created_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP
);

-- What a milestone was; the same id.
CREATE TABLE v2.task_type_sections (
  id text PRIMARY KEY,
  task_type_id text NOT NULL REFERENCES v2.task_types ON DELETE RESTRICT ON UPDATE CASCADE,
  name text NOT NULL,
  description text,
  sequence integer NOT NULL,
  -- It had no tasks when it was migrated; kept, so that tasks can be put into it.
  is_placeholder boolean NOT NULL DEFAULT false,
  -- The old system's names, which the compatibility views show; they go with them.
  milestone_code text,
  milestone_name text,
  created_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  UNIQUE (task_type_id, name)
);

CREATE TABLE v2.tasks (
  id text PRIMARY KEY,
  section_id text NOT NULL REFERENCES v2.task_type_sections ON DELETE RESTRICT ON UPDATE CASCADE,
  -- A sub-task names its task; the old system had none.
  parent_task_id text REFERENCES v2.tasks ON DELETE RESTRICT ON UPDATE CASCADE,
  name text NOT NULL,
  description text,
  sequence integer NOT NULL DEFAULT 0,
  created_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX tasks_section_id_idx ON v2.tasks (section_id);

-- Which types of task a project has.
CREATE TABLE v2.project_task_types (
  id text PRIMARY KEY,
  project_id text NOT NULL REFERENCES v2.projects ON DELETE RESTRICT ON UPDATE CASCADE,
  task_type_id text NOT NULL REFERENCES v2.task_types ON DELETE RESTRICT ON UPDATE CASCADE,
  UNIQUE (project_id, task_type_id)
);

-- What a project milestone task was; the same id.
CREATE TABLE v2.project_task_templates (
  id text PRIMARY KEY,
  project_id text NOT NULL REFERENCES v2.projects ON DELETE RESTRICT ON UPDATE CASCADE,
  task_id text NOT NULL REFERENCES v2.tasks ON DELETE RESTRICT ON UPDATE CASCADE,
  due_date timestamp(3),
  notes text,
  responsible_parties text,
  created_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  UNIQUE (project_id, task_id)
) WITH (fillfactor = 80);

-- Columns that every dashboard reads come first, those of fixed width before them: the row is short, and little of it has
-- to be taken apart. Pages are filled to 60 % only: when a supplier's tasks are updated together, most of the new rows
-- find room beside the old ones, and no index has to be touched. Hence no index on a column that is updated.
CREATE TABLE v2.supplier_task_instances (
  created_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  is_applied boolean NOT NULL DEFAULT true,
  status text NOT NULL DEFAULT 'not_started'
    CHECK (status IN ('not_started', 'in_progress', 'submitted', 'approved', 'rejected', 'completed', 'not_applicable')),
  supplier_id text NOT NULL REFERENCES v2.suppliers ON DELETE RESTRICT ON UPDATE CASCADE,
  project_task_template_id text NOT NULL REFERENCES v2.project_task_templates ON DELETE RESTRICT ON UPDATE CASCADE,
  -- Overrides the template's due_date for this supplier.
  actual_due_date timestamp(3),
  completed_at timestamp(3),
  id text PRIMARY KEY,
  notes text,
  attachments text,
  UNIQUE (supplier_id, project_task_template_id)
) WITH (fillfactor = 60);
CREATE INDEX supplier_task_instances_template_idx ON v2.supplier_task_instances (project_task_template_id);

-- The legacy model as it was, orphans and all: therefore without keys to other tables.
CREATE TABLE v2.legacy_task_templates (
  id text PRIMARY KEY,
  project_id text NOT NULL,
  name text NOT NULL,
  description text,
  due_date timestamp(3),
  created_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE v2.legacy_task_instances (
  id text PRIMARY KEY,
  supplier_id text NOT NULL,
  task_template_id text NOT NULL,
  status text NOT NULL,
  due_date timestamp(3),
  notes text,
  created_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP
);

-- What every instance was in the old system, worked out from the old rows alone; the validations compare with it, on
-- the night and later. It can go when nobody asks them any more.
CREATE TABLE v2.migration_before (
  instance_id text PRIMARY KEY,
  supplier_id text NOT NULL,
  project_id text NOT NULL,
  project_milestone_task_id text NOT NULL,
  status text NOT NULL,
  -- The override, or else the project's date.
  effective_due_date timestamp(3),
  overridden boolean NOT NULL,
  is_applied boolean NOT NULL,
  completed_at timestamp(3),
  -- md5 of the texts; NULL where there was none.
  notes_md5 text,
  attachments_md5 text,
  updated_at timestamp(3) NOT NULL
);
