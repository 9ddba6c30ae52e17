-- Held by the database: an order moves its position once, as it is written; what is booked stays;
-- the fence does not sink.

-- Runs with the owner's rights, so that nobody else needs the right to change a position.
CREATE FUNCTION trading.move_position() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    moved numeric := CASE NEW.side WHEN 'buy' THEN NEW.quantity ELSE -NEW.quantity END;
BEGIN
    INSERT INTO trading.positions AS known (owner, symbol, quantity)
    VALUES (NEW.owner, NEW.symbol, moved)
    ON CONFLICT (owner, symbol) DO UPDATE SET quantity = known.quantity + moved;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION trading.move_position() FROM PUBLIC;

CREATE TRIGGER order_moves_position AFTER INSERT ON trading.orders
FOR EACH ROW EXECUTE FUNCTION trading.move_position();

CREATE FUNCTION trading.refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    RAISE EXCEPTION 'what is booked stays'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'booked_stays',
            SCHEMA = 'trading', TABLE = TG_TABLE_NAME;
END
$$;

CREATE TRIGGER orders_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON trading.orders
FOR EACH STATEMENT EXECUTE FUNCTION trading.refuse_change();
CREATE TRIGGER fence_stays BEFORE DELETE OR TRUNCATE ON trading.fence
FOR EACH STATEMENT EXECUTE FUNCTION trading.refuse_change();

CREATE FUNCTION trading.refuse_sinking() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    IF NEW.epoch < OLD.epoch THEN
        RAISE EXCEPTION 'an epoch that is over does not come back'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'fence_rises',
                SCHEMA = 'trading', TABLE = 'fence';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER fence_rises BEFORE UPDATE ON trading.fence
FOR EACH ROW EXECUTE FUNCTION trading.refuse_sinking();
