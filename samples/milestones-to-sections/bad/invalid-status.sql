-- A status that nothing moves on from.
UPDATE "supplier_task_instances" SET "status" = 'Done' WHERE "id" = 'sti_11';
