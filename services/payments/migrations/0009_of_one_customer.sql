-- Why: what payments and checkouts know about a person is found by the customer when that customer is erased, and then once a day until all of them have ended.

CREATE INDEX payments_customer_index ON payments (customer) WHERE customer IS NOT NULL;
CREATE INDEX checkouts_customer_index ON checkouts (customer) WHERE customer IS NOT NULL;
