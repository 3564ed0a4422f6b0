/**
 * Deepest nesting of JSON that is read. PostgreSQL's own parser gives up at some 6,000 levels with its
 * default max_stack_depth, and code that walks a value by recursion not much later.
 */
export const MAX_DEPTH = 1000;
