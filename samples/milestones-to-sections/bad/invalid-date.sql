-- Only a SQLite file can hold it: text where a date should be.
UPDATE "project_milestone_tasks" SET "dueDate" = 'end of June' WHERE "id" = 'pmt_v_sa';
