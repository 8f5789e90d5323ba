-- Why: a projection is rebuilt in tables of its own and replaces the live rows in one transaction. The service makes those tables itself, so it needs a
-- schema in which it may; in its own schema it may create nothing.

CREATE SCHEMA IF NOT EXISTS :"rebuild";
GRANT USAGE, CREATE ON SCHEMA :"rebuild" TO :"role";
