"""Amounts of money: decimal strings, exact, with the decimals their currency has. Pure."""

import re
from decimal import Decimal


def _with_decimals(decimals: int, codes: str) -> dict[str, int]:
    return dict.fromkeys(codes.split(), decimals)


# ISO 4217 as of November 2026: currencies that are paid with; no funds, metals or test codes.
DECIMALS = (
    _with_decimals(
        2,
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD"
        " CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD"
        " GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL"
        " MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN"
        " PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP"
        " SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG",
    )
    | _with_decimals(0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF")
    | _with_decimals(3, "BHD IQD JOD KWD LYD OMR TND")
)
# One fewer than the shortest card number: no amount can be one.
DIGITS_MAX = 12
_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,11})(\.[0-9]{1,3})?")


def amount_of(value: object, currency: str) -> Decimal | None:
    """Read an amount above zero, or None. It comes back with all decimals of its currency.

    Only strings are taken: a JSON number has been through a float before we see it. The currency
    must be one of DECIMALS.
    """
    if not isinstance(value, str) or not _AMOUNT.fullmatch(value):
        return None
    amount = Decimal(value)
    decimals = DECIMALS[currency]
    exact = amount.quantize(Decimal(1).scaleb(-decimals))
    if exact != amount or len(value.partition(".")[2]) > decimals:
        return None
    digits = len(exact.as_tuple().digits)
    return exact if exact > 0 and digits <= DIGITS_MAX else None


def written(amount: Decimal) -> str:
    """Write an amount as it is read."""
    return format(amount, "f")
