-- Why: a view changes its table by the rights of its owner, so that of the two things that keep `events` as they are only the trigger was left.
REVOKE INSERT, UPDATE, DELETE ON lost_numbers FROM :"role";
