-- A project's task that says another milestone than its task's.
UPDATE "project_milestone_tasks" SET "milestoneId" = 'mil_pa3' WHERE "id" = 'pmt_p_fai';
