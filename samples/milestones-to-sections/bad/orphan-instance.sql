-- An instance whose project milestone task is gone, and one whose supplier is.
INSERT INTO "supplier_task_instances" ("id", "supplierId", "projectMilestoneTaskId", "status", "createdAt", "updatedAt") VALUES
  ('sti_bad1', 'sup_acme', 'pmt_gone', 'not_started', '2025-01-01 00:00:00', '2025-01-01 00:00:00'),
  ('sti_bad2', 'sup_gone', 'pmt_v_sa', 'not_started', '2025-01-01 00:00:00', '2025-01-01 00:00:00');
