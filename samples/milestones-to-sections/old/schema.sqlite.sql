-- The old system in SQLite, as Prisma lays it out: DATETIME is milliseconds since 1970 where Prisma wrote it, and text
-- where CURRENT_TIMESTAMP or a script did. Nothing enforces the keys but an application that turns them on.
CREATE TABLE "suppliers" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "name" TEXT NOT NULL,
  "contactInfo" TEXT NOT NULL,
  "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updatedAt" DATETIME NOT NULL
);

CREATE TABLE "projects" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "name" TEXT NOT NULL,
  "description" TEXT,
  "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updatedAt" DATETIME NOT NULL
);

CREATE TABLE "task_types" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "name" TEXT NOT NULL,
  "description" TEXT,
  "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updatedAt" DATETIME NOT NULL
);
CREATE UNIQUE INDEX "task_types_name_key" ON "task_types"("name");

CREATE TABLE "milestones" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "taskTypeId" TEXT NOT NULL,
  "code" TEXT,
  "name" TEXT NOT NULL,
  "description" TEXT,
  "sequence" INTEGER NOT NULL,
  "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updatedAt" DATETIME NOT NULL,
  CONSTRAINT "milestones_taskTypeId_fkey" FOREIGN KEY ("taskTypeId") REFERENCES "task_types" ("id") ON DELETE RESTRICT ON UPDATE CASCADE
);

CREATE TABLE "tasks" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "milestoneId" TEXT NOT NULL,
  "name" TEXT NOT NULL,
  "description" TEXT,
  "sequence" INTEGER NOT NULL DEFAULT 0,
  "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updatedAt" DATETIME NOT NULL,
  CONSTRAINT "tasks_milestoneId_fkey" FOREIGN KEY ("milestoneId") REFERENCES "milestones" ("id") ON DELETE RESTRICT ON UPDATE CASCADE
);

CREATE TABLE "project_milestone_tasks" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "projectId" TEXT NOT NULL,
  "milestoneId" TEXT NOT NULL,
  "taskId" TEXT NOT NULL,
  "dueDate" DATETIME,
  "notes" TEXT,
  "responsibleParties" TEXT,
  "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updatedAt" DATETIME NOT NULL,
  CONSTRAINT "project_milestone_tasks_projectId_fkey" FOREIGN KEY ("projectId") REFERENCES "projects" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  CONSTRAINT "project_milestone_tasks_milestoneId_fkey" FOREIGN KEY ("milestoneId") REFERENCES "milestones" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  CONSTRAINT "project_milestone_tasks_taskId_fkey" FOREIGN KEY ("taskId") REFERENCES "tasks" ("id") ON DELETE RESTRICT ON UPDATE CASCADE
);
CREATE UNIQUE INDEX "project_milestone_tasks_projectId_taskId_key" ON "project_milestone_tasks"("projectId", "taskId");

CREATE TABLE "supplier_task_instances" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "supplierId" TEXT NOT NULL,
  "projectMilestoneTaskId" TEXT NOT NULL,
  "status" TEXT NOT NULL DEFAULT 'not_started',
  "actualDueDate" DATETIME,
  "completedAt" DATETIME,
  "notes" TEXT,
  "attachments" TEXT,
  "isApplied" BOOLEAN NOT NULL DEFAULT true,
  "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updatedAt" DATETIME NOT NULL,
  CONSTRAINT "supplier_task_instances_supplierId_fkey" FOREIGN KEY ("supplierId") REFERENCES "suppliers" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
  CONSTRAINT "supplier_task_instances_projectMilestoneTaskId_fkey" FOREIGN KEY ("projectMilestoneTaskId") REFERENCES "project_milestone_tasks" ("id") ON DELETE RESTRICT ON UPDATE CASCADE
);
CREATE UNIQUE INDEX "supplier_task_instances_supplierId_projectMilestoneTaskId_key"
  ON "supplier_task_instances"("supplierId", "projectMilestoneTaskId");

-- Legacy: from before milestones; kept for backward compatibility.
CREATE TABLE "task_templates" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "projectId" TEXT NOT NULL,
  "name" TEXT NOT NULL,
  "description" TEXT,
  "dueDate" DATETIME,
  "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updatedAt" DATETIME NOT NULL
);

CREATE TABLE "task_instances" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "supplierId" TEXT NOT NULL,
  "taskTemplateId" TEXT NOT NULL,
  "status" TEXT NOT NULL,
  "dueDate" DATETIME,
  "notes" TEXT,
  "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updatedAt" DATETIME NOT NULL
);
