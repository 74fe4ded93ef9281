"""Which of a guest's stays a message is about: the one that is under way, or else the nearest to today."""

from __future__ import annotations

from bellhop.domain.windows import GUEST_READS

DAYS_AWAY = """
    case when stays.status = 'in_house' then 0 else greatest(
      coalesce(arrival, departure) - today.day, today.day - coalesce(departure, arrival), 0) end
"""
"""How many days a row of `stays` is away from `today`."""
TODAY = """(
    select (now() at time zone properties.timezone)::date as day
    from scopes join properties on properties.id = scopes.property_id where scopes.id = :scope
  ) today
"""
"""The day it is where the property is."""


def nearest_of(guest: str) -> str:
    """SQL of the key of the stay of a guest that a message to or from them is about; `guest`: SQL of their key. Of two
    that are as near: the one that is under way, then the one that begins first. One that has been over for so long that
    its guest no longer sees its messages is none any more, nor is one that was cancelled: see `windows`."""
    return f"""
  select stays.id
  from stay_guests join stays on stays.id = stay_guests.stay_id
  cross join {TODAY}
  where stay_guests.guest_id = {guest} and stays.scope_id = :scope
    and (stays.status = 'in_house' or (stays.status in ('booked', 'departed')
      and coalesce(departure, arrival) >= today.day - {GUEST_READS.days}))
  order by {DAYS_AWAY}, stays.status = 'in_house' desc, coalesce(arrival, departure), stays.id
  limit 1
"""


NEAREST = nearest_of(":guest")
"""The same of `:guest`."""
