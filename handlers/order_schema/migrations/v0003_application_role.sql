-- The role of the functions: it adds orders and changes none, holds and raises the fence, writes the
-- canary. Positions it only reads.
-- A role belongs to the whole cluster, so it may be there before this database is.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'orders_app') THEN
        CREATE ROLE orders_app LOGIN;
    END IF;
    -- Aurora's role of those who log in by IAM; with it a password is not taken.
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'rds_iam') THEN
        GRANT rds_iam TO orders_app;
    END IF;
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO orders_app', current_database());
END
$$;

GRANT USAGE ON SCHEMA trading TO orders_app;
GRANT SELECT, INSERT ON trading.orders TO orders_app;
GRANT SELECT ON trading.positions TO orders_app;
-- Holding the row in share mode needs the right to update it.
GRANT SELECT, UPDATE (epoch) ON trading.fence TO orders_app;
GRANT SELECT, INSERT, UPDATE ON trading.canary TO orders_app;
