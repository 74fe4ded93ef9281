"""What a slot reads of the record about the message that is played, and what its workflow is called."""

from __future__ import annotations

from uuid import UUID

from bellhop.domain.ids import Prefix, intents_workflow, message_workflow, parse

STATE = """
    select message.stage, message.wake_due_at, message.erased_at,
      (select array_agg(state order by id) from attempts where message_id = message.id) as attempts,
      (select array_agg(word) from receipts where message_id = message.id) as words,
      (select count(*) from deliveries where subject_id = any(subjects.ids) and state <> 'delivered') as pending,
      (select count(*) from deliveries where subject_id = any(subjects.ids)) as deliveries,
      (select count(*) from endpoints where draining_until is not null) as draining,
      (select count(*) from history_erasures) as histories,
      (select count(*) from inbound_files where message_id = message.id and next_at is not null) as files
    from messages message, lateral (
      select message.id || array(select id from intents where message_id = message.id) as ids
    ) subjects
    where message.id = %s
"""

FILES = """
    select coalesce(file.state, 'kept') as state
    from assets asset left join inbound_files file on file.message_id = asset.message_id
    where asset.message_id = %s and asset.state = 'stored'
"""
"""What has come of the files of a guest's message: one row for each that is kept, and one only."""


def row_key(message_id: str) -> UUID:
    """The row of a message, ours or a guest's."""
    found = parse(Prefix.MESSAGE, message_id) or parse(Prefix.INBOUND, message_id)
    assert found is not None
    return found


def workflow_of(message_id: str) -> str:
    """The id of the workflow that there is for a message: of a guest's the one that looks for intents."""
    named = intents_workflow if message_id.startswith(Prefix.INBOUND.value) else message_workflow
    return named(row_key(message_id))
