-- Why: payments that wait are carried on for tenants in turn. By their time alone all that one tenant had queued came first, and what others had queued behind it expired.

-- Whose a payment is; '' where that was not said, as by processes of the version before: what they write has its turns as one tenant more.
ALTER TABLE payment_work ADD COLUMN tenant text NOT NULL DEFAULT '';
