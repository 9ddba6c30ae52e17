"""What the resources of a template are called, as symbols: ARNs, names, URLs.

A name that is written leads to the ARN as it will be; one that AWS generates becomes a fixed atom
inside it, so that `Fn::GetAtt` of a bucket and `arn:aws:s3:::` before its `Ref` are one text.
"""

import re
from typing import Any

from tap_templates.diff.model import Resource, StackView
from tap_templates.diff.security.texts import Atoms, Encoder
from tap_templates.rendered.arns import Place, identify

_GENERATED = re.compile(r"<\.([^<>@]*)@[^<>@]*>")


def encoder(view: StackView, atoms: Atoms) -> Encoder:
    """Make the encoder of a template's values."""

    def resolve(logical_id: str, attribute: str) -> str | None:
        resource = view.resource(logical_id)
        if resource is None:
            return None
        return _identity(view, resource, attribute, made)

    made = Encoder(atoms, resolve)
    return made


def account_of(encode: Encoder) -> str:
    """Spell the account that a template is deployed to."""
    return encode.text({"Ref": "AWS::AccountId"})


def arn_of(view: StackView, resource: Resource, encode: Encoder) -> str | None:
    """Spell a resource's ARN; None if its type has none that we know."""
    found = identify(
        resource.type, _place(view, resource, encode), _properties(resource, encode)
    ).arn
    return None if found is None else _generated(found, encode)


def _identity(view: StackView, resource: Resource, attribute: str, encode: Encoder) -> str:
    found = identify(resource.type, _place(view, resource, encode), _properties(resource, encode))
    text = found.attributes.get(attribute) if attribute else found.ref
    if text is None:
        return encode.atoms.fixed(f"{resource.logical_id}.{attribute}")
    return _generated(text, encode)


def _generated(text: str, encode: Encoder) -> str:
    return _GENERATED.sub(lambda match: encode.atoms.fixed(match.group(1)), text)


def _place(view: StackView, resource: Resource, encode: Encoder) -> Place:
    def pseudo(name: str) -> str:
        return encode.text(view.value({"Ref": f"AWS::{name}"}))

    return Place(
        stack="",
        logical_id=resource.logical_id,
        region=pseudo("Region"),
        account=account_of(encode),
        partition=pseudo("Partition"),
        url_suffix=pseudo("URLSuffix"),
    )


def _properties(resource: Resource, encode: Encoder) -> Any:
    def property_of(key: str) -> str | None:
        value = resource.properties.get(key)
        return None if value is None else encode.text(value)

    return property_of
