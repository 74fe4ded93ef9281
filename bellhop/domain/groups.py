"""Messages to a group chat: one text that several guests see, and see each other get. Pure.

Such a message has `details["group"]`, and as its recipient a name of the group, which is the same for the same numbers
and from which nobody reads them: what is known of the group is known by that name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bellhop.domain.addresses import canonical
from bellhop.domain.channels import AddressKind

FEWEST = 2
"""Numbers of a group."""


@dataclass(frozen=True, slots=True)
class Group:
    """Whom such a message goes to. `members`: their numbers (E.164); `id`: what the provider calls the group, once it
    has said it; `refused`: how many of them want no such messages, where it did not go out for that; `left`: how many
    were erased and are in it no longer."""

    members: tuple[str, ...] = field(repr=False)
    id: str | None = None
    refused: int = 0
    left: int = 0

    def stored(self) -> dict[str, Any]:
        """As the details of its message keep it: only what there is."""
        kept = {"id": self.id, "refused": self.refused, "left": self.left}
        return {"recipients": list(self.members), **{name: value for name, value in kept.items() if value}}


def of_stored(details: Mapping[str, Any] | None) -> Group | None:
    """That of a message to guests whose details are these; None: it goes to one of them."""
    kept = (details or {}).get("group")
    # Of a guest's own message it is the chat that this was written in, of whose members the number alone is kept.
    if not kept or "recipients" not in kept:
        return None
    return Group(tuple(kept["recipients"]), kept.get("id"), kept.get("refused", 0), kept.get("left", 0))


def shown(details: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the public object of a message to guests says of its group; nothing where it goes to one of them."""
    group = of_stored(details)
    return {"recipients": list(group.members) if group else None, "group_id": group.id if group else None}


def refused(details: Mapping[str, Any] | None) -> dict[str, int]:
    """What the error of a failed message says beside the rest: how many of a group want no such messages, not who."""
    group = of_stored(details)
    return {"recipients_refused": group.refused} if group is not None and group.refused else {}


def left(details: Mapping[str, Any] | None) -> bool:
    """Whether a member of the group that a message goes to was erased: what is said of it later may name them."""
    group = of_stored(details)
    return group is not None and group.left > 0


def without(details: Mapping[str, Any] | None, gone: Collection[str]) -> Group | None:
    """The group of a message without the members whose canonical numbers are `gone`; None: nobody is left in it, or it
    goes to no group."""
    group = of_stored(details)
    members = tuple(one for one in group.members if canonical(AddressKind.PHONE, one) not in gone) if group else ()
    if group is None or not members:
        return None
    return replace(group, members=members, left=group.left + len(group.members) - len(members))


def twice(numbers: Iterable[str]) -> bool:
    """Whether one number is there more than once, however it is written."""
    plain = [canonical(AddressKind.PHONE, number) for number in numbers]
    return len(set(plain)) < len(plain)
