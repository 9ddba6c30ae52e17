-- Accounts, payments and their ledger entries. What these tables hold is right by constraint,
-- whoever writes: a violated constraint has a name, and the function knows it by that name.

CREATE SCHEMA payments;
REVOKE ALL ON SCHEMA payments FROM PUBLIC;

CREATE TABLE payments.account (
    account_id     text    NOT NULL,
    currency       text    NOT NULL,
    balance        numeric NOT NULL DEFAULT 0,
    lowest_balance numeric DEFAULT 0,  -- NULL: no limit, as for accounts of the house
    CONSTRAINT account_pkey PRIMARY KEY (account_id),
    CONSTRAINT account_currency_unique UNIQUE (account_id, currency),
    CONSTRAINT account_id_shape CHECK (account_id ~ '^[A-Za-z0-9][A-Za-z0-9_-]{2,63}$'),
    CONSTRAINT account_currency_shape CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT account_balance_not_below_lowest CHECK (balance >= lowest_balance)
);

-- The answer is what the first caller was told, byte for byte; a retry is told the same.
CREATE TABLE payments.payment (
    payment_id      uuid        NOT NULL,
    idempotency_key text        NOT NULL,
    digest          text        NOT NULL,
    debtor          text        NOT NULL,
    creditor        text        NOT NULL,
    currency        text        NOT NULL,
    amount          numeric     NOT NULL,
    card_token      text,
    reference       text,
    answer          text        NOT NULL,
    booked_at       timestamptz NOT NULL,
    booked_in       text        NOT NULL,
    booked_by       text        NOT NULL,  -- the request, so that it knows its own work again
    CONSTRAINT payment_pkey PRIMARY KEY (payment_id),
    CONSTRAINT payment_idempotency_key_unique UNIQUE (idempotency_key),
    CONSTRAINT payment_debtor_known FOREIGN KEY (debtor) REFERENCES payments.account (account_id),
    CONSTRAINT payment_creditor_known
        FOREIGN KEY (creditor) REFERENCES payments.account (account_id),
    CONSTRAINT payment_between_two CHECK (debtor <> creditor),
    CONSTRAINT payment_amount_above_zero CHECK (amount > 0 AND amount < 1000000000000),
    CONSTRAINT payment_digest_shape CHECK (digest ~ '^[0-9a-f]{64}$'),
    CONSTRAINT payment_idempotency_key_shape CHECK (idempotency_key ~ '^[A-Za-z0-9_-]{16,64}$'),
    CONSTRAINT payment_card_is_a_token CHECK (card_token ~ '^tok_[A-Za-z0-9]{8,64}$')
);

CREATE TABLE payments.entry (
    payment_id uuid    NOT NULL,
    side       text    NOT NULL,
    account_id text    NOT NULL,
    currency   text    NOT NULL,
    amount     numeric NOT NULL,  -- what it adds to the account's balance
    CONSTRAINT entry_pkey PRIMARY KEY (payment_id, side),
    CONSTRAINT entry_of_payment FOREIGN KEY (payment_id) REFERENCES payments.payment (payment_id),
    CONSTRAINT entry_currency_of_account
        FOREIGN KEY (account_id, currency) REFERENCES payments.account (account_id, currency),
    CONSTRAINT entry_sign_of_side CHECK (
        (side = 'DEBIT' AND amount < 0) OR (side = 'CREDIT' AND amount > 0)
    )
);
CREATE INDEX entry_account ON payments.entry (account_id);
