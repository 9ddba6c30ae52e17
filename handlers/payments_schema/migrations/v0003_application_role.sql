-- The role of the function: it may read, and add payments with their entries; it changes nothing.
-- A role belongs to the whole cluster, so it may be there before this database is.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'payments_app') THEN
        CREATE ROLE payments_app LOGIN;
    END IF;
    -- Aurora's role of those who log in by IAM; with it a password is not taken.
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'rds_iam') THEN
        GRANT rds_iam TO payments_app;
    END IF;
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO payments_app', current_database());
END
$$;

GRANT USAGE ON SCHEMA payments TO payments_app;
GRANT SELECT ON payments.account TO payments_app;
GRANT SELECT, INSERT ON payments.payment, payments.entry TO payments_app;
