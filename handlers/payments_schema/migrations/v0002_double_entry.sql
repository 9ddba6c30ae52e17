-- Double entry, held by the database: a payment commits with exactly its two entries or not at
-- all, entries move balances, and nothing that is booked changes afterwards.

-- Runs with the owner's rights, so that nobody else needs the right to change a balance.
CREATE FUNCTION payments.move_balance() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    UPDATE payments.account SET balance = balance + NEW.amount WHERE account_id = NEW.account_id;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION payments.move_balance() FROM PUBLIC;

CREATE TRIGGER entry_moves_balance AFTER INSERT ON payments.entry
FOR EACH ROW EXECUTE FUNCTION payments.move_balance();

-- At COMMIT, when both entries must be there. Names of accounts and amounts stay out of the text.
CREATE FUNCTION payments.refuse_unbalanced() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    PERFORM 1
    FROM payments.payment AS p
    JOIN payments.entry AS d ON d.payment_id = p.payment_id AND d.side = 'DEBIT'
    JOIN payments.entry AS c ON c.payment_id = p.payment_id AND c.side = 'CREDIT'
    WHERE p.payment_id = NEW.payment_id
        AND d.account_id = p.debtor AND d.currency = p.currency AND d.amount = -p.amount
        AND c.account_id = p.creditor AND c.currency = p.currency AND c.amount = p.amount;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a payment must have one debit and one credit of its amount'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_is_balanced',
                SCHEMA = 'payments', TABLE = 'payment';
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION payments.refuse_unbalanced() FROM PUBLIC;

CREATE CONSTRAINT TRIGGER payment_is_balanced AFTER INSERT ON payments.payment
DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION payments.refuse_unbalanced();

CREATE FUNCTION payments.refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    RAISE EXCEPTION 'what is booked stays; book a payment in the other direction'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'booked_stays',
            SCHEMA = 'payments', TABLE = TG_TABLE_NAME;
END
$$;

CREATE TRIGGER payment_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON payments.payment
FOR EACH STATEMENT EXECUTE FUNCTION payments.refuse_change();
CREATE TRIGGER entry_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON payments.entry
FOR EACH STATEMENT EXECUTE FUNCTION payments.refuse_change();
