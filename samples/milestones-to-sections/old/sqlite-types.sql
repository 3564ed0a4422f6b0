-- How Prisma has it in a SQLite file: milliseconds since 1970. Some rows came otherwise: by CURRENT_TIMESTAMP (no fraction),
-- by a script (ISO 8601), by a newer Prisma (with an offset).

UPDATE "suppliers" SET "createdAt" = CAST(round((julianday("createdAt") - 2440587.5) * 86400000) AS INTEGER),
  "updatedAt" = CAST(round((julianday("updatedAt") - 2440587.5) * 86400000) AS INTEGER);
UPDATE "projects" SET "createdAt" = CAST(round((julianday("createdAt") - 2440587.5) * 86400000) AS INTEGER),
  "updatedAt" = CAST(round((julianday("updatedAt") - 2440587.5) * 86400000) AS INTEGER);
UPDATE "task_types" SET "createdAt" = CAST(round((julianday("createdAt") - 2440587.5) * 86400000) AS INTEGER),
  "updatedAt" = CAST(round((julianday("updatedAt") - 2440587.5) * 86400000) AS INTEGER);
UPDATE "milestones" SET "createdAt" = CAST(round((julianday("createdAt") - 2440587.5) * 86400000) AS INTEGER),
  "updatedAt" = CAST(round((julianday("updatedAt") - 2440587.5) * 86400000) AS INTEGER);
UPDATE "tasks" SET "createdAt" = CAST(round((julianday("createdAt") - 2440587.5) * 86400000) AS INTEGER),
  "updatedAt" = CAST(round((julianday("updatedAt") - 2440587.5) * 86400000) AS INTEGER);
UPDATE "project_milestone_tasks" SET "dueDate" = CAST(round((julianday("dueDate") - 2440587.5) * 86400000) AS INTEGER),
  "createdAt" = CAST(round((julianday("createdAt") - 2440587.5) * 86400000) AS INTEGER),
  "updatedAt" = CAST(round((julianday("updatedAt") - 2440587.5) * 86400000) AS INTEGER);
UPDATE "supplier_task_instances" SET "actualDueDate" = CAST(round((julianday("actualDueDate") - 2440587.5) * 86400000) AS INTEGER),
  "completedAt" = CAST(round((julianday("completedAt") - 2440587.5) * 86400000) AS INTEGER),
  "createdAt" = CAST(round((julianday("createdAt") - 2440587.5) * 86400000) AS INTEGER),
  "updatedAt" = CAST(round((julianday("updatedAt") - 2440587.5) * 86400000) AS INTEGER);
UPDATE "task_templates" SET "dueDate" = CAST(round((julianday("dueDate") - 2440587.5) * 86400000) AS INTEGER),
  "createdAt" = CAST(round((julianday("createdAt") - 2440587.5) * 86400000) AS INTEGER),
  "updatedAt" = CAST(round((julianday("updatedAt") - 2440587.5) * 86400000) AS INTEGER);
UPDATE "task_instances" SET "dueDate" = CAST(round((julianday("dueDate") - 2440587.5) * 86400000) AS INTEGER),
  "createdAt" = CAST(round((julianday("createdAt") - 2440587.5) * 86400000) AS INTEGER),
  "updatedAt" = CAST(round((julianday("updatedAt") - 2440587.5) * 86400000) AS INTEGER);

UPDATE "suppliers" SET "createdAt" = '2024-11-04 09:00:00' WHERE "id" = 'sup_bolt';
UPDATE "projects" SET "createdAt" = '2024-11-04T09:00:00.000Z' WHERE "id" = 'prj_valve';
UPDATE "project_milestone_tasks" SET "dueDate" = '2025-06-08T00:00:00Z' WHERE "id" = 'pmt_p_fai2';
UPDATE "project_milestone_tasks" SET "dueDate" = '2025-06-15T14:30:00.500+02:00' WHERE "id" = 'pmt_p_trial';
UPDATE "supplier_task_instances" SET "actualDueDate" = '2025-06-05T00:00:00.000+00:00' WHERE "id" = 'sti_03';
