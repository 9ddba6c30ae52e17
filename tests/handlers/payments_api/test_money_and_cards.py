"""Amounts and card numbers: what is exact, and what is refused before anything keeps it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from postgres.clusters import paid, posted

from payments_api.cards import has_card_number, passes_luhn
from payments_api.core import CardNumberRefusedError, Refused
from payments_api.doors import asked
from payments_api.money import DECIMALS, DIGITS_MAX, amount_of, written

KEY = "order-00000000-0001"
PAN = "4111111111111111"
ID = "0f8fad5b-d9cb-469f-a165-70867728950e"


def refusal(request):
    with pytest.raises(Refused) as caught:
        asked(request)
    return caught.value


# Amounts.


@pytest.mark.parametrize(
    ("said", "currency", "exact"),
    [
        ("12.34", "EUR", "12.34"),
        ("12.3", "EUR", "12.30"),
        ("12", "EUR", "12.00"),
        ("0.01", "EUR", "0.01"),
        ("1234", "JPY", "1234"),
        ("1.234", "KWD", "1.234"),
        ("9999999999.99", "USD", "9999999999.99"),
        ("999999999999", "JPY", "999999999999"),
    ],
)
def test_an_amount_is_exact(said, currency, exact):
    assert written(amount_of(said, currency)) == exact


@pytest.mark.parametrize(
    ("said", "currency"),
    [
        ("0", "EUR"),
        ("0.00", "EUR"),
        ("-1", "EUR"),
        ("+1", "EUR"),
        ("1.234", "EUR"),
        ("1.230", "EUR"),
        ("1.0", "JPY"),
        ("1.2345", "KWD"),
        ("01", "EUR"),
        (".5", "EUR"),
        ("1.", "EUR"),
        ("1e2", "EUR"),
        ("1,00", "EUR"),
        (" 1", "EUR"),
        ("1\n", "EUR"),
        ("\u0661", "EUR"),
        ("NaN", "EUR"),
        ("", "EUR"),
        ("99999999999.99", "EUR"),
        ("9999999999999", "JPY"),
        (12.34, "EUR"),
        (12, "EUR"),
        (None, "EUR"),
    ],
)
def test_what_is_no_amount(said, currency):
    assert amount_of(said, currency) is None


@given(
    currency=st.sampled_from(sorted(DECIMALS)),
    units=st.integers(1, 10**DIGITS_MAX - 1),
)
def test_any_amount_of_any_currency_comes_back_as_it_was(currency, units):
    amount = Decimal(units).scaleb(-DECIMALS[currency])
    said = written(amount)
    assert amount_of(said, currency) == amount
    assert written(amount_of(said, currency)) == said
    assert not has_card_number(said)  # an amount is never taken for a card


@given(
    currency=st.sampled_from(sorted(DECIMALS)), said=st.text("0123456789.,-+eE \u0661", max_size=20)
)
def test_an_amount_is_never_changed(currency, said):
    amount = amount_of(said, currency)
    if amount is not None:
        assert amount == Decimal(said) > 0
        assert -amount.as_tuple().exponent == DECIMALS[currency]


def test_currencies_are_codes():
    assert all(len(code) == 3 and code.isupper() and code.isalpha() for code in DECIMALS)
    assert (len(DECIMALS), DECIMALS["JPY"], DECIMALS["BHD"], DECIMALS["USD"]) == (155, 0, 3, 2)
    assert not {"XXX", "XTS", "XAU", "CLF", "HRK"} & DECIMALS.keys()


# Card numbers.


@pytest.mark.parametrize(
    "text",
    [
        PAN,
        "5500005555555559",
        "378282246310005",
        "6011000990139424",
        "4222222222222",
        "6304000000000000000",
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "4111.1111.1111.1111",
        "4111_1111_1111_1111",
        "4111/1111/1111/1111",
        "4111 - 1111 - 1111 - 1111",
        "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
        f"card {PAN} of mine",
        f"x{PAN}y",
        f"{PAN} 12/29 123",
        f"00{PAN}99",
        "7378282246310005",
        "123056930902590418",
        f"{PAN}12291234567890",
        "\u0664" + "\u0661" * 15,
        "４１１１１１１１１１１１１１１１",  # noqa: RUF001 - full-width digits
        "4111\u20101111\u20131111\u00a01111",
        "4111\u200b1111\u200b1111\u200b1111",
        "1" * 201,
    ],
)
def test_a_card_number_is_found_however_it_is_written(text):
    assert has_card_number(text)
    assert has_card_number({"a": [{"b": text}]})
    assert has_card_number([{text: 1}])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4111111111111112",
        "411111111111",
        "DE89370400440532013000",
        "4111a1111b1111c1111",
        "tok_" + "a" * 16,
        ID,
        "41111111-1111-4111-8111-111111111111",
        "41111111111141118111111111111111",
        "invoice 2026-11-20",
    ],
)
def test_what_is_no_card_number_is_let_through(text):
    assert not has_card_number({"a": [text]})


@given(st.text("0123456789", min_size=12, max_size=18), st.text("abc xyz", max_size=5))
def test_any_number_with_its_check_digit_is_found(digits, around):
    number = digits + next(last for last in "0123456789" if passes_luhn(digits + last))
    assert has_card_number(f"{around}{number}{around}")
    assert has_card_number("-".join(number))


def test_depth_and_length_are_no_trouble():
    deep = PAN
    for _ in range(20_000):
        deep = [deep]
    assert has_card_number(deep)


@pytest.mark.parametrize("field", [*paid(), "cardToken", "reference", "sessionId", "surprise"])
def test_a_card_number_in_any_field_is_refused_before_all_else(field):
    assert isinstance(refusal(posted(KEY, **{field: PAN})), CardNumberRefusedError)
    assert isinstance(refusal(posted(KEY, **{field: int(PAN)})), CardNumberRefusedError)
    refused = refusal(posted(KEY, **{field: {"a": [PAN, None]}}))
    assert (refused.status, refused.body()) == (400, '{"error": "CardNumberRefused"}')


def test_a_card_number_is_no_key():
    for key in (PAN, f"order-{PAN}", "4111-1111-1111-1111"):
        assert isinstance(refusal(posted(key)), CardNumberRefusedError)
