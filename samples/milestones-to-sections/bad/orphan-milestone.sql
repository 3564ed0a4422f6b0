-- A milestone of a type that is gone.
UPDATE "milestones" SET "taskTypeId" = 'typ_gone' WHERE "id" = 'mil_pa_hole';
