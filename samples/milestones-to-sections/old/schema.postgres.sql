-- The old system in PostgreSQL, as Prisma lays it out: text ids, quoted camelCase columns, timestamp(3) in UTC.

CREATE TABLE "suppliers" (
  "id" TEXT NOT NULL,
  "name" TEXT NOT NULL,
  "contactInfo" TEXT NOT NULL,
  "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updatedAt" TIMESTAMP(3) NOT NULL,
  CONSTRAINT "suppliers_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "projects" (
  "id" TEXT NOT NULL,
  "name" TEXT NOT NULL,
  "description" TEXT,
  "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updatedAt" TIMESTAMP(3) NOT NULL,
  CONSTRAINT "projects_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "task_types" (
  "id" TEXT NOT NULL,
  "name" TEXT NOT NULL,
  "description" TEXT,
  "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updatedAt" TIMESTAMP(3) NOT NULL,
  CONSTRAINT "task_types_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "task_types_name_key" ON "task_types"("name");

CREATE TABLE "milestones" (
  "id" TEXT NOT NULL,
  "taskTypeId" TEXT NOT NULL,
  "code" TEXT,
  "name" TEXT NOT NULL,
  "description" TEXT,
  "sequence" INTEGER NOT NULL,
  "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updatedAt" TIMESTAMP(3) NOT NULL,
  CONSTRAINT "milestones_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "tasks" (
  "id" TEXT NOT NULL,
  "milestoneId" TEXT NOT NULL,
  "name" TEXT NOT NULL,
  "description" TEXT,
  "sequence" INTEGER NOT NULL DEFAULT 0,
  "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updatedAt" TIMESTAMP(3) NOT NULL,
  CONSTRAINT "tasks_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "project_milestone_tasks" (
  "id" TEXT NOT NULL,
  "projectId" TEXT NOT NULL,
  "milestoneId" TEXT NOT NULL,
  "taskId" TEXT NOT NULL,
  "dueDate" TIMESTAMP(3),
  "notes" TEXT,
  "responsibleParties" TEXT,
  "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updatedAt" TIMESTAMP(3) NOT NULL,
  CONSTRAINT "project_milestone_tasks_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "project_milestone_tasks_projectId_taskId_key" ON "project_milestone_tasks"("projectId", "taskId");

CREATE TABLE "supplier_task_instances" (
  "id" TEXT NOT NULL,
  "supplierId" TEXT NOT NULL,
  "projectMilestoneTaskId" TEXT NOT NULL,
  "status" TEXT NOT NULL DEFAULT 'not_started',
  "actualDueDate" TIMESTAMP(3),
  "completedAt" TIMESTAMP(3),
  "notes" TEXT,
  "attachments" TEXT,
  "isApplied" BOOLEAN NOT NULL DEFAULT true,
  "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updatedAt" TIMESTAMP(3) NOT NULL,
  CONSTRAINT "supplier_task_instances_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "supplier_task_instances_supplierId_projectMilestoneTaskId_key"
  ON "supplier_task_instances"("supplierId", "projectMilestoneTaskId");

-- Legacy: from before milestones; kept for backward compatibility.
CREATE TABLE "task_templates" (
  "id" TEXT NOT NULL,
  "projectId" TEXT NOT NULL,
  "name" TEXT NOT NULL,
  "description" TEXT,
  "dueDate" TIMESTAMP(3),
  "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updatedAt" TIMESTAMP(3) NOT NULL,
  CONSTRAINT "task_templates_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "task_instances" (
  "id" TEXT NOT NULL,
  "supplierId" TEXT NOT NULL,
  "taskTemplateId" TEXT NOT NULL,
  "status" TEXT NOT NULL,
  "dueDate" TIMESTAMP(3),
  "notes" TEXT,
  "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updatedAt" TIMESTAMP(3) NOT NULL,
  CONSTRAINT "task_instances_pkey" PRIMARY KEY ("id")
);

ALTER TABLE "milestones" ADD CONSTRAINT "milestones_taskTypeId_fkey" FOREIGN KEY ("taskTypeId") REFERENCES "task_types"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "tasks" ADD CONSTRAINT "tasks_milestoneId_fkey" FOREIGN KEY ("milestoneId") REFERENCES "milestones"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "project_milestone_tasks" ADD CONSTRAINT "project_milestone_tasks_projectId_fkey" FOREIGN KEY ("projectId") REFERENCES "projects"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "project_milestone_tasks" ADD CONSTRAINT "project_milestone_tasks_milestoneId_fkey" FOREIGN KEY ("milestoneId") REFERENCES "milestones"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "project_milestone_tasks" ADD CONSTRAINT "project_milestone_tasks_taskId_fkey" FOREIGN KEY ("taskId") REFERENCES "tasks"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "supplier_task_instances" ADD CONSTRAINT "supplier_task_instances_supplierId_fkey" FOREIGN KEY ("supplierId") REFERENCES "suppliers"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "supplier_task_instances" ADD CONSTRAINT "supplier_task_instances_projectMilestoneTaskId_fkey" FOREIGN KEY ("projectMilestoneTaskId") REFERENCES "project_milestone_tasks"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
-- task_instances never had a key to task_templates: the legacy model was made by hand.
