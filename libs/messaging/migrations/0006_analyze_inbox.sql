-- Why: a replay writes as many rows of a new generation into the inbox as the stream has messages. Until autovacuum has looked, which can be a minute and more,
-- the planner takes that generation for empty, reads all of it for each page, and slows the live consumer down, too. Only the table's owner may analyze it.

CREATE FUNCTION analyze_inbox() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = :"schema", pg_temp AS $$
BEGIN
  ANALYZE inbox;
END
$$;
REVOKE EXECUTE ON FUNCTION analyze_inbox() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION analyze_inbox() TO :"role";
