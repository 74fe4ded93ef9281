"""Messages to groups: what is kept, shown and counted."""

from __future__ import annotations

from bellhop.domain import groups
from bellhop.domain.addresses import AddressBook
from bellhop.domain.channels import AddressKind, Channel, kind_of
from bellhop.domain.groups import Group

PEOPLE = ("+13055551234", "+5215512345678")


def test_a_group_comes_back_as_it_was_stored() -> None:
    for group in (Group(PEOPLE), Group(PEOPLE, "g-1", refused=1, left=2)):
        assert groups.of_stored({"group": group.stored(), "options": {}}) == group
        assert not any(number in repr(group) for number in PEOPLE)


def test_a_guests_own_group_chat_is_none() -> None:
    for details in (None, {}, {"group": {"id": "g-1", "name": "Wedding", "members": 3}}):
        assert groups.of_stored(details) is None
        assert groups.shown(details) == {"recipients": None, "group_id": None}


def test_who_refuses_is_counted_and_not_named() -> None:
    assert groups.refused({"group": Group(PEOPLE, refused=1).stored()}) == {"recipients_refused": 1}
    assert groups.refused({"group": Group(PEOPLE).stored()}) == {} == groups.refused(None)


def test_a_number_is_one_however_it_is_written() -> None:
    assert groups.twice(["+5215512345678", "+525512345678"])
    assert not groups.twice(PEOPLE)


def test_a_groups_name_tells_no_number_and_hashes_to_itself() -> None:
    book = AddressBook("s3cret")
    name = book.group(PEOPLE)
    assert name == book.group(("+525512345678", "+13055551234"))
    assert name not in (book.group(PEOPLE[:1]), AddressBook("another").group(PEOPLE))
    assert book.hashes(kind_of(Channel.IMESSAGE, name), name) == [book.hash(AddressKind.PHONE, name)]
