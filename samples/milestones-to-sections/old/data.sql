-- A small old system with the awkward cases in it; for PostgreSQL and SQLite alike. Dates are UTC.

-- sup_none has no task; sup_cera ends in two spaces and has an empty contact.
INSERT INTO "suppliers" ("id", "name", "contactInfo", "createdAt", "updatedAt") VALUES
  ('sup_acme', 'Acme Castings', '{"email": "pm@acme.example", "phone": "+1 555 0100"}', '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('sup_bolt', 'Bolt & O''Brien GmbH', 'bolt@example.com', '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('sup_cera', 'Ceramiche Älghult  ', '', '2024-11-04 09:00:00.000', '2025-06-30 23:59:59.999'),
  ('sup_none', 'No Tasks Ltd', 'nobody', '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250');

-- prj_empty has no tasks; an empty description is not NULL.
INSERT INTO "projects" ("id", "name", "description", "createdAt", "updatedAt") VALUES
  ('prj_pump', 'Pump P7', 'Water pump, 7th generation', '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('prj_valve', 'Valve V2', NULL, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('prj_empty', 'Empty project', '', '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250');

INSERT INTO "task_types" ("id", "name", "description", "createdAt", "updatedAt") VALUES
  ('typ_pa', 'Part Approval', 'PPAP and what follows', '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('typ_nmr', 'NMR', NULL, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('typ_misc', 'Tooling & Logistics', 'custom sections', '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('typ_unused', 'Unused type', NULL, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250');

-- Codes PA2, PA3, NMR1, NMR2 get their names; PA2 in two types; "First Article" twice in one; "Sampling" three times, once
-- with the same sequence; a name that the rule for duplicates would give is taken; a milestone without tasks.
INSERT INTO "milestones" ("id", "taskTypeId", "code", "name", "description", "sequence", "createdAt", "updatedAt") VALUES
  ('mil_pa2', 'typ_pa', 'PA2', 'PA2 - First Article Inspection', 'first parts off the tool', 1, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('mil_pa3', 'typ_pa', 'PA3', 'PA3', NULL, 2, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('mil_pa9', 'typ_pa', 'PA9', 'Long-term Capability', NULL, 3, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('mil_pa_dup', 'typ_pa', 'FAI', 'First Article', 'named like what PA2 becomes', 4, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('mil_pa_hole', 'typ_pa', NULL, 'Warranty Review', 'no task yet', 7, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('mil_nmr1', 'typ_nmr', 'NMR1', 'New Material Release 1', NULL, 10, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('mil_nmr2', 'typ_nmr', 'NMR2', 'New Material Release 2', NULL, 20, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('mil_nmr_pa2', 'typ_nmr', 'PA2', 'Reuse of PA2', NULL, 20, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('mil_t_a', 'typ_misc', NULL, 'Sampling', NULL, 1, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('mil_t_b', 'typ_misc', '', 'Sampling', NULL, 1, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('mil_t_c', 'typ_misc', 'S3', 'Sampling (2)', 'a real name like the one the rule would give', 2, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('mil_t_d', 'typ_misc', 'S4', 'Sampling', NULL, 5, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('mil_t_pa', 'typ_misc', 'pa2', 'Packaging Approval', 'a code of its own: small letters', 6, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250');

INSERT INTO "tasks" ("id", "milestoneId", "name", "description", "sequence", "createdAt", "updatedAt") VALUES
  ('tsk_fai', 'mil_pa2', 'Measure first article', NULL, 1, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('tsk_fai2', 'mil_pa2', 'Submit report', 'as PDF', 2, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('tsk_trial', 'mil_pa3', 'Run production trial', NULL, 1, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('tsk_cap', 'mil_pa9', 'Capability study', 'Cpk ≥ 1.67', 1, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('tsk_dup', 'mil_pa_dup', 'Submit report', 'the same name as another task', 1, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('tsk_doc', 'mil_nmr1', 'Material certificates', NULL, 1, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('tsk_test', 'mil_nmr2', 'Tensile test', NULL, 1, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('tsk_reuse', 'mil_nmr_pa2', 'Reuse', NULL, 1, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('tsk_sa', 'mil_t_a', 'Sample A', NULL, 1, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('tsk_sb', 'mil_t_b', 'Sample B', NULL, 1, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('tsk_sc', 'mil_t_c', 'Sample C', NULL, 1, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('tsk_sd', 'mil_t_d', 'Sample D', NULL, 1, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('tsk_pack', 'mil_t_pa', 'Packaging', '', 1, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250');

-- Dates at the edges of a day, before 1970, with milliseconds, or none; notes with everything that text can hold.
INSERT INTO "project_milestone_tasks" ("id", "projectId", "milestoneId", "taskId", "dueDate", "notes", "responsibleParties", "createdAt", "updatedAt") VALUES
  ('pmt_p_fai', 'prj_pump', 'mil_pa2', 'tsk_fai', '2025-06-01 00:00:00.000', 'first due
second line	with a tab', '["Quality","Supplier"]', '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('pmt_p_fai2', 'prj_pump', 'mil_pa2', 'tsk_fai2', '2025-06-08 00:00:00.000', NULL, '[ "Quality" , "Supplier" ]', '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('pmt_p_trial', 'prj_pump', 'mil_pa3', 'tsk_trial', '2025-06-15 12:30:00.500', '', '', '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('pmt_p_cap', 'prj_pump', 'mil_pa9', 'tsk_cap', NULL, 'no date yet', NULL, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('pmt_p_dup', 'prj_pump', 'mil_pa_dup', 'tsk_dup', '2025-06-10 00:00:00.000', NULL, NULL, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('pmt_p_doc', 'prj_pump', 'mil_nmr1', 'tsk_doc', '2025-06-09 23:59:59.999', 'back\slash \N and "quotes"', 'Purchasing; Lab', '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('pmt_v_doc', 'prj_valve', 'mil_nmr1', 'tsk_doc', '2025-07-01 00:00:00.000', NULL, NULL, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('pmt_v_test', 'prj_valve', 'mil_nmr2', 'tsk_test', '2025-06-12 00:00:00.000', '  spaces before and after  ', NULL, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('pmt_v_sa', 'prj_valve', 'mil_t_a', 'tsk_sa', '2025-05-20 00:00:00.000', NULL, NULL, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('pmt_v_sb', 'prj_valve', 'mil_t_b', 'tsk_sb', '1969-12-31 23:59:59.999', 'before 1970', NULL, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('pmt_v_pack', 'prj_valve', 'mil_t_pa', 'tsk_pack', '2025-06-16 00:00:00.000', NULL, NULL, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250');

-- All statuses; overrides earlier, later, equal, and where the project has no date; not applied; notes and attachments.
INSERT INTO "supplier_task_instances" ("id", "supplierId", "projectMilestoneTaskId", "status", "actualDueDate", "completedAt", "notes", "attachments", "isApplied", "createdAt", "updatedAt") VALUES
  ('sti_01', 'sup_acme', 'pmt_p_fai', 'completed', NULL, '2025-05-30 16:00:00.000', 'done
early', '[{"name":"fai.pdf","path":"uploads/2025/fai.pdf"}]', true, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('sti_02', 'sup_acme', 'pmt_p_fai2', 'in_progress', '2025-06-20 00:00:00.000', NULL, 'later by agreement', NULL, true, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('sti_03', 'sup_acme', 'pmt_p_trial', 'not_started', '2025-06-05 00:00:00.000', NULL, NULL, NULL, true, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('sti_04', 'sup_acme', 'pmt_p_cap', 'not_started', NULL, NULL, NULL, '[]', true, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('sti_05', 'sup_acme', 'pmt_p_dup', 'submitted', '2025-06-10 00:00:00.000', NULL, 'an override equal to the date', '', true, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('sti_06', 'sup_acme', 'pmt_p_doc', 'approved', NULL, '2025-06-01 08:00:00.001', '', NULL, true, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('sti_07', 'sup_bolt', 'pmt_p_fai', 'rejected', NULL, NULL, 'résumé 🚀 \N', '[{"name":"a \"b\".pdf"}]', true, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('sti_08', 'sup_bolt', 'pmt_p_fai2', 'not_applicable', NULL, NULL, NULL, NULL, false, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('sti_09', 'sup_bolt', 'pmt_p_cap', 'in_progress', '2025-06-11 00:00:00.000', NULL, 'an override where the project has no date', NULL, true, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('sti_10', 'sup_bolt', 'pmt_v_doc', 'not_started', NULL, NULL, NULL, NULL, true, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('sti_11', 'sup_bolt', 'pmt_v_test', 'not_started', NULL, NULL, NULL, NULL, true, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('sti_12', 'sup_cera', 'pmt_v_test', 'in_progress', '2025-05-01 00:00:00.000', NULL, NULL, NULL, false, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('sti_13', 'sup_cera', 'pmt_v_sa', 'not_started', NULL, NULL, NULL, NULL, true, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('sti_14', 'sup_cera', 'pmt_v_sb', 'not_started', NULL, NULL, 'trailing newline
', NULL, true, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250'),
  ('sti_15', 'sup_cera', 'pmt_v_pack', 'completed', '2025-06-17 00:00:00.000', '2025-06-16 10:00:00.000', NULL, 'uploads/pack.jpg', true, '2024-11-04 09:00:00.000', '2025-06-16 10:00:00.000'),
  ('STI_15', 'sup_acme', 'pmt_v_pack', 'not_started', NULL, NULL, 'an id that differs in its letters only', NULL, true, '2024-11-04 09:00:00.000', '2025-05-02 14:30:15.250');

-- The legacy model; nobody has looked after it.
INSERT INTO "task_templates" ("id", "projectId", "name", "description", "dueDate", "createdAt", "updatedAt") VALUES
  ('tpl_1', 'prj_pump', 'Old style approval', NULL, '2023-03-01 00:00:00.000', '2022-01-01 00:00:00.000', '2023-01-01 00:00:00.000'),
  ('tpl_2', 'prj_gone', 'Of a project that is gone', '', NULL, '2022-01-01 00:00:00.000', '2023-01-01 00:00:00.000');

INSERT INTO "task_instances" ("id", "supplierId", "taskTemplateId", "status", "dueDate", "notes", "createdAt", "updatedAt") VALUES
  ('ins_1', 'sup_acme', 'tpl_1', 'DONE', '2023-03-01 00:00:00.000', 'from the spreadsheet', '2022-01-01 00:00:00.000', '2023-01-01 00:00:00.000'),
  ('ins_2', 'sup_gone', 'tpl_1', 'open', NULL, NULL, '2022-01-01 00:00:00.000', '2023-01-01 00:00:00.000'),
  ('ins_3', 'sup_bolt', 'tpl_gone', '???', NULL, 'its template is gone', '2022-01-01 00:00:00.000', '2023-01-01 00:00:00.000');
