"""Values as DynamoDB's JSON writes them, and back: texts as S, amounts as N, both exactly."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from market_events.schema import amount_text

Attribute = dict[str, str]
Item = dict[str, Attribute]
Stored = Mapping[str, Any]  # an item as AWS hands it over

# docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
DIGITS = 38


def text(value: str) -> Attribute:
    return {"S": value}


def number(amount: Decimal) -> Attribute:
    """Write an amount; raise ValueError for one that DynamoDB cannot hold exactly."""
    written = amount_text(amount)
    if len(written.lstrip("-").replace(".", "").strip("0")) > DIGITS:
        raise ValueError(f"an amount has more than {DIGITS} significant digits")
    return {"N": written}


def text_of(item: Stored, name: str) -> str | None:
    """Read a text; None if the item has none of that name."""
    value = item.get(name, {}).get("S")
    return value if isinstance(value, str) else None


def number_of(item: Stored, name: str) -> Decimal | None:
    """Read an amount; None if the item has none of that name."""
    value = item.get(name, {}).get("N")
    return Decimal(value) if isinstance(value, str) else None


def spelled(item: Stored, name: str) -> str | None:
    """Read a text, or an amount as a decimal string."""
    amount = number_of(item, name)
    return text_of(item, name) if amount is None else amount_text(amount)
