-- Why: a statement that writes several tables at once finds out only at its end that what it has written does not fit together. An error is then the
-- only way to have nothing of it stay.

CREATE FUNCTION refuse(reason text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'refused: %', reason USING ERRCODE = 'integrity_constraint_violation';
END $$;
