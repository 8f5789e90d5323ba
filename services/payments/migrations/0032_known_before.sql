-- Why: as 0030. Who became known in the second before there were triggers; only rows of such are locked.
UPDATE usage_unknown_customers u SET known = true
WHERE EXISTS (SELECT FROM customers c WHERE c.stripe_customer = u.customer AND c.tenant = u.tenant AND c.status = 'active')
  OR EXISTS (SELECT FROM usage_customers f WHERE f.customer = u.customer AND f.tenant = u.tenant);
