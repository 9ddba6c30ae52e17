-- Orders, the positions they make, and the fence. What these tables hold is right by constraint,
-- whoever writes. What is refused here is refused by the API first: an acknowledged order fits.

CREATE SCHEMA trading;
REVOKE ALL ON SCHEMA trading FROM PUBLIC;

-- Which epoch may write. One row for ever; it only rises.
CREATE TABLE trading.fence (
    is_only boolean NOT NULL DEFAULT true,
    epoch   integer NOT NULL,
    CONSTRAINT fence_pkey PRIMARY KEY (is_only),
    CONSTRAINT fence_one_row CHECK (is_only),
    CONSTRAINT fence_epoch_from_one CHECK (epoch >= 1)
);
INSERT INTO trading.fence (epoch) VALUES (1);

CREATE TABLE trading.orders (
    order_id        text        NOT NULL,
    owner           text        NOT NULL,
    client_order_id text        NOT NULL,
    symbol          text        NOT NULL,
    side            text        NOT NULL,
    quantity        numeric     NOT NULL,
    price           numeric     NOT NULL,
    applied_at      timestamptz NOT NULL,
    epoch           integer     NOT NULL,  -- under which it was written
    CONSTRAINT orders_pkey PRIMARY KEY (order_id),
    CONSTRAINT orders_client_order_unique UNIQUE (owner, client_order_id),
    CONSTRAINT orders_id_shape CHECK (order_id ~ '^o-[0-9a-f]{32}$'),
    CONSTRAINT orders_side_known CHECK (side IN ('buy', 'sell')),
    CONSTRAINT orders_quantity_above_zero CHECK (quantity > 0 AND quantity < 1000000000000),
    CONSTRAINT orders_price_above_zero CHECK (price > 0 AND price < 1000000000000)
);
-- What the last orders of an epoch are is asked while a region waits to serve.
CREATE INDEX orders_epoch_applied ON trading.orders (epoch, applied_at);

CREATE TABLE trading.positions (
    owner    text    NOT NULL,
    symbol   text    NOT NULL,
    quantity numeric NOT NULL,  -- bought less sold
    CONSTRAINT positions_pkey PRIMARY KEY (owner, symbol)
);

-- Where a region writes to see that it can.
CREATE TABLE trading.canary (
    region text        NOT NULL,
    at     timestamptz NOT NULL,
    CONSTRAINT canary_pkey PRIMARY KEY (region)
);

-- A moment as the journal writes it: in UTC, with six decimals always.
CREATE FUNCTION trading.moment(moment timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE STRICT SET search_path = '' AS $$
    SELECT to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;
